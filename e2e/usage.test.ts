// What dashboards and Prometheus read, after real requests: no figure here is made up by a store that only the test fills.
import { createClient } from '@portcullis/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
guardrails:
  - guardrail_name: mask-mail
    litellm_params:
      guardrail: litellm_content_filter
      mode: [pre_call, post_call]
      patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]
  - guardrail_name: block-code
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      patterns: [{ pattern_type: regex, name: code, pattern: 'PRJ-[0-9]{6}', action: BLOCK }]
policies:
  guarded: { guardrails: { add: [mask-mail, block-code] } }
  elsewhere: { guardrails: { add: [mask-mail] } }
policy_attachments:
  - { policy: guarded, scope: "*" }
  - { policy: elsewhere, models: [other-model] }
`;

const PASSED = 5;
const MASKED = 3;
const BLOCKED = 2;
const ALL = PASSED + MASKED + BLOCKED;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
  const texts = [
    ...Array.from({ length: PASSED }, () => 'Hello'),
    ...Array.from({ length: MASKED }, () => 'write to ada@example.org'),
    ...Array.from({ length: BLOCKED }, () => 'open PRJ-123456 now'),
  ];
  for (const content of texts) {
    const answer = await gateway.chat({ messages: [{ role: 'user', content }] });
    const text = await answer.text();
    if (answer.status !== (content.startsWith('open') ? 400 : 200)) throw new Error(text);
  }
});
afterAll(() => gateway?.stop());

const call = () => createClient({ baseUrl: gateway.url, key: ADMIN_KEY });

/** Asks until what was sent is stored: the log is written a moment after the answers. */
async function when<T>(ask: () => Promise<T>, stored: (found: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const found = await ask();
    if (stored(found) || attempt === 200) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the overview of policies holds every request, with real latencies, and nothing for one that did not apply (D-60)', async () => {
  const { body } = await when(
    () => call()('GET /policies/usage/overview'),
    ({ body }) => body.totalRequests >= ALL,
  );
  const guarded = body.rows.find(({ name }) => name === 'guarded');
  expect(guarded).toMatchObject({
    type: 'Policy',
    requestsEvaluated: ALL,
    passedCount: PASSED,
    maskedCount: MASKED,
    blockedCount: BLOCKED,
    failRate: 20,
    status: 'critical',
    hasData: true,
  });
  expect(guarded?.avgLatency).toBeGreaterThan(0);
  expect(guarded?.p95Latency).toBeGreaterThanOrEqual(guarded?.p50Latency ?? Infinity);
  expect(body.rows.find(({ name }) => name === 'elsewhere')).toMatchObject({
    requestsEvaluated: 0,
    failRate: null,
    avgLatency: null,
    status: 'no_data',
    hasData: false,
  });
  expect(body).toMatchObject({ totalRequests: ALL, totalBlocked: BLOCKED, passRate: 80 });
  expect(body.chart).toEqual([
    { date: expect.any(String), passed: PASSED, blocked: BLOCKED, masked: MASKED, flagged: 0, errors: 0 },
  ]);
});

test('the overview, the detail and the requests of a guardrail agree (D-61)', async () => {
  const { body: overview } = await when(
    () => call()('GET /guardrails/usage/overview'),
    // All requests are there; in those that another guardrail blocked this one need not have looked.
    ({ body }) => (body.rows.find(({ name }) => name === 'block-code')?.requestsEvaluated ?? 0) >= ALL,
  );
  const row = overview.rows.find(({ name }) => name === 'mask-mail');
  const params = { id: 'mask-mail' };
  const { body: detail } = await call()('GET /guardrails/usage/detail/:id', { params });
  expect(detail).toMatchObject({
    requestsEvaluated: row?.requestsEvaluated ?? null,
    maskedCount: row?.maskedCount ?? null,
    avgLatency: row?.avgLatency ?? null,
  });
  expect(row?.maskedCount).toBe(MASKED);
  expect(row?.avgLatency).toBeGreaterThan(0);

  const query = { guardrail_id: 'mask-mail', action: 'masked', page_size: 2 } as const;
  const { body: first } = await call()('GET /guardrails/usage/logs', { query });
  expect(first).toMatchObject({ total: MASKED, page: 1, page_size: 2 });
  expect(first.logs).toHaveLength(2);
  for (const log of first.logs) {
    expect(log).toMatchObject({ action: 'masked', model: 'gpt' });
    expect(log.latency_ms).toBeGreaterThan(0);
  }
});

test('GET /metrics tells requests, guardrails, the log queue, the snapshot and the limits, to administrators alone', async () => {
  const answer = await gateway.get('/metrics');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/u);
  const text = await answer.text();
  const value = (line: string): number | undefined => {
    const found = text.split('\n').find((one) => one.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.slice(line.length + 1));
  };
  expect(value('portcullis_requests_total{model="gpt",status="200",end="answered"}')).toBe(PASSED + MASKED);
  expect(value('portcullis_requests_total{model="gpt",status="400",end="blocked"}')).toBe(BLOCKED);
  expect(value('portcullis_request_duration_seconds_count{model="gpt"}')).toBe(ALL);
  expect(
    value(
      'portcullis_guardrail_runs_total{guardrail_name="block-code",hook_type="pre_call",outcome="flagged",verdict="block"}',
    ),
  ).toBe(BLOCKED);
  expect(
    value('portcullis_guardrail_duration_seconds_count{guardrail_name="block-code",hook_type="pre_call"}'),
  ).toBe(ALL);
  expect(value('portcullis_snapshot_revision')).toBeGreaterThan(0);
  expect(value('portcullis_snapshot_age_seconds')).toBeGreaterThanOrEqual(0);
  expect(value('portcullis_snapshot_state{state="in_force"}')).toBe(1);
  expect(value('portcullis_log_queue_records')).toBeGreaterThanOrEqual(0);
  expect(value('portcullis_log_dropped_records')).toBe(0);
  expect(value('portcullis_limits_counting{counting="memory"}')).toBe(1);
  // No text of a caller, and no key, is ever a label.
  expect(text).not.toMatch(/ada@example|PRJ-|sk-e2e/u);

  expect((await gateway.get('/metrics', null)).status).toBe(401);
  const { body: key } = await call()('POST /key/generate', { body: {} });
  expect((await gateway.get('/metrics', key.key)).status).toBe(403);
});
