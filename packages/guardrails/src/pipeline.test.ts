import { describe, expect, it } from 'vitest';
import {
  clean,
  custom,
  guardrail,
  input,
  pipeline,
  run,
  runtimeOf,
  segment,
  step,
  words,
} from '../test/kit.ts';
import type { HookResult } from './index.ts';

const CATALOGUE = [
  words,
  custom('broken', () => {
    throw new Error('x');
  }),
  custom('later', () => Promise.resolve(clean)),
];
const GUARDRAILS = [
  guardrail('masker', { guardrail: 'words', mask: ['secret'] }),
  guardrail('blocker', { guardrail: 'words', block: ['bomb'] }),
  guardrail('sees-secret', { guardrail: 'words', block: ['secret'] }),
  guardrail('sees-mask', { guardrail: 'words', block: ['[W]'] }),
  guardrail('logger', { guardrail: 'words', log: ['bomb'] }),
  guardrail('broken', { guardrail: 'broken', fail_on_error: false }),
  guardrail('later', { guardrail: 'later' }),
  guardrail('narrow', { guardrail: 'words', scan: ['system'] }),
  guardrail('narrow-strict', { guardrail: 'words', scan: ['system'], unscanned: 'block' }),
];
const runtime = runtimeOf(GUARDRAILS, CATALOGUE);

function hook(runs: Parameters<typeof input>[0], text: string): HookResult {
  const result = runtime.runHook(input(runs, [segment(text)]));
  if (result instanceof Promise) throw new Error('a promise on the hot path');
  return result;
}

