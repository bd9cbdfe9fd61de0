import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callRoute } from '../../src/control/call.ts';
import { sent } from './sent.ts';
import { spendLogContentRoute, spendLogPageRoute, spendLogsRoute } from '../../src/control/logs/read.ts';
import type { Route, RouteAnswer } from '../../src/control/route.ts';
import {
  guardrailDetailRoute,
  guardrailOverviewRoute,
  usageLogsRoute,
} from '../../src/control/usage/guardrails.ts';
import { policyOverviewRoute } from '../../src/control/usage/policies.ts';
import type { Catalogue } from '../../src/ports/catalogue.ts';
import type { Database } from '../../src/ports/database.ts';
import type { Identity, Role } from '../../src/ports/identity.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { masterIdentity } from '../../src/storage/identity/principal.ts';
import {
  BLOCKED,
  blocked,
  DAY_MS,
  demandedBy,
  failed,
  logged,
  masked,
  NOON,
  notRun,
  passed,
  policy,
} from '../logs/kit.ts';
import { hashLike, newTeam, realClock, recorder, stillClock, temporaryDirectory } from '../storage/kit.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what a client of the reference gets from its JSON parser
type Answer = RouteAnswer & { readonly status: number; readonly body: any };

const CATALOGUE: Catalogue = {
  guardrails: () => [
    {
      name: 'pii',
      ids: ['id-of-pii'],
      provider: 'litellm_content_filter',
      mode: ['pre_call'],
      description: 'Finds people',
    },
    { name: 'idle', ids: ['id-of-idle'], provider: 'custom', mode: null, description: null },
  ],
  models: () => [],
  policies: () => [
    { policyId: 'v1', name: 'strict', version: 1, description: null },
    { policyId: 'v2', name: 'strict', version: 2, description: null },
  ],
};

const directory = temporaryDirectory();
/** In the evening of the first of January 2026. */
const clock = stillClock(NOON + 8 * 3_600_000);
let database: Database;
let routes: Map<string, Route>;

beforeAll(async () => {
  database = await openDatabase({ dataDir: directory.path, url: null, clock: realClock, ...recorder() });
  const context = { database, clock, catalogue: CATALOGUE };
  routes = new Map(
    [
      spendLogsRoute(context),
      spendLogPageRoute(context, '/spend/logs/ui'),
      spendLogPageRoute(context, '/spend/logs/v2'),
      spendLogContentRoute(context),
      guardrailOverviewRoute(context),
      guardrailDetailRoute(context),
      usageLogsRoute(context),
      policyOverviewRoute(context),
    ].map((route) => [route.path, route]),
  );
  await database.transaction(async ({ teams, logs }) => {
    await teams.insert(
      newTeam('red', {
        members: [
          { role: 'admin', user_id: 'lead', user_email: null },
          { role: 'user', user_id: 'member', user_email: null },
        ],
      }),
    );
    await logs.append([
      logged(
        'by-member',
        {
          team_id: 'red',
          user_id: 'member',
          policies: [policy('v1', 'strict', 1)],
          guardrails: [passed('pii', { ...demandedBy('v1'), duration: 0.003 })],
        },
        {
          keyHash: hashLike('member-key'),
          endUser: 'customer',
          tags: ['eu'],
          content: {
            messages: [{ role: 'user', content: `Hello ${'x'.repeat(300)}` }],
            withheld: null,
            answer: [{ path: '/choices/0/message/content', text: 'Hi' }],
            bytes: 400,
          },
        },
      ),
      logged('refused', {
        ...BLOCKED,
        time: NOON + 1_000,
        team_id: 'red',
        user_id: 'other',
        policies: [policy('v1', 'strict', 1)],
        guardrails: [blocked('pii', { ...demandedBy('v1'), duration: 0.03, risk_score: 10 })],
      }),
      logged('elsewhere', {
        time: NOON + 2_000,
        team_id: 'blue',
        guardrails: [masked('pii', { duration: 0.004 }), notRun('gone')],
      }),
      logged('in error', {
        ...BLOCKED,
        error_code: 'guardrail_error',
        time: NOON + 3_000,
        guardrails: [failed('gone')],
      }),
      logged('last week', { time: NOON - 8 * DAY_MS, guardrails: [passed('pii')] }),
    ]);
  });
});
afterAll(async () => {
  await database.close();
  directory.remove();
});

