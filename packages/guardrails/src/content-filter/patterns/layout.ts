/** What a {@link layout} says about the texts it describes. */
export interface Layout {
  readonly regex: string;
  /** How many characters stand before the first digit. */
  readonly leads: readonly number[];
  /** How long the first run of digits is. */
  readonly runs: readonly number[];
  /** Fewest digits before a letter that must be there. */
  readonly digits: number;
}

interface Token {
  readonly regex: string;
  /** Whether it can be a digit, and whether it can be anything else. */
  readonly digit: boolean;
  readonly other: boolean;
  /** Neither a digit nor one of the separators between digits. */
  readonly letter: boolean;
  readonly min: number;
  readonly max: number;
}

const DIGITS = '0123456789'.split('');
const OTHERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ .-/()+,%;'.split('');

const ELEMENT = /\[(?:[^\]\\]|\\.)*\]|\\.|[^]/y;
const REPEAT = /\{(\d+)(?:,(\d+))?\}|\?/y;

/**
 * Reads a layout: `#` is a digit, `@` a letter, `*` a letter or digit; brackets are classes as in regular expressions, `?` and
 * `{n}`, `{n,m}` repeat what stands before them; everything else stands for itself.
 *
 * From it follow the expression and what the index of digit patterns wants to know, so that nobody has to write down both.
 */
export function layout(source: string): Layout {
  const tokens = tokensOf(source);
  const leads = new Set<number>();
  const runs = new Set<number>();
  /** Every way in which a text can go on from the token at `index`, of which `times` have been read. */
  const walk = (index: number, times: number, lead: number, run: number): void => {
    const token = tokens[index];
    if (token === undefined) {
      if (run > 0) add(lead, run);
      return;
    }
    if (times >= token.min) walk(index + 1, 0, lead, run);
    if (times >= token.max) return;
    if (token.digit) walk(index, times + 1, lead, run + 1);
    if (token.other) {
      if (run > 0) add(lead, run);
      else walk(index, times + 1, lead + 1, 0);
    }
  };
  const add = (lead: number, run: number) => {
    leads.add(lead);
    runs.add(run);
  };
  walk(0, 0, 0, 0);
  let count = 0;
  let started = false;
  for (const token of tokens) {
    if (token.digit && !token.other) {
      count += token.min;
      started ||= token.min > 0;
    } else if (token.letter && started && token.max > 0) break;
  }
  return {
    regex: tokens.map((token) => token.regex).join(''),
    leads: [...leads],
    runs: [...runs],
    digits: count,
  };
}

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(source)?.[0] ?? '';
    at += element.length;
    REPEAT.lastIndex = at;
    const repeat = REPEAT.exec(source);
    if (repeat !== null) at += repeat[0].length;
    const min = repeat === null ? 1 : repeat[0] === '?' ? 0 : Number(repeat[1]);
    const max = repeat === null || repeat[0] === '?' ? 1 : Number(repeat[2] ?? repeat[1]);
    const body = expressionOf(element);
    const one = new RegExp(`^${body}$`);
    tokens.push({
      regex: body + (repeat?.[0] ?? ''),
      digit: DIGITS.some((digit) => one.test(digit)),
      other: OTHERS.some((other) => one.test(other)),
      letter: OTHERS.some((other) => one.test(other) && !' .-/()+,'.includes(other)),
      min,
      max,
    });
  }
  return tokens;
}

function expressionOf(element: string): string {
  if (element === '#') return '\\d';
  if (element === '@') return '[A-Z]';
  if (element === '*') return '[0-9A-Z]';
  return element.length === 1 && '.()+/|^$'.includes(element) ? `\\${element}` : element;
}

/** The layouts of one kind of number taken together. */
export function layouts(sources: readonly string[]): {
  regex: string[];
  leads: number[];
  runs: number[];
  digits: number;
} {
  const all = sources.map(layout);
  return {
    regex: all.map((one) => one.regex),
    leads: [...new Set(all.flatMap((one) => one.leads))],
    runs: [...new Set(all.flatMap((one) => one.runs))],
    digits: all.reduce((least, one) => Math.min(least, one.digits), Infinity),
  };
}
