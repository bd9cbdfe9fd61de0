import type { RunRecord } from '@portcullis/policy';
import { expect, test } from 'vitest';
import type { RequestSummary } from '../ports/records.ts';
import { Metrics } from './metrics.ts';

const summary = (model_group: string | null): RequestSummary =>
  ({
    model_group,
    status: 200,
    end: 'answered',
    timings: { total: 20, overhead: 1 },
    usage: null,
  }) as unknown as RequestSummary;

test('what comes after many different names is counted together, so that memory stays bounded', async () => {
  const metrics = new Metrics();
  for (let index = 0; index < 2_000; index += 1) metrics.request(summary(`model-${index}`));
  const text = await metrics.text();
  expect(text).toContain('portcullis_requests_total{model="other",status="200",end="answered"} 1500');
  expect(text.match(/^portcullis_requests_total\{/gmu)).toHaveLength(501);
});

test('a name with quotes and line ends stays one label', async () => {
  const metrics = new Metrics();
  const run = { guardrail_name: 'a"b\n} 1', executed_hook: 'pre_call', outcome: 'clean', verdict: 'allow' };
  metrics.run({ ...run, duration: 0.001 } as unknown as RunRecord);
  expect(await metrics.text()).toContain(
    'portcullis_guardrail_runs_total{guardrail_name="a\\"b\\n} 1",hook_type="pre_call",outcome="clean",verdict="allow"} 1',
  );
});

test('what nobody knows yet is no number, and no zero', async () => {
  const metrics = new Metrics();
  expect(await metrics.text()).toMatch(/^portcullis_snapshot_revision NaN$/imu);
});
