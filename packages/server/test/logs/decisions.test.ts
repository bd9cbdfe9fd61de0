import { expect, test } from 'vitest';
import type { RunRecord } from '@portcullis/policy';
import { LATENCY_BOUNDS_MS } from '../../src/ports/logs.ts';
import { actionOf, bucketOf, decisionsOf, requestAction } from '../../src/storage/logs/decisions.ts';
import { storable } from '../../src/storage/logs/rows.ts';
import {
  BLOCKED,
  blocked,
  demandedBy,
  failed,
  masked,
  notRun,
  parts,
  passed,
  policy,
  record,
  run,
} from './kit.ts';

const finished = (...of: Parameters<typeof record>) => parts(record(...of));

const monitor = { enforcement: 'monitor' } as const;

test.each<[string, RunRecord, string]>([
  ['a clean run passed', passed('g'), 'passed'],
  ['a mask masked', masked('g'), 'masked'],
  ['a block blocked', blocked('g'), 'blocked'],
  ['a soft block blocked', blocked('g', { verdict: 'respond', flagged_action: 'respond' }), 'blocked'],
  [
    'a flag that is only logged flagged',
    blocked('g', { verdict: 'allow', flagged_action: 'log' }),
    'flagged',
  ],
  ['an error that blocked is an error', failed('g'), 'error'],
  [
    'an error that was let through is an error',
    failed('g', { verdict: 'allow', failed_open: true }),
    'error',
  ],
  ['a run that did not happen is not run', notRun('g'), 'not_run'],
  ['unscanned content that blocked, blocked', notRun('g', { verdict: 'block' }), 'blocked'],
  ['what monitoring would have blocked is flagged', blocked('g', monitor), 'flagged'],
  ['what monitoring would have masked is flagged', masked('g', monitor), 'flagged'],
  ['a clean monitored run passed', passed('g', monitor), 'passed'],
  // The words of the reference's substring search must not decide.
  [
    'a reason that says "blocked" decides nothing',
    passed('g', { reason: 'blocked intervened error' }),
    'passed',
  ],
])('%s (D-62)', (_, run, action) => {
  expect(actionOf(run)).toBe(action);
});

test('the request did what its strongest run did; without runs nothing', () => {
  expect(requestAction(finished('r'))).toBe('none');
  expect(requestAction(finished('r', { guardrails: [notRun('a')] }))).toBe('not_run');
  expect(requestAction(finished('r', { guardrails: [notRun('a'), passed('b')] }))).toBe('passed');
  expect(requestAction(finished('r', { guardrails: [masked('a'), blocked('b', monitor)] }))).toBe('masked');
  expect(requestAction(finished('r', { ...BLOCKED, guardrails: [blocked('a')] }))).toBe('blocked');
  expect(
    requestAction(finished('r', { ...BLOCKED, error_code: 'guardrail_error', guardrails: [failed('a')] })),
  ).toBe('error');
});

test('a guardrail that ran in several hooks has one decision: the strongest, with the time of all', () => {
  const decisions = decisionsOf(
    finished('r', {
      policies: [policy('p1'), policy('p2')],
      guardrails: [
        passed('pii', { ...demandedBy('p1'), duration: 0.003, risk_score: 1 }),
        masked('pii', { ...demandedBy('p2'), executed_hook: 'post_call', duration: 0.004, risk_score: 4 }),
        blocked('pii', { ...monitor, executed_hook: 'logging_only', duration: 9 }),
      ],
    }),
  );
  expect(decisions).toMatchObject([
    { kind: 'guardrail', subject: 'pii', action: 'masked', latencyMs: 7, score: 4 },
    { kind: 'policy', subject: 'p1', action: 'passed', latencyMs: 3 },
    { kind: 'policy', subject: 'p2', action: 'masked', latencyMs: 4 },
  ]);
});

test('monitored runs add no latency, because nobody waits for them (E5)', () => {
  const [decision] = decisionsOf(finished('r', { guardrails: [passed('g', monitor)] }));
  expect(decision?.latencyMs).toBeNull();
});

test('a run that two demands of one policy brought counts once for it', () => {
  const twice = [...demandedBy('p').demanded_by, ...demandedBy('p').demanded_by];
  const [, decision] = decisionsOf(
    finished('r', {
      policies: [policy('p')],
      guardrails: [run('g', { demanded_by: twice, duration: 0.001 })],
    }),
  );
  expect(decision).toMatchObject({ kind: 'policy', latencyMs: 1 });
});

test('a time belongs to the bucket whose bounds enclose it, the lower one included', () => {
  expect(bucketOf(0)).toBe(0);
  for (const [bucket, bound] of LATENCY_BOUNDS_MS.entries()) {
    expect(bucketOf(bound)).toBe(bucket + 1);
    expect(bucketOf(bound - 0.001)).toBe(bucket);
  }
  expect(bucketOf(1e9)).toBe(LATENCY_BOUNDS_MS.length);
});

test('only what cannot be stored is replaced in JSON', () => {
  const texts = ['plain', '\u0000', '\u0001', '\\u0000', '\\\\ud800', '\ud800', '🦀', 'a\ud83d"\\'];
  const kept = ['plain', '�', '\u0001', '\\u0000', '\\\\ud800', '�', '🦀', 'a�"\\'];
  expect(JSON.parse(storable(JSON.stringify(texts)))).toEqual(kept);
});
