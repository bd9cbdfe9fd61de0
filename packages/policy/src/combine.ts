/** From outcomes to verdicts: the only place where an `error` becomes "allow" or "block" (E1, C4, P1-P7). */
import type { ErrorClass } from './schema/guardrail.ts';
import type { Outcome, UnscannedContent, Verdict } from './schema/outcome.ts';
import type { PipelineStep, StepAction } from './schema/policy.ts';

/** What decides over an outcome besides the outcome itself. */
export interface OutcomeSettings {
  /** The classes of error that the guardrail lets through (E1). */
  readonly allowedErrors: ReadonlySet<ErrorClass>;
  /** Content that the run could not look at (E9). */
  readonly unscanned: readonly UnscannedContent[];
}

/** The verdict of one plain run. What was not scanned may turn it into a block, never into an allow. */
export function settleOutcome(outcome: Outcome, { allowedErrors, unscanned }: OutcomeSettings): Verdict {
  return combineVerdicts([verdictOf(outcome, allowedErrors), settleUnscanned(unscanned)]);
}

function verdictOf(outcome: Outcome, allowedErrors: ReadonlySet<ErrorClass>): Verdict {
  switch (outcome.outcome) {
    case 'clean':
    case 'not_run':
      return 'allow';
    case 'masked':
      return 'mask';
    case 'flagged':
      return flaggedVerdict(outcome.action);
    case 'error':
      // `unknown` is never let through, whatever a configuration says (E1).
      return outcome.error_class !== 'unknown' && allowedErrors.has(outcome.error_class) ? 'allow' : 'block';
  }
}

function flaggedVerdict(action: 'block' | 'log' | 'respond'): Verdict {
  switch (action) {
    case 'block':
      return 'block';
    case 'log':
      return 'allow';
    case 'respond':
      return 'respond';
  }
}

/** Unscanned content is refused as soon as one setting says so (E9). */
export function settleUnscanned(unscanned: readonly UnscannedContent[]): Verdict {
  return unscanned.some(({ setting }) => setting === 'block') ? 'block' : 'allow';
}

const STRENGTH: Readonly<Record<Verdict, number>> = { allow: 0, mask: 1, respond: 2, block: 3 };

/** The verdict of a hook: block, then respond, then mask, then allow (C4). Nothing to combine allows. */
export function combineVerdicts(verdicts: Iterable<Verdict>): Verdict {
  let strongest: Verdict = 'allow';
  for (const verdict of verdicts) if (STRENGTH[verdict] > STRENGTH[strongest]) strongest = verdict;
  return strongest;
}

/** What an outcome is to a pipeline (P7). */
export type StepResult = 'pass' | 'fail' | 'error' | 'not_run';

export function resultOf(outcome: Outcome): StepResult {
  switch (outcome.outcome) {
    case 'clean':
    case 'masked':
      return 'pass';
    case 'flagged':
      return outcome.action === 'log' ? 'pass' : 'fail';
    case 'error':
      return 'error';
    case 'not_run':
      return 'not_run';
  }
}

/** Where a pipeline goes after a step (P1, P7). An error blocks unless the step says otherwise (E1). */
export function stepAction(step: PipelineStep, outcome: Outcome): StepAction {
  switch (outcome.outcome) {
    case 'clean':
    case 'masked':
      return step.on_pass;
    case 'flagged':
      return outcome.action === 'log' ? step.on_pass : step.on_fail;
    case 'error':
      return errorAction(step, outcome.error_class);
    case 'not_run':
      return 'next';
  }
}

/**
 * A guardrail that nobody knows has judged nothing, so that no setting lets it pass (E1): neither `allow`, nor `next`,
 * after which a later step alone would decide.
 */
function errorAction({ on_error }: PipelineStep, errorClass: ErrorClass): StepAction {
  if (on_error === null) return 'block';
  const lets = on_error === 'allow' || on_error === 'next';
  return lets && errorClass === 'unknown' ? 'block' : on_error;
}

/** What decides when no step ran at all. */
export interface EndOfPipeline {
  /** Whether `unscanned: block` holds for one of the pipeline's guardrails (P7). */
  readonly unscannedBlocks: boolean;
}

/**
 * The end of a pipeline whose last step had no terminal action: allow if the last outcome was a pass, otherwise block
 * (P2). `last` is the last outcome other than `not_run`; `null` when every step was `not_run` (P7).
 */
export function pipelineEnd(last: Outcome | null, { unscannedBlocks }: EndOfPipeline): 'allow' | 'block' {
  const result = last === null ? 'not_run' : resultOf(last);
  switch (result) {
    case 'pass':
      return 'allow';
    case 'fail':
    case 'error':
      return 'block';
    case 'not_run':
      return unscannedBlocks ? 'block' : 'allow';
  }
}
