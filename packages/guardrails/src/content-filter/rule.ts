import type { Label } from '../classifier/labels.ts';
import type { IntentFacts } from './competitor-intent.ts';
import type { LinearRegex } from './linear-regex.ts';
import type { Action, Back, Severity } from './patterns/spec.ts';
import type { Validator } from './validators/verdict.ts';

/** How two overlapping prebuilt matches are ordered: credentials before identifiers before network addresses. */
export const RANK = { network: 1, identifier: 2, credential: 3 } as const;

interface RuleBase {
  /** Position in the program; also the last tie break between matches. */
  readonly id: number;
  readonly name: string;
  readonly action: Action;
  readonly severity: Severity;
  /** Group of the pattern, shown as the category of a detection. */
  readonly group: string | null;
  readonly replacement: string;
  /** Longest match, and how far outside it the decision looks, in units of the view. `after` is at least 1. */
  readonly max: number;
  readonly before: number;
  readonly after: number;
}

/** Words near a match: an index into the context sets of the program, and the windows in units of the view. */
export interface ContextWindow {
  readonly set: number;
  readonly before: number;
  readonly after: number;
}

/** A prebuilt pattern: expressions that run only where its anchor says. */
export interface PatternRule extends RuleBase {
  readonly kind: 'pattern';
  readonly rank: number;
  /** Sticky expressions, tried in order. The first group, when there is one, is the span that counts. */
  readonly regexes: readonly { readonly regex: RegExp; readonly grouped: boolean }[];
  readonly edge: boolean;
  /** Looks only at a text read through, where hidden text stands between marks. */
  readonly readThrough: boolean;
  readonly back: Back | null;
  readonly validate: Validator | null;
  readonly trim: ((text: string) => number) | null;
  readonly context: (ContextWindow & { readonly always: boolean }) | null;
  readonly avoid: ContextWindow | null;
}

/** A blocked word: a fixed text, or a sticky expression when it holds spaces or `*`. */
export interface KeywordRule extends RuleBase {
  readonly kind: 'keyword';
  readonly description: string | null;
  /** What it is compared with: folded, small, with single spaces. */
  readonly text: string;
  readonly length: number;
  readonly regex: RegExp | null;
  readonly edgeStart: boolean;
  readonly edgeEnd: boolean;
}

/** An expression written by an administrator. */
export interface RegexRule extends RuleBase {
  readonly kind: 'regex';
  readonly regex: LinearRegex;
}

/**
 * A category: its words are findings by themselves or together, decided sentence by sentence. `name` and `severity` of a
 * match are those of the words that were found; `group` is the category.
 */
export interface CategoryRule extends RuleBase {
  readonly kind: 'category';
  readonly group: string;
  /** Lowest severity that counts. */
  readonly threshold: Severity;
  /** Labels of the local model that are findings of this category too. */
  readonly labels: readonly Label[];
  /** The score of a finding of the model; null for one by words. */
  readonly score: number | null;
  /** What the words mean besides, for competitor intent. */
  readonly intent: IntentFacts | null;
}

export type Rule = PatternRule | KeywordRule | RegexRule | CategoryRule;

/** One thing found: source offsets in UTF-16 units. `value` is the folded matched text: for hashing only, never shown. */
export interface Match {
  readonly rule: Rule;
  readonly start: number;
  readonly end: number;
  readonly value: string;
  /** How much speaks for it: 2 when a word of its context is near, and 1 when a check confirms it. */
  readonly strength: number;
  /** Found only by reading the text through; `doubtful` when what may be two values had to be joined for it. */
  readonly via?: 'reading' | 'doubtful';
}

/** Letters and digits that must not be glued to a match: Latin, Greek, Cyrillic. CJK text has no spaces to demand. */
export const GLUE = '0-9A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u024f\\u0370-\\u052f';

/** Whether a UTF-16 unit is in {@link GLUE}. */
export function isGlue(code: number): boolean {
  if (code < 128) return (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122);
  if (code < 0x00c0 || code > 0x052f) return false;
  return (code <= 0x024f && code !== 0xd7 && code !== 0xf7) || code >= 0x0370;
}
