import { type Outcome, pipelineEnd, type PipelineStep, resultOf, stepAction } from '../src/index.ts';

/**
 * Walks a pipeline as the rules say: the engine decides each step and the end. `outcomes` are those of the steps in the
 * order in which they are reached.
 */
export function walkPipeline(
  steps: readonly PipelineStep[],
  outcomes: readonly Outcome[],
  unscannedBlocks: boolean,
): { readonly verdict: 'allow' | 'respond' | 'block'; readonly ran: number } {
  let last: Outcome | null = null;
  for (const [index, step] of steps.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined)
      throw new Error(`step ${index + 1} is reached, but the case has no outcome for it`);
    if (resultOf(outcome) !== 'not_run') last = outcome;
    const action = stepAction(step, outcome);
    if (action !== 'next')
      return { verdict: action === 'modify_response' ? 'respond' : action, ran: index + 1 };
  }
  return { verdict: pipelineEnd(last, { unscannedBlocks }), ran: steps.length };
}
