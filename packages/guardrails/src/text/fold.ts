/**
 * How one code point looks to rules: the folding table behind the normalised views.
 *
 * The fold never depends on neighbours, so that a text can be folded piece by piece as it streams. The one exception,
 * composing a letter with the combining marks after it, is done by the view with {@link compose}.
 */

const IGNORABLE = /^\p{Default_Ignorable_Code_Point}$/u;
const SPACE = /^\p{Zs}$/u;
const DASH = /^[\p{Pd}\u2212\u02d7\u2043\u2796]$/u;
const DECIMAL = /^\p{Nd}$/u;

/** Enclosed digits that NFKC leaves alone, as [first code point, value of the first, count]. */
const ENCLOSED: readonly (readonly [number, number, number])[] = [
  [0x24ff, 0, 1],
  [0x2776, 1, 10],
  [0x2780, 1, 10],
  [0x278a, 1, 10],
  [0x24f5, 1, 10],
  [0x24eb, 11, 10],
  [0x1f10b, 0, 1],
  [0x1f10c, 0, 1],
];

/** Letters that are drawn as small capitals or in boxes, and that NFKC leaves alone, as [first code point, letters]. */
const DRAWN: readonly (readonly [number, string])[] = [
  [0x1f130, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  [0x1f150, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  [0x1f170, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
];
const SMALL_CAPITALS: ReadonlyMap<number, string> = new Map(
  Array.from(
    'ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpꞯqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz'.matchAll(/(.)(.)/gu),
    ([, drawn = '', letter = '']) => [drawn.codePointAt(0) ?? 0, letter],
  ),
);

const cache = new Map<number, string>();
/** Texts with many different rare characters must not grow the cache without end. */
const CACHE_LIMIT = 20_000;

/**
 * Whether a code point is a combining mark that the views drop when it does not compose with its base: accents stacked on
 * digits, strike-through, keycaps. Marks of scripts that write vowels with them (Hebrew, Arabic, Indic, Thai) are kept.
 */
export function isCombiningMark(code: number): boolean {
  if (code < 0x0300) return false;
  return (
    code <= 0x036f ||
    (code >= 0x1ab0 && code <= 0x1aff) ||
    (code >= 0x1dc0 && code <= 0x1dff) ||
    (code >= 0x20d0 && code <= 0x20ff) ||
    (code >= 0xfe20 && code <= 0xfe2f)
  );
}

/**
 * The folded form of one code point: empty for invisible characters and lone combining marks, an ASCII digit for every
 * decimal digit, `-` for the dash family, a space for the space family, otherwise its NFKC form. Case is kept.
 *
 * @returns UTF-16 text of zero or more units. ASCII folds to itself.
 */
export function foldCodePoint(code: number): string {
  if (code < 0x80) return String.fromCharCode(code);
  const known = cache.get(code);
  if (known !== undefined) return known;
  const folded = computeFold(code);
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(code, folded);
  return folded;
}

/** Whether a code point is known to fold to itself: letters of common scripts. Saves the look into the table. */
export function foldsToItself(code: number): boolean {
  return (
    code < 0x80 ||
    (code >= 0xc0 &&
      code <= 0x17e &&
      code !== 0x13f &&
      code !== 0x140 &&
      code !== 0x149 &&
      code !== 0x132 &&
      code !== 0x133) ||
    (code >= 0x400 && code <= 0x481) ||
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0x3041 && code <= 0x3096) ||
    (code >= 0x30a1 && code <= 0x30fa)
  );
}

/** The single character that `base` and `mark` make together, or null when there is none. */
export function compose(base: string, mark: number): string | null {
  const joined = (base + String.fromCodePoint(mark)).normalize('NFC');
  return joined.length === 1 ? joined : null;
}

function computeFold(code: number): string {
  if (code >= 0xd800 && code <= 0xdfff) return String.fromCharCode(code);
  if (isCombiningMark(code)) return '';
  for (const [first, value, count] of ENCLOSED) {
    if (code >= first && code < first + count) return String(value + code - first);
  }
  for (const [first, letters] of DRAWN) {
    if (code >= first && code < first + letters.length) return letters[code - first] ?? '';
  }
  const capital = SMALL_CAPITALS.get(code);
  if (capital !== undefined) return capital;
  const normal = String.fromCodePoint(code).normalize('NFKC');
  let folded = '';
  for (const char of normal) folded += foldNormal(char);
  return folded;
}

function foldNormal(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return char;
  if (IGNORABLE.test(char) || isCombiningMark(code)) return '';
  if (SPACE.test(char)) return ' ';
  if (DASH.test(char)) return '-';
  if (code === 0x2044 || code === 0x2215) return '/';
  if (DECIMAL.test(char)) return String(decimalValue(code));
  return char;
}

/** The value of a decimal digit: Unicode encodes them in runs of ten, zero first. */
function decimalValue(code: number): number {
  let first = code;
  while (DECIMAL.test(String.fromCodePoint(first - 1))) first -= 1;
  return (code - first) % 10;
}

/** Small Latin letters without their marks, by code, up to U+024F and from U+1E00 to U+1EFF. 0: there is none. */
const PLAIN = new Uint8Array(0x250);
const PLAIN_ADDITIONAL = new Uint8Array(0x100);
for (let code = 0xc0; code < 0x250; code++) PLAIN[code] = plainOf(code);
for (let code = 0; code < 0x100; code++) PLAIN_ADDITIONAL[code] = plainOf(0x1e00 + code);

function plainOf(code: number): number {
  const first = String.fromCharCode(code).normalize('NFD').charCodeAt(0);
  return first < 128 ? first : 0;
}

/** Code of the letter of ASCII that an accented one is without its marks; 0 for everything else. */
export function plainLetter(code: number): number {
  if (code < 0x250) return PLAIN[code] as number;
  return code >= 0x1e00 && code < 0x1f00 ? (PLAIN_ADDITIONAL[code - 0x1e00] as number) : 0;
}

/** A text with accents taken off, of the same length. */
export function withoutAccents(text: string): string {
  return text.replace(/[\u00c0-\u024f\u1e00-\u1eff]/g, (char) => {
    const plain = plainLetter(char.charCodeAt(0));
    return plain === 0 ? char : String.fromCharCode(plain);
  });
}
