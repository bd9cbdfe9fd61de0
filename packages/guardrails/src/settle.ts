import {
  combineVerdicts,
  type ErrorClass,
  type Outcome,
  settleOutcome,
  type UnscannedContent,
  type Verdict,
} from '@portcullis/policy';

/** An outcome with what it asks for. */
export interface Settled {
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  /** An error that was let through (E1). */
  readonly failedOpen: boolean;
}

const NOTHING: readonly UnscannedContent[] = [];

/** What an outcome alone asks for; the policy package decides. */
export function settle(outcome: Outcome, allowedErrors: ReadonlySet<ErrorClass>): Settled {
  const verdict = settleOutcome(outcome, { allowedErrors, unscanned: NOTHING });
  return { outcome, verdict, failedOpen: outcome.outcome === 'error' && verdict === 'allow' };
}

/** Whether an outcome has something to report besides the content. */
export const reports = (outcome: Outcome): boolean =>
  outcome.outcome === 'flagged' || outcome.outcome === 'error';

/** Whether `one` asks for more than `other`; of two that ask for the same, a report outranks silence. */
export function outranks(one: Settled, other: Settled): boolean {
  if (one.verdict === other.verdict) return reports(one.outcome) && !reports(other.outcome);
  return combineVerdicts([one.verdict, other.verdict]) === one.verdict;
}