const viewer: Identity = { ...masterIdentity(), role: 'proxy_admin_viewer' };
const user = (
  userId: string | null,
  keyHash: string | null = null,
  role: Role = 'internal_user',
): Identity => ({
  ...masterIdentity(),
  role,
  policy: { ...masterIdentity().policy, user_id: userId, key_hash: keyHash },
});

async function get(
  path: string,
  query: object = {},
  identity: Identity | null = masterIdentity(),
  params: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const route = routes.get(path);
  if (route === undefined) throw new Error(`no route ${path}`);
  const raw = { body: undefined, query, params, identity, callId: 'call', headers: {} };
  const answer = await callRoute(route, raw, clock.now());
  return sent(route, answer);
}

const RANGE = { start_date: '2025-12-01 00:00:00', end_date: '2026-01-02 00:00:00' };
const ids = (answer: Answer): string[] =>
  answer.body.data.map(({ request_id: id }: { request_id: string }) => id);

describe.each(['/spend/logs/ui', '/spend/logs/v2'])('GET %s', (path) => {
  test('answers a page of rows in the words of the reference, newest first', async () => {
    const answer = await get(path, { ...RANGE, page: '1', page_size: '2' });
    expect(answer).toMatchObject({ status: 200, body: { total: 5, page: 1, page_size: 2, total_pages: 3 } });
    expect(ids(answer)).toEqual(['in error', 'elsewhere']);
    const [row] = (await get(path, { ...RANGE, request_id: 'by-member' })).body.data;
    expect(row).toMatchObject({
      request_id: 'by-member',
      call_type: 'acompletion',
      api_key: hashLike('member-key'),
      user: 'member',
      team_id: 'red',
      end_user: 'customer',
      request_tags: ['eu'],
      model: 'gpt-4o-2024-08-06',
      model_group: 'gpt-4o',
      model_id: 'deployment-1',
      custom_llm_provider: 'openai',
      spend: 0,
      cost_known: false,
      total_tokens: 15,
      prompt_tokens: 10,
      completion_tokens: 5,
      startTime: '2026-01-01T12:00:00.000Z',
      endTime: '2026-01-01T12:00:00.120Z',
      request_duration_ms: 120,
      cache_hit: 'None',
      status: 'success',
      action: 'passed',
      messages: {},
      response: {},
      proxy_server_request: {},
      metadata: { applied_guardrails: ['pii'], applied_policies: ['strict'], error_information: null },
    });
  });

  test('keeps the guardrails of a blocked request and says why it failed', async () => {
    const [row] = (await get(path, { ...RANGE, request_id: 'refused' })).body.data;
    expect(row).toMatchObject({
      status: 'failure',
      spend: 0,
      error_code: 'guardrail_violation',
      metadata: {
        applied_guardrails: ['pii'],
        guardrail_information: [{ guardrail_name: 'pii', guardrail_status: 'guardrail_intervened' }],
        error_information: {
          error_code: '400',
          error_class: 'guardrail_violation',
          error_message: 'Content blocked',
        },
      },
    });
  });

  test.each([
    ['status_filter', 'failure', ['in error', 'refused']],
    ['team_id', 'red', ['refused', 'by-member']],
    ['user_id', 'other', ['refused']],
    ['api_key', hashLike('member-key'), ['by-member']],
    ['end_user', 'customer', ['by-member']],
    ['guardrail', 'gone', ['in error', 'elsewhere']],
    ['policy', 'strict', ['refused', 'by-member']],
    ['action', 'blocked', ['refused']],
    ['action', 'error', ['in error']],
    ['model', 'gpt-4o', ['in error', 'elsewhere', 'refused', 'by-member', 'last week']],
  ])('filters by %s=%s', async (name, value, expected) => {
    const answer = await get(path, { ...RANGE, [name]: value });
    expect(ids(answer)).toEqual(expected);
    expect(answer.body.total).toBe(expected.length);
  });

  test('takes a day as the whole day', async () => {
    expect(
      ids(await get(path, { start_date: '2026-01-01', end_date: '2026-01-01', sort_order: 'asc' })),
    ).toEqual(['by-member', 'refused', 'elsewhere', 'in error']);
  });

  test('refuses to answer without dates (400), a date that is none, an unknown filter and an unknown action (422)', async () => {
    expect(await get(path, {})).toMatchObject({
      status: 400,
      body: { detail: 'Start date and end date are required' },
    });
    for (const wrong of [
      { start_date: '2026-02-31' },
      { min_spend: '1' },
      { action: 'block' },
      { page_size: '101' },
    ]) {
      expect(await get(path, { ...RANGE, ...wrong })).toMatchObject({ status: 422 });
    }
  });
});

