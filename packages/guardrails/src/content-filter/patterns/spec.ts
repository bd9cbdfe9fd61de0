import type { Validator } from '../validators/verdict.ts';

export type Severity = 'low' | 'medium' | 'high';
export type Action = 'BLOCK' | 'MASK' | 'LOG';

/**
 * Where a match can begin, so that the expression runs only there.
 *
 * - `literal`: the match begins at one of these texts (lower case; found in any case), or, with `back`, at the beginning of
 *   the run of characters before it that `back` describes.
 * - `digit`: at the first digit of a run of digits, or `leads` characters before it. What is said further about the run
 *   saves trying the expression where it cannot match.
 */
export type Anchor =
  | { readonly kind: 'literal'; readonly literals: readonly string[]; readonly back?: Back }
  | DigitAnchor;

export interface DigitAnchor {
  readonly kind: 'digit';
  /** How many characters stand before the first digit; `[0]` without it. The first of them is a letter, `+` or `(`. */
  readonly leads?: readonly number[];
  /** All characters before the first digit are letters. */
  readonly letters?: boolean;
  /** Lengths that the first run of digits can have; any without it. */
  readonly runs?: readonly number[];
  /** What can follow that run: space, `-`, `.`, `/`, `a` for a letter, `*` for anything else. Anything without it. */
  readonly next?: string;
}

/** Characters that may stand between the beginning of a match and its literal, and how many at most. */
export interface Back {
  readonly accepts: (code: number) => boolean;
  /** Of these, the ones a match can begin with; leading others are skipped. */
  readonly first?: (code: number) => boolean;
  readonly max: number;
  /**
   * Whether a match can begin so: `run` characters before the literal, which begins with `literal` and has `length`
   * characters, after the character `before` (NaN at the beginning).
   */
  readonly fits?: (run: number, literal: number, length: number, before: number) => boolean;
}

/** Words near a match. The window is counted in characters of the normalised text, from the match's edges. */
export interface Nearby {
  readonly words: readonly string[];
  readonly before: number;
  readonly after: number;
}

/**
 * One prebuilt pattern. Texts are normalised before matching (see `text/view.ts`), so an expression need not know about
 * full-width digits, invisible characters, or kinds of dashes and spaces.
 */
export interface PatternSpec {
  readonly name: string;
  readonly display_name: string;
  readonly group: string;
  /** What kind of value it is, in the naming that entity recognisers share (`CREDIT_CARD`, `PL_PESEL`). */
  readonly entity?: string;
  /** Words and layouts that ordinary texts hold too: never part of the default set, suggested action `LOG` or `MASK`. */
  readonly confidence?: 'low';
  readonly description: string;
  /** A made-up value that matches. */
  readonly example: string;
  /** Tried in this order where a match can begin; the first that the validator does not refuse counts. Bounded repeats only. */
  readonly regex: readonly string[];
  readonly ignoreCase?: boolean;
  readonly anchor: Anchor;
  /**
   * Fewest digits a match has from its anchor on before anything comes that is neither a digit nor one of ` .-/()+,`.
   * Saves running the expression.
   */
  readonly minDigits?: number;
  /** No digit or letter may be glued on. `start` only for texts whose end the expression decides. */
  readonly boundary?: 'both' | 'start' | 'none';
  readonly validate?: Validator;
  /** Length of the part of the match that counts, for expressions that take along the punctuation after it. */
  readonly trim?: (text: string) => number;
  /** `always`: only near one of the words. `unless_valid`: or when the validator passes. */
  readonly context?: Nearby & { readonly needed: 'always' | 'unless_valid' };
  /** Words that show the match to be something else. */
  readonly avoid?: Nearby;
  /** Looks only at the text read through: what it finds does not exist in the text as written. */
  readonly readThrough?: boolean;
  readonly action: Action;
  readonly severity: Severity;
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
}

/** Groups whose matches win over digit patterns inside them. */
export const CREDENTIALS = 'Credentials';
export const NETWORK = 'Network';

/** The entity that a pattern finds. Credentials without one of their own are all secrets. */
export function entityOf(spec: PatternSpec): string {
  return spec.entity ?? (spec.group === CREDENTIALS ? 'SECRET' : spec.name.toUpperCase());
}
