import {
  type Outcome,
  type PlannedPipeline,
  pipelineEnd,
  resultOf,
  type Segment,
  type StepAction,
  type StepResult,
  stepAction,
  type Verdict,
} from '@portcullis/policy';
import { blockDetails, pipelineBlockDetails } from './details.ts';
import type { Frame } from './frame.ts';
import type { BlockDetails, PipelineContext, PipelineStepResult, RespondDetails } from './hook.ts';
import { type Steps, settled } from './maybe.ts';
import { notRun, type RunOrder, type RunResult, refuses, runGuardrail, unscannedReason } from './run.ts';

export interface StepRun {
  readonly result: RunResult;
  /** What was done with the outcome; `none` for a step that was not reached. */
  readonly action: StepAction | 'none';
}

/** One pipeline, over. */
export interface PipelineResult {
  /** One entry for every step, reached or not (E2). */
  readonly steps: readonly StepRun[];
  readonly verdict: Verdict;
  /** The content as handed on (P5). */
  readonly segments: readonly Segment[];
  readonly block: BlockDetails | null;
  readonly respond: RespondDetails | null;
  /** The steps that were reached. */
  readonly context: PipelineContext;
}

/**
 * Runs the steps in order until one action ends the pipeline (P1-P7). A change without `pass_data` exists for nobody
 * (P5). Steps look at the hook's original content only for what runs before the pipeline changed: what the pipeline's own
 * steps hand on is meant to be judged as handed on.
 */
export function* pipelineSteps(
  frame: Frame,
  run: PlannedPipeline,
  incoming: readonly Segment[],
): Steps<PipelineResult> {
  const { hook, original } = frame.input;
  const steps: StepRun[] = [];
  const told: PipelineStepResult[] = [];
  let working = incoming;
  let last: Outcome | null = null;
  let unscannedBlocks = false;
  let ended: {
    readonly action: StepAction;
    readonly result: RunResult;
    readonly outcome: StepResult;
  } | null = null;
  let message: string | null = null;

  for (const step of run.steps) {
    const order: RunOrder = {
      guardrail: step.guardrail,
      params: null,
      demandedBy: run.demanded_by,
      segments: working,
      original: incoming === original ? working : original,
    };
    if (ended !== null) {
      const result = notRun(frame, order, `the pipeline had ended with ${ended.action}`);
      steps.push({ result, action: 'none' });
      continue;
    }
    const result = step.monitored
      ? notRun(frame, order, 'monitored')
      : yield* settled(runGuardrail(frame, order));
    const refused = refuses(result.unscanned);
    unscannedBlocks ||= refused;
    // A step that judged the rest and must not let a part pass unscanned has not passed (E9).
    const judged: Outcome = refused && resultOf(result.outcome) === 'pass' ? refusal(result) : result.outcome;
    const outcome = resultOf(judged);
    const action = stepAction(step, judged);
    if (outcome !== 'not_run') last = judged;
    const changed = step.pass_data && result.segments !== working;
    if (changed) working = result.segments;
    const over = { ...result, verdict: verdictOf(action, changed), failedOpen: opened(outcome, action) };
    steps.push({ result: over, action });
    told.push({
      guardrail_name: step.guardrail,
      outcome: outcome === 'not_run' ? 'skip' : outcome,
      action_taken: action,
      error_detail: detailOf(result),
      duration_seconds: Math.round(result.tookMs * 10) / 10_000,
    });
    if (action !== 'next') {
      ended = { action, result: over, outcome };
      message = step.modify_response_message;
    }
  }

  const context: PipelineContext = { policy: run.name, step_results: told };
  const end = ended?.action ?? pipelineEnd(last, { unscannedBlocks });
  const common = { steps, segments: working, context };
  switch (end) {
    case 'block': {
      const own = ended?.outcome === 'fail' || ended?.outcome === 'error' ? ended.result : null;
      const block =
        own === null ? pipelineBlockDetails(hook, context) : blockDetails(hook, own, run.name, context);
      return { ...common, verdict: 'block', block, respond: null };
    }
    case 'modify_response': {
      const text =
        message ?? (ended === null ? null : detailOf(ended.result)) ?? 'Response modified by pipeline';
      const respond = { message: text, guardrail_name: `pipeline:${run.name}` };
      return { ...common, verdict: 'respond', block: null, respond };
    }
    case 'allow':
    case 'next':
      return {
        ...common,
        verdict: working === incoming ? 'allow' : 'mask',
        block: null,
        respond: null,
      };
  }
}

const refusal = (result: RunResult): Outcome => ({
  outcome: 'flagged',
  action: 'block',
  message: unscannedReason(result.unscanned),
});

function verdictOf(action: StepAction, changed: boolean): Verdict {
  if (action === 'block') return 'block';
  if (action === 'modify_response') return 'respond';
  return changed ? 'mask' : 'allow';
}

const opened = (outcome: StepResult, action: StepAction): boolean =>
  outcome === 'error' && (action === 'allow' || action === 'next');

function detailOf(result: RunResult): string | null {
  const { outcome } = result;
  if (outcome.outcome === 'error' || outcome.outcome === 'not_run') return outcome.reason;
  return outcome.outcome === 'flagged' ? outcome.message : null;
}

/** The results of a pipeline that was not reached. */
export function pipelineNotRun(
  frame: Frame,
  run: PlannedPipeline,
  segments: readonly Segment[],
  reason: string,
): PipelineResult {
  const steps = run.steps.map(
    (step): StepRun => ({
      result: notRun(
        frame,
        {
          guardrail: step.guardrail,
          params: null,
          demandedBy: run.demanded_by,
          segments,
          original: segments,
        },
        reason,
      ),
      action: 'none',
    }),
  );
  const context = { policy: run.name, step_results: [] };
  return { steps, verdict: 'allow', segments, block: null, respond: null, context };
}