describe('who sees which requests', () => {
  const all = ['by-member', 'elsewhere', 'in error', 'last week', 'refused'];
  test.each<[string, Identity, string[]]>([
    ['an administrator sees all', masterIdentity(), all],
    ['a viewer sees all', viewer, all],
    ['a user sees the own ones, not those of the team', user('member'), ['by-member']],
    ['an administrator of a team sees those of the team', user('lead'), ['by-member', 'refused']],
    ['a key that belongs to nobody sees its own', user(null, hashLike('member-key')), ['by-member']],
    ['a stranger sees none', user('stranger', hashLike('strange')), []],
    ['a reading user sees the own ones', user('member', null, 'internal_user_viewer'), ['by-member']],
  ])('%s', async (_, identity, expected) => {
    const page = await get('/spend/logs/v2', RANGE, identity);
    expect(ids(page).sort()).toEqual(expected);
    expect(page.body.total).toBe(expected.length);
    for (const id of all) {
      const one = await get('/spend/logs/ui/:request_id', {}, identity, { request_id: id });
      expect(one.status).toBe(expected.includes(id) ? 200 : 404);
      const bare = await get('/spend/logs', { request_id: id }, identity);
      expect(bare.body).toHaveLength(expected.includes(id) ? 1 : 0);
    }
  });

  test('a filter for somebody else gives nothing rather than theirs', async () => {
    expect(ids(await get('/spend/logs/v2', { ...RANGE, user_id: 'other' }, user('member')))).toEqual([]);
  });

  test('the counts of guardrails and policies are of the same requests', async () => {
    const own = await get('/guardrails/usage/overview', {}, user('member'));
    expect(own.body.rows).toMatchObject([
      { id: 'pii', requestsEvaluated: 1, passedCount: 1, blockedCount: 0 },
    ]);
    const led = await get('/policies/usage/overview', {}, user('lead'));
    expect(led.body.rows).toMatchObject([{ id: 'v1', requestsEvaluated: 2, blockedCount: 1, failRate: 50 }]);
    const none = await get('/guardrails/usage/overview', {}, user('stranger'));
    expect(none.body).toMatchObject({ rows: [], totalRequests: 0, passRate: null, hasData: false });
    const logs = await get('/guardrails/usage/logs', { guardrail_id: 'pii' }, user('lead'));
    expect(logs.body).toMatchObject({ total: 2, logs: [{ id: 'refused' }, { id: 'by-member' }] });
  });

  test('nobody without a key sees anything', async () => {
    for (const path of routes.keys()) expect((await get(path, RANGE, null)).status).toBe(401);
  });
});

test('GET /spend/logs/ui/{request_id} shows what was stored, and {} for what was not', async () => {
  const found = await get('/spend/logs/ui/:request_id', {}, masterIdentity(), { request_id: 'by-member' });
  expect(found.body).toMatchObject({
    messages: [{ role: 'user' }],
    response: { choices: [{ message: { content: 'Hi' } }] },
    proxy_server_request: {},
    withheld: null,
  });
  const other = await get('/spend/logs/ui/:request_id', {}, masterIdentity(), { request_id: 'refused' });
  expect(other.body).toMatchObject({ messages: {}, response: {}, withheld: null });
});

