/** What a {@link layout} says about the texts it describes. */
export interface Layout {
  readonly regex: string;
  /** How many characters stand before the first digit. */
  readonly leads: readonly number[];
  /** How long the first run of digits is. */
  readonly runs: readonly number[];
  /** What can follow that run, in the classes of anchors. */
  readonly next: string;
  /** Nothing but letters stands before the first digit. */
  readonly letters: boolean;
  /** Fewest digits before a letter that must be there. */
  readonly digits: number;
}

/** A character for each class of {@link Layout.next}. */
const NEXT_SAMPLES: readonly (readonly [string, string])[] = [
  [' ', ' '],
  ['-', '-'],
  ['.', '.'],
  ['/', '/'],
  ['a', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  ['*', '(),+%;@=&:'],
];
/** A number is never followed by a letter. */
const AFTER_END = ' -./*';

interface Token {
  readonly regex: string;
  /** Whether it can be a digit, and whether it can be anything else. */
  readonly digit: boolean;
  readonly other: boolean;
  /** Neither a digit nor one of the separators between digits. */
  readonly letter: boolean;
  /** Classes of what it can be besides a digit. */
  readonly classes: string;
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
  const next = new Set<string>();
  let letters = true;
  /** Every way in which a text can go on from the token at `index`, of which `times` have been read. */
  const walk = (index: number, times: number, lead: number, run: number): void => {
    const token = tokens[index];
    if (token === undefined) {
      if (run > 0) add(lead, run, AFTER_END);
      return;
    }
    if (times >= token.min) walk(index + 1, 0, lead, run);
    if (times >= token.max) return;
    if (token.digit) walk(index, times + 1, lead, run + 1);
    if (token.other) {
      if (run > 0) add(lead, run, token.classes);
      else {
        if (token.classes !== 'a') letters = false;
        walk(index, times + 1, lead + 1, 0);
      }
    }
  };
  const add = (lead: number, run: number, classes: string) => {
    leads.add(lead);
    runs.add(run);
    for (const one of classes) next.add(one);
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
    next: [...next].join(''),
    letters,
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
      classes: NEXT_SAMPLES.filter(([, chars]) => chars.split('').some((char) => one.test(char)))
        .map(([name]) => name)
        .join(''),
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
export function layouts(sources: readonly string[]): Omit<Layout, 'regex'> & { readonly regex: string[] } {
  const all = sources.map(layout);
  const union = <T>(lists: readonly Iterable<T>[]): T[] => [
    ...new Set(lists.flatMap((list) => Array.from(list))),
  ];
  return {
    regex: all.map((one) => one.regex),
    leads: union(all.map((one) => one.leads)),
    runs: union(all.map((one) => one.runs)),
    next: union(all.map((one) => one.next)).join(''),
    letters: all.every((one) => one.letters),
    digits: all.reduce((least, one) => Math.min(least, one.digits), Infinity),
  };
}
