import type { Label } from '../../classifier/labels.ts';
import type { Action, Severity } from '../patterns/spec.ts';

/**
 * Words of one identifier x block rule: a match needs one of each in the same sentence.
 *
 * `within` is how many characters may stand between the two; the whole sentence without it.
 */
export interface WordPair {
  readonly identifiers: readonly string[];
  readonly blocks: readonly string[];
  readonly within?: number;
}

/** A word or phrase that is a finding by itself. */
export interface CategoryWord {
  readonly keyword: string;
  readonly severity: Severity;
}

/**
 * One category: words, and how they make a finding. Words are compared folded and in lower case, as whole words; a `*` at
 * an end takes any ending along. A sentence that holds an exception is shielded from `keywords` and `pairs` of this
 * category; `always` words count even there.
 */
export interface CategorySpec {
  readonly name: string;
  readonly display_name: string;
  /** Family shown as a heading. */
  readonly group: string;
  readonly description: string;
  /** Used when the configuration names no action. */
  readonly action: Action;
  readonly keywords: readonly CategoryWord[];
  readonly always: readonly CategoryWord[];
  readonly pairs: readonly WordPair[];
  readonly exceptions: readonly string[];
  /** Also asks the local model for these labels, on the request side. */
  readonly model?: readonly Label[];
}

/** A category as a shipped file writes it: lists of words as one text, separated by `|`. */
interface CategoryDraft {
  readonly name: string;
  readonly title: string;
  readonly group: string;
  readonly description: string;
  readonly action?: Action;
  readonly high?: string;
  readonly medium?: string;
  readonly low?: string;
  readonly always?: string;
  readonly pairs?: readonly (readonly [identifiers: string, blocks: string, within?: number])[];
  readonly exceptions?: string;
  readonly model?: readonly Label[];
}

/** Makes a shipped category. */
export function category(draft: CategoryDraft): CategorySpec {
  return {
    name: draft.name,
    display_name: draft.title,
    group: draft.group,
    description: draft.description,
    action: draft.action ?? 'BLOCK',
    keywords: (['high', 'medium', 'low'] as const).flatMap((severity) =>
      words(draft[severity]).map((keyword) => ({ keyword, severity })),
    ),
    always: words(draft.always).map((keyword) => ({ keyword, severity: 'high' })),
    pairs: (draft.pairs ?? []).map(([identifiers, blocks, within]) => ({
      identifiers: words(identifiers),
      blocks: words(blocks),
      ...(within === undefined ? {} : { within }),
    })),
    exceptions: words(draft.exceptions),
    ...(draft.model === undefined ? {} : { model: draft.model }),
  };
}

function words(list: string | undefined): string[] {
  if (list === undefined) return [];
  return list
    .split('|')
    .map((word) => word.trim().replace(/\s+/g, ' '))
    .filter((word) => word !== '');
}

const ORDER: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2 };

/** Whether a severity reaches a threshold. */
export function reaches(severity: Severity, threshold: Severity): boolean {
  return ORDER[severity] >= ORDER[threshold];
}