describe('a pipeline', () => {
  it('runs its steps in order and ends with allow after a last pass (P1, P2)', () => {
    const result = hook([pipeline('pipe', [step('masker'), step('blocker')])], 'hi');
    expect(result.verdict).toBe('allow');
    expect(result.records.map(({ pipeline: place }) => place)).toEqual([
      { policy_name: 'pipe', step: 0, action: 'next' },
      { policy_name: 'pipe', step: 1, action: 'next' },
    ]);
  });

  it('blocks when it runs out of steps after a failure, with the block of a pipeline (P2, D-35)', () => {
    const result = hook([pipeline('pipe', [step('blocker', { on_fail: 'next' })])], 'bomb');
    expect(result.verdict).toBe('block');
    expect(result.block).toMatchObject({
      type: 'guardrail_pipeline_error',
      message: "Content blocked by guardrail pipeline 'pipe'",
      guardrail_name: null,
      policy: 'pipe',
    });
    expect(result.block?.pipeline_context).toEqual({
      policy: 'pipe',
      step_results: [
        {
          guardrail_name: 'blocker',
          outcome: 'fail',
          action_taken: 'next',
          error_detail: 'Content blocked: word',
          duration_seconds: 0,
        },
      ],
    });
  });

  it("re-raises the step's own block, with the pipeline's context", () => {
    const result = hook([pipeline('pipe', [step('blocker')])], 'bomb');
    expect(result.block).toMatchObject({
      type: 'guardrail_violation',
      message: 'Content blocked: word',
      guardrail_name: 'blocker',
      policy: 'pipe',
    });
    expect(result.block?.pipeline_context?.step_results).toHaveLength(1);
  });

  it('blocks on a pass when the step says so, and then has no block of its own', () => {
    const result = hook([pipeline('pipe', [step('blocker', { on_pass: 'block' })])], 'hi');
    expect(result.block?.type).toBe('guardrail_pipeline_error');
  });

  it('ends only itself with allow (P3)', () => {
    const runs = [pipeline('pipe', [step('logger', { on_pass: 'allow' }), step('masker')]), run('blocker')];
    const result = hook(runs, 'bomb');
    expect(result.verdict).toBe('block');
    expect(
      result.records.map(({ guardrail_name, outcome, reason }) => [guardrail_name, outcome, reason]),
    ).toEqual([
      ['logger', 'flagged', 'a word to note'],
      ['masker', 'not_run', 'the pipeline had ended with allow'],
      ['blocker', 'flagged', 'Content blocked: word'],
    ]);
  });

  it('discards a change without pass_data completely (P5, D-41)', () => {
    const result = hook(
      [pipeline('pipe', [step('masker'), step('sees-secret', { on_fail: 'next' })]), run('sees-mask')],
      'secret',
    );
    expect(result.block?.message).toBe("Content blocked by guardrail pipeline 'pipe'");
    const alone = hook([pipeline('pipe', [step('masker')]), run('sees-mask')], 'secret');
    expect(alone.verdict).toBe('allow');
    expect(alone.edited).toEqual([]);
    expect(alone.records[0]).toMatchObject({ outcome: 'masked', verdict: 'allow' });
  });

  it('hands a change with pass_data to later steps and onward (P5)', () => {
    const passing = pipeline('pipe', [step('masker', { pass_data: true }), step('sees-secret')]);
    const result = hook([passing], 'a secret');
    expect(result.verdict).toBe('mask');
    expect(result.segments[0]?.text).toBe('a [W]');
    expect(hook([passing, run('sees-mask')], 'a secret').block?.guardrail_name).toBe('sees-mask');
  });

  it('lets its steps see the original of what runs before it changed (C5)', () => {
    const result = hook([run('masker'), pipeline('pipe', [step('sees-secret')])], 'secret');
    expect(result.verdict).toBe('block');
  });

  it("answers with the step's message on modify_response, and lets a block elsewhere win (C4)", () => {
    const soft = step('blocker', {
      on_fail: 'modify_response',
      modify_response_message: 'Let us talk of tea.',
    });
    const result = hook([pipeline('pipe', [soft])], 'bomb');
    expect(result.verdict).toBe('respond');
    expect(result.respond).toEqual({ message: 'Let us talk of tea.', guardrail_name: 'pipeline:pipe' });
    const bare = { ...soft, modify_response_message: null };
    expect(hook([pipeline('pipe', [bare])], 'bomb').respond?.message).toBe('Content blocked: word');
    const onPass = step('blocker', { on_pass: 'modify_response' });
    expect(hook([pipeline('pipe', [onPass])], 'hi').respond?.message).toBe('Response modified by pipeline');
    expect(hook([pipeline('pipe', [soft]), run('sees-secret')], 'bomb secret').verdict).toBe('block');
  });

  it("decides an error by the step's on_error alone, and blocks without one (E1)", () => {
    const closed = hook([pipeline('pipe', [step('broken')])], 'hi');
    expect(closed.block).toMatchObject({ type: 'guardrail_error', guardrail_name: 'broken' });
    expect(closed.records[0]).toMatchObject({ failed_open: false, verdict: 'block' });
    const open = hook([pipeline('pipe', [step('broken', { on_error: 'allow' })])], 'hi');
    expect(open.verdict).toBe('allow');
    expect(open.records[0]).toMatchObject({ outcome: 'error', failed_open: true });
    expect(open.applied).toEqual([]);
  });

  it('skips a monitored step and does not count it (P7, E5)', () => {
    const result = hook([pipeline('pipe', [step('logger'), step('blocker', { monitored: true })])], 'bomb');
    expect(result.verdict).toBe('allow');
    expect(result.records[1]).toMatchObject({ outcome: 'not_run', reason: 'monitored' });
    expect(result.applied).toEqual(['logger']);
  });

  it('allows when no step ran, unless unscanned content is refused (P7)', () => {
    expect(hook([pipeline('pipe', [step('narrow')])], 'hi').verdict).toBe('allow');
    expect(hook([pipeline('pipe', [step('narrow-strict')])], 'hi').verdict).toBe('block');
    expect(hook([pipeline('pipe', [step('narrow-strict'), step('blocker')])], 'hi').verdict).toBe('allow');
  });

  it('waits for a step that answers later', async () => {
    const result = await runtime.runHook(
      input([pipeline('pipe', [step('later'), step('blocker')]), run('masker')], [segment('bomb')]),
    );
    expect(result.verdict).toBe('block');
    expect(result.records.map(({ outcome }) => outcome)).toEqual(['clean', 'flagged', 'not_run']);
  });
});
