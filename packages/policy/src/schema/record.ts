import type { Hook } from './content.ts';
import type { Demand } from './decision.ts';
import type { ErrorClass, Mode } from './guardrail.ts';
import type { Enforcement } from './name.ts';
import type { Outcome, UnscannedContent, Verdict } from './outcome.ts';

/** One match, without the matched text (kinds, places and keyed hashes only). */
export interface MatchDetail {
  readonly type: string;
  readonly action_taken: 'BLOCK' | 'MASK' | 'LOG';
  readonly detection_method: string;
  readonly category: string | null;
  readonly severity: 'low' | 'medium' | 'high' | null;
  readonly score: number | null;
  /** JSON pointer of the leaf, with UTF-16 offsets in its text. */
  readonly path: string | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly hash: string | null;
}

/**
 * The record of one run of one guardrail, written by the runner alone (E2). The field names that the reference's logs
 * have are kept; the rest says what really happened.
 */
export interface RunRecord {
  readonly guardrail_name: string;
  readonly guardrail_id: string;
  readonly guardrail_provider: string;
  /** As configured; `executed_hook` is what ran. */
  readonly guardrail_mode: Mode | null;
  readonly executed_hook: Hook;
  readonly enforcement: Enforcement;
  /** The pipeline's policy and the step's number from 0, when it ran as a step. */
  readonly pipeline: { readonly policy_name: string; readonly step: number; readonly action: string } | null;
  readonly demanded_by: readonly Demand[];
  readonly outcome: Outcome['outcome'];
  readonly flagged_action: 'block' | 'log' | 'respond' | null;
  readonly error_class: ErrorClass | null;
  /** Why an error, a block or a run that did not happen. Never matched text. */
  readonly reason: string | null;
  /** What this run alone asked for; the hook's verdict combines them. In monitor: what it would have asked for. */
  readonly verdict: Verdict;
  /** An error was let through because the guardrail says so. */
  readonly failed_open: boolean;
  readonly guardrail_status: 'success' | 'guardrail_intervened' | 'guardrail_failed_to_respond' | 'not_run';
  /** Seconds since the epoch, and seconds. */
  readonly start_time: number;
  readonly end_time: number;
  readonly duration: number;
  readonly masked_entity_count: Readonly<Record<string, number>>;
  readonly match_details: readonly MatchDetail[];
  readonly detection_method: string | null;
  readonly patterns_checked: number | null;
  readonly risk_score: number | null;
  readonly confidence_score: number | null;
  readonly classification: Readonly<Record<string, unknown>> | null;
  readonly guardrail_response: unknown;
  /** Whom the guardrail says to alert. */
  readonly alert_recipients: readonly string[];
  readonly policy_template: string | null;
  readonly unscanned: readonly UnscannedContent[];
}
