import { describe, expect, it } from 'vitest';
import { combineVerdicts, pipelineEnd, resultOf, settleOutcome, stepAction } from './combine.ts';
import { ERROR_CLASSES, type ErrorClass } from './schema/guardrail.ts';
import type { Outcome, Verdict } from './schema/outcome.ts';
import { pipelineStepSchema, STEP_ACTIONS } from './schema/policy.ts';

const none = { allowedErrors: new Set<ErrorClass>(), unscanned: [] };
const error = (error_class: ErrorClass): Outcome => ({ outcome: 'error', error_class, reason: 'test' });
const flagged = (action: 'block' | 'log' | 'respond'): Outcome => ({
  outcome: 'flagged',
  action,
  message: '',
});
const clean: Outcome = { outcome: 'clean' };
const notRun: Outcome = { outcome: 'not_run', reason: 'no content' };

describe('settleOutcome', () => {
  it.each([
    [clean, 'allow'],
    [{ outcome: 'masked' }, 'mask'],
    [flagged('block'), 'block'],
    [flagged('log'), 'allow'],
    [flagged('respond'), 'respond'],
    [notRun, 'allow'],
  ] satisfies [Outcome, Verdict][])('C4 turns %j into %s', (outcome, verdict) => {
    expect(settleOutcome(outcome, none)).toBe(verdict);
  });

  it.each(ERROR_CLASSES)('E1 blocks an error of class %s unless it is allowed', (errorClass) => {
    expect(settleOutcome(error(errorClass), none)).toBe('block');
  });

  it('E1 allows exactly the classes of error that are named, and never "unknown"', () => {
    const allowedErrors = new Set<ErrorClass>(['fault', 'unknown']);
    const verdicts = ERROR_CLASSES.map((errorClass) =>
      settleOutcome(error(errorClass), { ...none, allowedErrors }),
    );
    expect(verdicts).toEqual(['block', 'allow', 'block', 'block', 'block']);
  });

  it('E9 refuses content that must not stay unscanned, whatever the outcome', () => {
    const unscanned = [{ kind: 'files', path: '/files/0', setting: 'block', reason: 'binary' }] as const;
    expect(settleOutcome(clean, { ...none, unscanned })).toBe('block');
    expect(settleOutcome(notRun, { ...none, unscanned })).toBe('block');
  });

  it('E9 lets unscanned content pass where the setting allows it', () => {
    const unscanned = [{ kind: 'images', path: '/0', setting: 'allow', reason: 'image' }] as const;
    expect(settleOutcome({ outcome: 'masked' }, { ...none, unscanned })).toBe('mask');
  });
});

describe('combineVerdicts', () => {
  it('C4 takes the strongest verdict in any order: block, respond, mask, allow', () => {
    const rising: Verdict[] = ['allow', 'mask', 'respond', 'block'];
    for (const [i, a] of rising.entries()) {
      for (const [j, b] of rising.entries()) expect(combineVerdicts([a, b])).toBe(rising[Math.max(i, j)]);
    }
  });

  it('C4 allows when nothing ran', () => {
    expect(combineVerdicts([])).toBe('allow');
  });
});

describe('stepAction', () => {
  const step = pipelineStepSchema.parse({ guardrail: 'pii' });

  it('P1 allows on a pass, blocks on a fail and blocks on an error by default', () => {
    expect(stepAction(step, clean)).toBe('allow');
    expect(stepAction(step, flagged('block'))).toBe('block');
    expect(stepAction({ ...step, on_fail: 'next' }, error('fault'))).toBe('block');
  });

  it('P7 counts masked and logged as a pass, a soft block as a fail', () => {
    expect([{ outcome: 'masked' } as const, flagged('log'), flagged('respond')].map(resultOf)).toEqual([
      'pass',
      'pass',
      'fail',
    ]);
  });

  it('P7 goes on after a step that did not run', () => {
    expect(stepAction({ ...step, on_pass: 'block', on_fail: 'block' }, notRun)).toBe('next');
  });

  it('E1 lets on_error alone decide over an error of a class that can be allowed', () => {
    for (const errorClass of ERROR_CLASSES.filter((one) => one !== 'unknown')) {
      expect(stepAction({ ...step, on_error: 'next' }, error(errorClass))).toBe('next');
      expect(stepAction({ ...step, on_error: 'allow' }, error(errorClass))).toBe('allow');
    }
  });

  it('E1 never lets "unknown" pass a step, whatever its on_error says', () => {
    const actions = [null, ...STEP_ACTIONS].map((on_error) =>
      stepAction({ ...step, on_error }, error('unknown')),
    );
    expect(actions).toEqual(['block', 'block', 'block', 'block', 'modify_response']);
  });
});

describe('pipelineEnd', () => {
  it('P2 allows only when the last outcome was a pass', () => {
    const ends = [clean, flagged('log'), flagged('block'), error('fault')].map((last) =>
      pipelineEnd(last, { unscannedBlocks: false }),
    );
    expect(ends).toEqual(['allow', 'allow', 'block', 'block']);
  });

  it('P7 asks the unscanned setting when every step was not_run', () => {
    expect(pipelineEnd(null, { unscannedBlocks: true })).toBe('block');
    expect(pipelineEnd(null, { unscannedBlocks: false })).toBe('allow');
  });
});
