import type { Validator } from '../validators/verdict.ts';
import { fixturesOf } from './fixtures.ts';
import { layouts } from './layout.ts';
import type { Action, Nearby, PatternSpec, Severity } from './spec.ts';

/** Nothing that would make the number part of a longer one. */
const FREE = '(?<!\\d[-./,])';
const END = '(?![-./]?\\d)';

/** How far words count, in characters, before and after a number. The longest names have about forty. */
const WINDOW = [44, 48] as const;

/** A kind of number with a fixed layout, most often with a check digit. */
export interface NumberEntry {
  readonly name: string;
  readonly entity: string;
  readonly title: string;
  readonly group: string;
  readonly description: string;
  /** See `layout.ts`. */
  readonly layouts: readonly string[];
  readonly validate?: Validator;
  /** Names of the number, also in the languages of the country. */
  readonly words: readonly string[];
  /** `always` unless said otherwise: without its name, a number is only a number. */
  readonly needed?: 'always' | 'unless_valid';
  readonly window?: readonly [number, number];
  readonly avoid?: Nearby;
  readonly ignoreCase?: boolean;
  readonly action?: Action;
  readonly severity?: Severity;
  /** Made-up values that the validator does not refuse; fixtures are made from them. */
  readonly values: readonly string[];
  readonly positives?: readonly string[];
  readonly negatives?: readonly string[];
}

/** The pattern of a number. */
export function numberPattern(entry: NumberEntry): PatternSpec {
  const { regex, leads, runs, next, letters, digits } = layouts(entry.layouts);
  const needed = entry.needed ?? 'always';
  const window = entry.window ?? WINDOW;
  const fixtures = fixturesOf({
    values: entry.values,
    words: entry.words,
    always: needed === 'always',
    validate: entry.validate ?? null,
    window,
  });
  const first = entry.values[0] ?? '';
  return {
    name: entry.name,
    entity: entry.entity,
    display_name: entry.title,
    group: entry.group,
    description: entry.description,
    example: `${entry.words[0] ?? ''} ${first}`,
    regex: regex.map((text) => `${FREE}${text}${END}`),
    anchor: { kind: 'digit', leads, letters, runs, next },
    minDigits: digits,
    action: entry.action ?? 'MASK',
    severity: entry.severity ?? 'high',
    context: {
      words: entry.words,
      before: window[0],
      after: window[1],
      needed,
    },
    positives: [...fixtures.positives, ...(entry.positives ?? [])],
    negatives: [...fixtures.negatives, ...(entry.negatives ?? [])],
    ...(entry.ignoreCase === undefined ? {} : { ignoreCase: entry.ignoreCase }),
    ...(entry.validate === undefined ? {} : { validate: entry.validate }),
    ...(entry.avoid === undefined ? {} : { avoid: entry.avoid }),
  };
}
