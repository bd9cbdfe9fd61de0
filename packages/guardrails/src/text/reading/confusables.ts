/**
 * Letters that look like Latin ones: the common part of what Unicode calls confusables, small enough to be read here. Given
 * as a Latin letter and its doubles in Cyrillic, Greek, Armenian and a few other scripts.
 */
const DOUBLES: readonly (readonly [string, string])[] = [
  ['a', 'аαɑӓӑ'],
  ['b', 'ƅЬʙ'],
  ['c', 'сϲↄҫ'],
  ['d', 'ԁɗժ'],
  ['e', 'еєҽεӗё'],
  ['f', 'ƒք'],
  ['g', 'ɡցԍ'],
  ['h', 'һհћ'],
  ['i', 'іıιɩїί'],
  ['j', 'јϳյ'],
  ['k', 'κкќ'],
  ['l', 'ⅼӏⵏ'],
  ['m', 'мⅿ'],
  ['n', 'ոռηп'],
  ['o', 'оοσօөσό'],
  ['p', 'рρ'],
  ['q', 'ԛգզ'],
  ['r', 'гꭇ'],
  ['s', 'ѕʂ'],
  ['t', 'тτ'],
  ['u', 'υսцμ'],
  ['v', 'νѵᴠ'],
  ['w', 'ԝωшѡա'],
  ['x', 'хχ'],
  ['y', 'уγүʏў'],
  ['z', 'ʐᴢ'],
  ['A', 'АΑᎪ'],
  ['B', 'ВΒᏴ'],
  ['C', 'СϹᏟ'],
  ['D', 'Ꭰ'],
  ['E', 'ЕΕᎬ'],
  ['F', 'Ϝ'],
  ['G', 'ԌᏀ'],
  ['H', 'НΗᎻ'],
  ['I', 'ІΙӀ'],
  ['J', 'ЈᎫ'],
  ['K', 'КΚᏦ'],
  ['L', 'ᏞԼ'],
  ['M', 'МΜᎷ'],
  ['N', 'Ν'],
  ['O', 'ОΟՕ'],
  ['P', 'РΡᏢ'],
  ['Q', 'Ԛ'],
  ['R', 'Ꭱ'],
  ['S', 'ЅՏᏚ'],
  ['T', 'ТΤᎢ'],
  ['U', 'Սՙ'],
  ['V', 'ѴᏙ'],
  ['W', 'ԜᎳ'],
  ['X', 'ХΧ'],
  ['Y', 'УΥҮ'],
  ['Z', 'ΖᏃ'],
];

const TABLE: ReadonlyMap<number, string> = new Map(
  DOUBLES.flatMap(([latin, doubles]) =>
    Array.from(doubles, (double) => [double.charCodeAt(0), latin] as const),
  ),
);

/** The Latin letter that a unit looks like, or null. */
export function latinDouble(code: number): string | null {
  return code < 0x100 ? null : (TABLE.get(code) ?? null);
}

/** Whether a unit can be one: quick, and true for more. */
export function mayBeDouble(code: number): boolean {
  return code >= 0x131 && TABLE.has(code);
}

/** A word is looked at this far to both sides. */
const WORD = 128;
/** A word of doubles alone takes its script from what stands so far before it. */
const BEFORE = 64;

/** Whether a letter that may be a double stands for the Latin one: its word has Latin letters, too, or follows such a word. */
export function isDisguisedAt(text: string, at: number): boolean {
  let begin = at;
  for (; begin > Math.max(0, at - WORD); begin--) {
    const code = text.charCodeAt(begin - 1);
    if (isSpace(code)) break;
    if (isLatin(code)) return true;
  }
  let others = true;
  let digits = false;
  for (let i = at; i < Math.min(text.length, at + WORD); i++) {
    const code = text.charCodeAt(i);
    if (isSpace(code)) break;
    if (isLatin(code)) return true;
    others &&= mayBeDouble(code) || code < 0x100;
    digits ||= code >= 48 && code <= 57;
  }
  // No language writes digits into words.
  return others && (digits || followsLatin(text, begin));
}

/**
 * A word of doubles alone is taken for Latin behind a Latin or mixed word, with nothing but such words between: Russian words
 * stand among words that no Latin letters can spell.
 */
function followsLatin(text: string, begin: number): boolean {
  const stop = Math.max(0, begin - BEFORE);
  for (let at = begin - 1; at >= stop; at--) {
    const code = text.charCodeAt(at);
    if (isLatin(code)) return true;
    if (code >= 0x100 && !mayBeDouble(code)) return false;
  }
  return false;
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);
const isLatin = (code: number): boolean =>
  ((code | 32) >= 97 && (code | 32) <= 122) ||
  (code >= 0xc0 && code <= 0x17f && code !== 0xd7 && code !== 0xf7);