describe('GET /spend/logs', () => {
  test('answers a bare list by key, user or id', async () => {
    expect((await get('/spend/logs', { user_id: 'other' })).body).toMatchObject([{ request_id: 'refused' }]);
    expect((await get('/spend/logs', { api_key: hashLike('member-key') })).body).toHaveLength(1);
    expect((await get('/spend/logs', { request_id: 'by-memb' })).body).toEqual([]);
    expect((await get('/spend/logs')).body).toHaveLength(5);
  });

  test('sums each day between two dates, days without requests at the end included', async () => {
    const { body } = await get('/spend/logs', { start_date: '2025-12-20', end_date: '2026-01-03' });
    expect(
      body.map(({ startTime, requests }: { startTime: string; requests: number }) => [startTime, requests]),
    ).toEqual([
      ['2025-12-24', 1],
      ['2026-01-01', 4],
      ['2026-01-02', 0],
      ['2026-01-03', 0],
    ]);
    expect(body[1]).toMatchObject({
      spend: 0,
      users: { member: 0, other: 0, '': 0 },
      models: { 'gpt-4o': 0 },
      [hashLike('member-key')]: 0,
      total_tokens: 30,
      cost_known: false,
    });
    const rows = await get('/spend/logs', {
      start_date: '2025-12-20',
      end_date: '2026-01-03',
      summarize: 'false',
    });
    expect(rows.body).toHaveLength(5);
  });
});

describe('GET /guardrails/usage/overview', () => {
  test('has a row for each guardrail with real figures, and for what is gone but was counted', async () => {
    const { body } = await get('/guardrails/usage/overview');
    expect(body.rows).toMatchObject([
      { id: 'gone', requestsEvaluated: 1, errorCount: 1, errorRate: 100, notRunCount: 1, failRate: 0 },
      { id: 'idle', name: 'idle', provider: 'custom' },
      {
        id: 'pii',
        name: 'pii',
        type: 'Guardrail',
        provider: 'litellm_content_filter',
        requestsEvaluated: 3,
        failRate: 33.333,
        blockRate: 33.333,
        maskRate: 33.333,
        errorRate: 0,
        status: 'critical',
        trend: 'up',
        avgScore: 10,
        usageUnits: {},
        cost: null,
        untrackedUsageUnits: {},
      },
    ]);
    const pii = body.rows[2];
    expect(pii.avgLatency).toBeCloseTo((3 + 30 + 4) / 3, 2);
    expect(pii.p50Latency).toBeGreaterThan(2.5);
    expect(pii.p50Latency).toBeLessThanOrEqual(5);
    expect(pii.p95Latency).toBeGreaterThan(25);
    expect(pii.p95Latency).toBeLessThanOrEqual(50);
    expect(body).toMatchObject({
      totalRequests: 4,
      totalBlocked: 1,
      passRate: 50,
      hasData: true,
      chart: [{ date: '2026-01-01', passed: 1, blocked: 1, masked: 1, flagged: 0, errors: 1 }],
    });
  });

  test('no data is not 100 %: figures are null and marked (D-60)', async () => {
    const { body } = await get('/guardrails/usage/overview');
    expect(body.rows[1]).toMatchObject({
      failRate: null,
      avgLatency: null,
      p95Latency: null,
      hasData: false,
      status: 'no_data',
    });
    const before = await get('/guardrails/usage/overview', {
      start_date: '2024-01-01',
      end_date: '2024-01-07',
    });
    expect(before.body).toMatchObject({ totalRequests: 0, passRate: null, hasData: false, chart: [] });
  });
});

