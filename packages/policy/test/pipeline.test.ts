import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CLASSES, type Outcome, type PipelineStep, STEP_ACTIONS } from '../src/index.ts';
import { modelPipeline } from './model.ts';
import { walkPipeline } from './walk.ts';

const action = fc.constantFrom(...STEP_ACTIONS);
const step: fc.Arbitrary<PipelineStep> = fc.record({
  guardrail: fc.constantFrom('a', 'b', 'c'),
  on_pass: action,
  on_fail: action,
  on_error: fc.option(action),
  pass_data: fc.boolean(),
  modify_response_message: fc.constant(null),
});
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ outcome: 'clean' }),
  fc.constant<Outcome>({ outcome: 'masked' }),
  fc.constant<Outcome>({ outcome: 'not_run', reason: 'a case' }),
  fc
    .constantFrom('block', 'log', 'respond')
    .map((kind): Outcome => ({ outcome: 'flagged', action: kind, message: 'a case' })),
  fc
    .constantFrom(...ERROR_CLASSES)
    .map((error_class): Outcome => ({ outcome: 'error', error_class, reason: 'a case' })),
);
const walks = fc.array(fc.tuple(step, outcome), { minLength: 1, maxLength: 6 });
const RUNS = { numRuns: process.env['PORTCULLIS_TEST_STRICT'] === '1' ? 20_000 : 2_000 };

describe('a pipeline', () => {
  it('P1 P2 P7 E1: ends as the second evaluator says, for any steps and outcomes', () => {
    fc.assert(
      fc.property(walks, fc.boolean(), (walk, unscannedBlocks) => {
        const steps = walk.map(([one]) => one);
        const outcomes = walk.map(([, one]) => one);
        expect(walkPipeline(steps, outcomes, unscannedBlocks)).toEqual(
          modelPipeline(steps, outcomes, unscannedBlocks),
        );
      }),
      RUNS,
    );
  });

  it('E1: never allows once a step it reached is of an unknown guardrail', () => {
    fc.assert(
      fc.property(walks, (walk) => {
        const outcomes = walk.map(([, one]) => one);
        const { verdict, ran } = walkPipeline(
          walk.map(([one]) => one),
          outcomes,
          false,
        );
        const reached = outcomes.slice(0, ran);
        fc.pre(reached.some((one) => one.outcome === 'error' && one.error_class === 'unknown'));
        expect(verdict).not.toBe('allow');
      }),
      RUNS,
    );
  });
});
