import type { ContentKind } from './content.ts';
import type { ErrorClass } from './guardrail.ts';
import type { Unscanned } from './policy.ts';

/**
 * What one run of one guardrail returned. Every planned run has exactly one (E2). A detector never decides: `combine.ts`
 * turns outcomes into verdicts.
 */
export type Outcome =
  | { readonly outcome: 'clean' }
  | { readonly outcome: 'masked' }
  | {
      readonly outcome: 'flagged';
      /** `log` counts as a pass; `respond` is a soft block with `message` as the answer (E7). */
      readonly action: 'block' | 'log' | 'respond';
      readonly message: string;
    }
  | { readonly outcome: 'error'; readonly error_class: ErrorClass; readonly reason: string }
  | { readonly outcome: 'not_run'; readonly reason: string };

/** Content that a run could not look at, with the setting that decides what this means (E9). */
export interface UnscannedContent {
  readonly kind: ContentKind;
  readonly path: string;
  readonly setting: Unscanned;
  readonly reason: string;
}

/** What a run, or a hook, does with the content. In rising order of strength: allow, mask, respond, block (C4). */
export type Verdict = 'allow' | 'mask' | 'respond' | 'block';