describe('GET /guardrails/usage/detail/{id}', () => {
  test.each(['pii', 'id-of-pii'])('finds a guardrail by name or id (%s)', async (id) => {
    const { body } = await get('/guardrails/usage/detail/:id', {}, masterIdentity(), { id });
    expect(body).toMatchObject({
      guardrail_name: 'pii',
      guardrail_id: 'id-of-pii',
      description: 'Finds people',
      requestsEvaluated: 3,
      time_series: [{ date: '2026-01-01', passed: 1, blocked: 1, masked: 1 }],
    });
  });

  test('does not know what never was', async () => {
    const answer = await get('/guardrails/usage/detail/:id', {}, masterIdentity(), { id: 'nothing' });
    expect(answer).toMatchObject({ status: 404, body: { detail: "Guardrail 'nothing' not found" } });
  });
});

describe('GET /guardrails/usage/logs', () => {
  test('the action is a filter inside the query: pages are full and totals right (D-61)', async () => {
    const query = { guardrail_id: 'pii', action: 'blocked', page: '1', page_size: '1' };
    expect((await get('/guardrails/usage/logs', query)).body).toMatchObject({
      logs: [
        {
          id: 'refused',
          action: 'blocked',
          score: 10,
          latency_ms: 30,
          model: 'gpt-4o',
          reason: 'a kind of thing was found',
          input_snippet: null,
        },
      ],
      total: 1,
      page: 1,
      page_size: 1,
    });
  });

  test('shows at most 200 characters of a stored prompt', async () => {
    const { body } = await get('/guardrails/usage/logs', { guardrail_id: 'id-of-pii', action: 'passed' });
    expect(body.logs).toHaveLength(1);
    expect(body.logs[0].input_snippet).toHaveLength(200);
    expect(body.logs[0].output_snippet).toBe('Hi');
  });

  test('also for a policy version, but for one subject at a time', async () => {
    expect((await get('/guardrails/usage/logs', { policy_id: 'v1' })).body).toMatchObject({ total: 2 });
    expect((await get('/guardrails/usage/logs', { policy_id: 'v2' })).body).toMatchObject({
      total: 0,
      logs: [],
    });
    for (const wrong of [
      {},
      { policy_id: 'v1', guardrail_id: 'pii' },
      { guardrail_id: 'pii', action: 'success' },
    ]) {
      expect((await get('/guardrails/usage/logs', wrong)).status).toBe(422);
    }
  });
});

test('GET /policies/usage/overview has one row for each policy version, with real latency (D-60)', async () => {
  const { body } = await get('/policies/usage/overview');
  expect(body.rows).toMatchObject([
    {
      id: 'v1',
      name: 'strict',
      versionNumber: 1,
      type: 'Policy',
      provider: 'LiteLLM',
      requestsEvaluated: 2,
      failRate: 50,
      avgLatency: 16.5,
      hasData: true,
    },
    {
      id: 'v2',
      name: 'strict',
      versionNumber: 2,
      requestsEvaluated: 0,
      failRate: null,
      hasData: false,
      status: 'no_data',
    },
  ]);
  expect(body).toMatchObject({ totalRequests: 2, totalBlocked: 1, passRate: 50 });
});

test.each(['/guardrails/usage/overview', '/policies/usage/overview'])(
  '%s refuses dates in the words of the reference (400)',
  async (path) => {
    const detail = async (query: object): Promise<unknown> => {
      const { status, body } = await get(path, query);
      return [status, body.detail];
    };
    expect(await detail({ start_date: '01/02/2026' })).toEqual([
      400,
      'start_date and end_date must be in YYYY-MM-DD format',
    ]);
    expect(await detail({ end_date: '2026-13-01' })).toEqual([
      400,
      'start_date and end_date must be in YYYY-MM-DD format',
    ]);
    expect(await detail({ start_date: '2026-01-02', end_date: '2026-01-01' })).toEqual([
      400,
      'start_date must be on or before end_date',
    ]);
    expect(await detail({ start_date: '2024-01-01', end_date: '2026-01-01' })).toEqual([
      400,
      'Date range too large; maximum is 366 days',
    ]);
    expect((await get(path, { start_date: '2025-01-01', end_date: '2026-01-01' })).status).toBe(200);
  },
);
