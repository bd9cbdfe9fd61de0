/**
 * Shapes of secrets in a short notation, so that an entry says only what its vendor chose: `acme_(live|test)_<w24-32>` is the
 * prefix, one of two words, and 24 to 32 letters and digits. From a shape follow the expression, the literals it can begin
 * with, and made-up values for its fixtures, so that no value has to be written down that a scanner would take for a leak.
 *
 * `<` class length `>` is a run: `<w36>`, `<h20-40>`; `<uuid>` a UUID; `(a|b|)` alternatives of plain text; everything else
 * stands for itself.
 */

/** Characters of a class, as an expression and as an alphabet. */
interface CharacterClass {
  readonly source: string;
  readonly alphabet: string;
}

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();

const CLASSES: Readonly<Record<string, CharacterClass>> = {
  d: { source: '0-9', alphabet: DIGITS },
  h: { source: '0-9a-f', alphabet: `${DIGITS}abcdef` },
  x: { source: '0-9A-Fa-f', alphabet: `${DIGITS}abcdefABCDEF` },
  l: { source: '0-9a-z', alphabet: DIGITS + LOWER },
  u: { source: '0-9A-Z', alphabet: DIGITS + UPPER },
  t: { source: 'A-Z2-7', alphabet: `${UPPER}234567` },
  w: { source: '0-9A-Za-z', alphabet: DIGITS + LOWER + UPPER },
  b: { source: '0-9A-Za-z_-', alphabet: `${DIGITS}${LOWER}${UPPER}_-` },
  v: { source: '0-9A-Za-z_', alphabet: `${DIGITS}${LOWER}${UPPER}_` },
  n: { source: '0-9A-Za-z-', alphabet: `${DIGITS}${LOWER}${UPPER}-` },
  p: { source: '0-9A-Za-z_.-', alphabet: `${DIGITS}${LOWER}${UPPER}_-` },
  s: { source: '0-9A-Za-z+/', alphabet: `${DIGITS}${LOWER}${UPPER}+/` },
  e: { source: '=', alphabet: '=' },
};

const UUID = '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}';

type Part =
  | { readonly kind: 'text'; readonly choices: readonly string[] }
  | { readonly kind: 'run'; readonly class: CharacterClass; readonly min: number; readonly max: number }
  | { readonly kind: 'uuid' };

/** What follows from a shape. */
export interface Shape {
  readonly regex: string;
  /** The texts it can begin with, lower case; empty when it begins with a run. */
  readonly literals: readonly string[];
  /** Length of the shortest text it can begin with: what comes after it is random. */
  readonly prefix: number;
  /** The value ends in a run of one length, so that a further character cannot belong to it. */
  readonly fixedEnd: boolean;
  /** A made-up value; the same number gives the same value. */
  readonly sample: (seed: number) => string;
}

/** Reads a shape. @throws SyntaxError for a class that does not exist. */
export function shape(source: string): Shape {
  const parts = partsOf(source);
  const first = parts[0];
  const last = parts.at(-1);
  const starts = first?.kind === 'text' ? prefixes(parts) : [];
  return {
    regex: parts.map(expression).join('') + endOf(parts),
    literals: [...new Set(starts.map((text) => text.toLowerCase()))],
    prefix: Math.min(...starts.map((text) => text.length), starts.length === 0 ? 0 : Infinity),
    fixedEnd: last !== undefined && last.kind !== 'text' && (last.kind === 'uuid' || last.min === last.max),
    sample: (seed) => sampleOf(parts, seed),
  };
}

function partsOf(source: string): Part[] {
  const parts: Part[] = [];
  for (const [token] of source.matchAll(/<[^>]*>|\([^)]*\)|[^<(]+/g)) {
    if (token === '<uuid>') parts.push({ kind: 'uuid' });
    else if (token.startsWith('<')) parts.push(run(token));
    else if (token.startsWith('(')) parts.push({ kind: 'text', choices: token.slice(1, -1).split('|') });
    else parts.push({ kind: 'text', choices: [token] });
  }
  return parts;
}

function run(token: string): Part {
  const [, name = '', min = '', max = min] = /^<([a-z])(\d+)(?:-(\d+))?>$/.exec(token) ?? [];
  const found = CLASSES[name];
  if (found === undefined) throw new SyntaxError(`unknown run ${token}`);
  return { kind: 'run', class: found, min: Number(min), max: Number(max) };
}

function expression(part: Part): string {
  if (part.kind === 'uuid') return UUID;
  if (part.kind === 'run') {
    return `[${part.class.source}]{${part.min === part.max ? part.min : `${part.min},${part.max}`}}`;
  }
  const choices = part.choices.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return choices.length === 1 ? (choices[0] ?? '') : `(?:${choices.join('|')})`;
}

/** A run of URL-safe or plain base 64 must not be cut off where its alphabet goes on, also beyond letters and digits. */
function endOf(parts: readonly Part[]): string {
  const last = parts.at(-1);
  if (last?.kind !== 'run' || last.class === CLASSES['e']) return '';
  return `(?![${last.class.source}])`;
}

/** The plain text at the beginning, in every combination of its alternatives; cut at the first run. */
function prefixes(parts: readonly Part[]): string[] {
  let texts = [''];
  for (const part of parts) {
    if (part.kind !== 'text') break;
    texts = texts.flatMap((text) => part.choices.map((choice) => text + choice));
  }
  return texts;
}

function sampleOf(parts: readonly Part[], seed: number): string {
  const random = generator(seed);
  const pick = (alphabet: string) => alphabet[Math.floor(random() * alphabet.length)] ?? '';
  const take = (alphabet: string, count: number) => {
    let text = '';
    // No character three times in a row, so that nothing looks like filler.
    while (text.length < count) {
      const char = pick(alphabet);
      if (alphabet.length === 1 || !text.endsWith(char + char)) text += char;
    }
    return text;
  };
  const edges = /^[-_.+/]|[-_.+/]$/;
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.choices[seed % part.choices.length] ?? '';
      if (part.kind === 'uuid')
        return [8, 4, 4, 4, 12].map((count) => take('0123456789abcdef', count)).join('-');
      const count = part.min + Math.floor(random() * (Math.min(part.max, part.min + 8) - part.min + 1));
      let text = take(part.class.alphabet, count);
      // A digit somewhere, and letters and digits at the edges, as nearly every real one has.
      const unusual = (one: string) => edges.test(one) || (one.length > 8 && !/\d/.test(one));
      for (let i = 0; i < 50 && unusual(text); i++) {
        text = take(part.class.alphabet, count);
      }
      return text;
    })
    .join('');
}

/** Mulberry32: small, seeded, and good enough for fixtures. */
function generator(seed: number): () => number {
  let state = (seed * 0x9e3779b9) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
