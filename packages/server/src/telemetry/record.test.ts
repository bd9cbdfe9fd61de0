import type { AppliedPolicy, RunRecord } from '@portcullis/policy';
import { expect, test } from 'vitest';
import type { RequestSummary } from '../ports/records.ts';
import { LineBatch } from './lines.ts';
import { recordText } from './record-text.ts';
import { RecordRing } from './ring.ts';

const run = (more: Partial<RunRecord> = {}): RunRecord => ({
  guardrail_name: 'g"1',
  guardrail_id: 'id',
  guardrail_provider: 'p',
  guardrail_mode: ['pre_call'],
  executed_hook: 'pre_call',
  enforcement: 'enforce',
  pipeline: null,
  demanded_by: DEMANDS,
  outcome: 'clean',
  flagged_action: null,
  error_class: null,
  reason: null,
  verdict: 'allow',
  failed_open: false,
  guardrail_status: 'success',
  start_time: 1.5,
  end_time: 2,
  duration: 0.5,
  masked_entity_count: {},
  match_details: [],
  detection_method: null,
  patterns_checked: null,
  risk_score: null,
  confidence_score: null,
  classification: null,
  alert_recipients: [],
  guardrail_response: null,
  policy_template: null,
  unscanned: [],
  ...more,
});
const DEMANDS = [{ source: 'global' }] as const;
const summary = { call_id: 'c', status: 200 } as unknown as RequestSummary;
const policies = [{ policy_name: 'p' }] as unknown as readonly AppliedPolicy[];

test('the text of a record is JSON with everything that is not null or empty', () => {
  const runs = [
    run(),
    run({
      outcome: 'masked',
      verdict: 'mask',
      masked_entity_count: { email: 1 },
      reason: 'a "quoted" reason',
    }),
    run({
      guardrail_name: 'other',
      pipeline: { policy_name: 'x', step: 1, action: 'next' },
      failed_open: true,
    }),
  ];
  const read = JSON.parse(recordText(summary, policies, runs)) as Record<string, unknown>;
  expect(read).toMatchObject({
    call_id: 'c',
    status: 200,
    policies: [{ policy_name: 'p' }],
    guardrails: [
      { guardrail_name: 'g"1', outcome: 'clean', demanded_by: [{ source: 'global' }], duration: 0.5 },
      {
        guardrail_name: 'g"1',
        outcome: 'masked',
        masked_entity_count: { email: 1 },
        reason: 'a "quoted" reason',
      },
      { guardrail_name: 'other', pipeline: { step: 1 }, failed_open: true },
    ],
  });
  const [first] = read['guardrails'] as Record<string, unknown>[];
  expect(first).not.toHaveProperty('reason');
  expect(first).not.toHaveProperty('match_details');
});

test('every field of a run that says something is in the text (D-75)', () => {
  const full: RunRecord = run({
    pipeline: { policy_name: 'x', step: 0, action: 'next' },
    outcome: 'flagged',
    flagged_action: 'block',
    error_class: 'fault',
    reason: 'a reason',
    failed_open: true,
    masked_entity_count: { email: 1 },
    match_details: [
      {
        type: 'email',
        action_taken: 'MASK',
        detection_method: 'regex',
        category: null,
        severity: 'medium',
        score: 0.5,
        path: '/x',
        start: 0,
        end: 1,
        hash: 'h',
      },
    ],
    detection_method: 'regex',
    patterns_checked: 3,
    risk_score: 4,
    confidence_score: 0.5,
    classification: { toxicity: 0.9 },
    guardrail_response: ['x'],
    alert_recipients: ['security@example.org'],
    policy_template: 'pii',
    unscanned: [{ kind: 'images', path: '/y', setting: 'allow', reason: 'x' }],
  });
  const read = JSON.parse(recordText(summary, policies, [full])) as { guardrails: unknown[] };
  expect(read.guardrails[0]).toEqual(full);
});

test('the ring keeps the newest records and forgets the oldest', () => {
  const ring = new RecordRing(2);
  ring.add('a', '1');
  ring.add('b', '2');
  ring.replace('b', '2b');
  ring.add('c', '3');
  ring.replace('a', 'late');
  expect([ring.find('a'), ring.find('b'), ring.find('c')]).toEqual([null, '2b', '3']);
});

test('lines are handed on together, in order, none lost', () => {
  const written: string[] = [];
  const batch = new LineBatch({ write: (bytes) => written.push(bytes.toString()) }, 24);
  batch.write('one\n');
  batch.write('two é\n');
  expect(written).toEqual([]);
  batch.write('three\n');
  expect(written).toEqual(['one\ntwo é\n']);
  batch.write('longer than a batch can be 字\n');
  batch.flush();
  batch.flush();
  expect(written.slice(1)).toEqual(['three\n', 'longer than a batch can be 字\n']);
});
