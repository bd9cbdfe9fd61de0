import { describe, expect, it } from 'vitest';
import { clean, custom, fakePorts, guardrail, input, run, runtimeOf, segment } from '../test/kit.ts';
import type { Detection, Inspection } from './index.ts';

const found = (more: Partial<Detection> = {}): Detection => ({
  type: 'email',
  span: { segment: 0, start: 0, end: 4 },
  action: 'MASK',
  method: 'regex',
  score: null,
  category: 'PII',
  severity: 'medium',
  hash: 'h4',
  ...more,
});

function recordOf(inspection: Partial<Inspection>, params: Record<string, unknown> = {}) {
  const detector = custom('any', () => ({ ...clean, ...inspection }), { masks: true });
  const configured = {
    ...guardrail('g', { guardrail: 'any', ...params }, 'guardrail-7'),
    policy_template: 'pii-baseline',
  };
  const result = runtimeOf([configured], [detector], fakePorts()).runHook(
    input([run('g')], [segment('text of a caller')]),
  );
  if (result instanceof Promise) throw new Error('a promise on the hot path');
  const [record] = result.records;
  if (record === undefined) throw new Error('no record');
  return record;
}
const masked = (detections: readonly Detection[], trace: Inspection['trace'] = {}) =>
  recordOf({
    outcome: { outcome: 'masked' },
    edits: [{ segment: 0, start: 0, end: 4, replacement: '[X]' }],
    detections,
    trace,
  });

describe('the record of a run', () => {
  it('E2 D-75: has every field of the trace, filled by the runner, and no text of the caller', () => {
    const record = recordOf(
      {
        outcome: { outcome: 'masked' },
        edits: [{ segment: 0, start: 0, end: 4, replacement: '[X]' }],
        detections: [found({ score: 0.4 }), found({ type: 'name', method: 'model', score: 0.8 })],
        trace: { patterns_checked: 12, classification: { pii: true }, guardrail_response: ['x'] },
      },
      { alert_recipients: ['security@example.org'], mode: ['pre_call', 'post_call'] },
    );
    expect(record).toMatchObject({
      guardrail_name: 'g',
      guardrail_id: 'guardrail-7',
      guardrail_provider: 'any',
      guardrail_mode: ['pre_call', 'post_call'],
      executed_hook: 'pre_call',
      demanded_by: [{ policy_name: 'p', policy_id: 'p-1', version_number: 1 }],
      guardrail_status: 'guardrail_intervened',
      policy_template: 'pii-baseline',
      detection_method: 'model,regex',
      confidence_score: 0.8,
      risk_score: 4.6,
      classification: { pii: true },
      patterns_checked: 12,
      masked_entity_count: { email: 1, name: 1 },
      alert_recipients: ['security@example.org'],
      match_details: [
        { type: 'email', path: '/messages/0/content', start: 0, end: 4, hash: 'h4' },
        { type: 'name' },
      ],
    });
    expect(record.end_time).toBe(record.start_time + record.duration);
    expect(JSON.stringify(record)).not.toMatch(/text of a caller|"text"/u);
  });

  it.each([
    ['one value of medium severity', [found()], 4],
    ['a high one', [found({ severity: 'high' })], 7],
    ['a low one', [found({ severity: 'low' })], 1],
    ['one that nobody grades', [found({ severity: null })], 4],
    ['one that is only logged', [found({ severity: 'high', action: 'LOG' })], 3.5],
    ['a high one among others', [found(), found({ severity: 'high' }), found()], 8.2],
    ['many', Array.from({ length: 50 }, () => found({ severity: 'high' })), 9.9],
  ])('grades the risk by what was found: %s', (_what, detections, score) => {
    expect(masked(detections).risk_score).toBe(score);
  });

  it('grades a block as the highest risk, clean content as none, and no verdict not at all', () => {
    const blocked = recordOf({ outcome: { outcome: 'flagged', action: 'block', message: 'no' } });
    expect(blocked.risk_score).toBe(10);
    expect(recordOf({}).risk_score).toBe(0);
    const failed = recordOf({ outcome: { outcome: 'error', error_class: 'fault', reason: 'x' } });
    expect(failed.risk_score).toBeNull();
    expect(failed.guardrail_status).toBe('guardrail_failed_to_respond');
  });

  it("keeps a service's own figures", () => {
    const record = masked([found({ score: 0.1 })], { risk_score: 2, confidence_score: 0.9 });
    expect(record).toMatchObject({ risk_score: 2, confidence_score: 0.9 });
  });
});
