import OpenAI, { APIError, RateLimitError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gateway } from './support/gateway.ts';
import { describeWith } from './support/needs.ts';
import { answer, completion, json, LocalUpstream, textStream, stream } from './support/upstream.ts';

/** Each token costs a cent, so that budgets are easy to see; the provider tells 5 + 3 tokens for every answer. */
const config = (url: string): string => `
model_list:
  - model_name: gpt
    litellm_params:
      { model: openai/up, api_base: "${url}", api_key: sk-up, input_cost_per_token: 0.01, output_cost_per_token: 0.01 }
  - model_name: free
    litellm_params: { model: openai/up, api_base: "${url}", api_key: sk-up }
guardrails:
  - guardrail_name: block-code
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      patterns: [{ pattern_type: regex, name: code, pattern: 'PRJ-[0-9]{6}', action: BLOCK }]
policies:
  guarded: { guardrails: { add: [block-code] } }
policy_attachments:
  - { policy: guarded, scope: "*" }
`;

/** For tests that start gateways of their own, on a machine that others use too. */
const STARTS_MS = 60_000;

interface Key {
  readonly key: string;
  readonly token: string;
}

let upstream: LocalUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(config(upstream.url));
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

async function generate(body: object, at = gateway): Promise<Key> {
  const made = await at.post('/key/generate', body);
  expect(made.status).toBe(200);
  return (await made.json()) as Key;
}

const chat = (key: Key, body: object = {}, at = gateway): Promise<Response> =>
  at.chat({ max_tokens: 10, ...body }, { authorization: `Bearer ${key.key}` });

async function infoOf(key: Key, at = gateway): Promise<Record<string, unknown>> {
  const answered = await at.get(`/key/info?key=${key.token}`);
  return ((await answered.json()) as { info: Record<string, unknown> }).info;
}

const textOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { message: string } }).error.message;

describe('limits of requests', () => {
  test('a refused call is 429 in the words of the reference, with its headers, and is not sent on', async () => {
    upstream.will(answer('Hi.'));
    const key = await generate({ rpm_limit: 1 });
    const first = await chat(key);
    expect(first.status).toBe(200);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-litellm-key-rpm-limit': '1',
      'x-ratelimit-limit-requests': '1',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '60s',
    });
    const refused = await chat(key);
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': expect.stringMatching(/^\d+$/u),
      reset_at: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/u),
      rate_limit_type: 'requests',
      'x-litellm-call-id': expect.any(String),
    });
    const { error } = (await refused.json()) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: '429', type: 'rate_limit_error', portcullis_code: 'rate_limited' });
    expect(error['message']).toMatch(
      new RegExp(
        `^Rate limit exceeded for api_key: ${key.token}. Limit type: requests. Current limit: 1, Remaining: 0. Limit resets at: `,
        'u',
      ),
    );
    expect(upstream.calls).toHaveLength(1);
    const record = await gateway.record(refused);
    expect(record).toMatchObject({ status: 429, end: 'refused', error_code: 'rate_limited' });
  });

  test('the OpenAI client knows it for what it is', async () => {
    const key = await generate({ rpm_limit: 0 });
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key.key, maxRetries: 0 });
    const call = client.chat.completions.create({
      model: 'gpt',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    await expect(call).rejects.toBeInstanceOf(RateLimitError);
  });

  test('a limit of the team or the user binds every key of it', async () => {
    upstream.will(answer('Hi.'));
    const team = (await (await gateway.post('/team/new', { rpm_limit: 1 })).json()) as { team_id: string };
    const keys = [await generate({ team_id: team.team_id }), await generate({ team_id: team.team_id })];
    expect((await chat(keys[0] as Key)).status).toBe(200);
    const refused = await chat(keys[1] as Key);
    expect(refused.status).toBe(429);
    expect(await textOf(refused)).toContain(`Rate limit exceeded for team: ${team.team_id}.`);
  });

  test('a limit of one model counts it under every name (M8)', async () => {
    upstream.will(answer('Hi.'));
    const key = await generate({ model_rpm_limit: { gpt: 1 }, aliases: { quick: 'gpt' } });
    expect((await chat(key, { model: 'quick' })).status).toBe(200);
    expect((await chat(key, { model: 'gpt' })).status).toBe(429);
    expect((await chat(key, { model: 'free' })).status).toBe(200);
  });

  test('max_parallel_requests gives the place free whatever becomes of a call', async () => {
    const key = await generate({ max_parallel_requests: 1 });
    upstream.will((response) => {
      setTimeout(() => answer('Late.')(response, upstream.lastCall), 150);
    });
    const [one, other] = await Promise.all([chat(key), chat(key)]);
    expect([one.status, other.status].sort((a, b) => a - b)).toEqual([200, 429]);
    const refused = one.status === 429 ? one : other;
    expect(refused.headers.get('rate_limit_type')).toBe('max_parallel_requests');
    upstream.will(json(500, { error: { message: 'broken' } }));
    expect((await chat(key)).status).toBeGreaterThanOrEqual(500);
    expect((await chat(key, { model: 'nobody' })).status).toBe(400);
    const blocked = await chat(key, { messages: [{ role: 'user', content: 'PRJ-123456' }] });
    expect(blocked.status).toBe(400);
    upstream.will(answer('Hi.'));
    expect((await chat(key)).status).toBe(200);
  });

  test('tokens that a call did not use are given back', async () => {
    upstream.will(answer('Hi.'));
    const key = await generate({ tpm_limit: 1_000 });
    for (let count = 0; count < 3; count += 1)
      expect((await chat(key, { max_tokens: 800 })).status).toBe(200);
    const last = await chat(key, { max_tokens: 10 });
    const used = 1_000 - Number(last.headers.get('x-ratelimit-remaining-tokens'));
    // Three answers of 8 tokens, and what this call itself has reserved.
    expect(used).toBeGreaterThanOrEqual(24 + 10);
    expect(used).toBeLessThan(24 + 10 + 200);
  });
});

describe('budgets', () => {
  test('200 calls at once never overrun a budget', async () => {
    upstream.will((response, call) => {
      setTimeout(() => answer('Hi.')(response, call), 20);
    });
    const key = await generate({ max_budget: 3 });
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await chat(key);
        await response.arrayBuffer();
        return response.status;
      }),
    );
    const made = statuses.filter((status) => status === 200).length;
    expect(made).toBeGreaterThan(0);
    expect(statuses.filter((status) => status !== 200 && status !== 400)).toEqual([]);
    expect(upstream.calls).toHaveLength(made);
    const { spend } = await infoOf(key);
    expect(spend).toBeCloseTo(made * 0.08, 9);
    expect(spend).toBeLessThanOrEqual(3);
  });

  test('a spent budget is 400 budget_exceeded in the words of the reference', async () => {
    upstream.will(answer('Hi.'));
    const key = await generate({ max_budget: 0.05 });
    // The caller states no maximum, so a call that is alone may take what is left.
    expect((await chat(key, { max_tokens: null })).status).toBe(200);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key.key, maxRetries: 0 });
    const error = await client.chat.completions
      .create({ model: 'gpt', messages: [{ role: 'user', content: 'Hi' }] })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({
      status: 400,
      type: 'budget_exceeded',
      param: null,
      code: '400',
      message: expect.stringContaining('Budget has been exceeded! Current cost: 0.08, Max budget: 0.05'),
    });
  });

  test('spending is counted for key, team and user, also without a budget', async () => {
    upstream.will(answer('Hi.'));
    const team = (await (await gateway.post('/team/new', {})).json()) as { team_id: string };
    const owner = (await (await gateway.post('/user/new', {})).json()) as { user_id: string };
    const key = await generate({ team_id: team.team_id, user_id: owner.user_id });
    for (let count = 0; count < 2; count += 1) await (await chat(key)).arrayBuffer();
    expect(await infoOf(key)).toMatchObject({ spend: 0.16 });
    const teamInfo = await (await gateway.get(`/team/info?team_id=${team.team_id}`)).json();
    expect(teamInfo).toMatchObject({ team_info: { spend: 0.16 } });
    const userInfo = await (await gateway.get(`/user/info?user_id=${owner.user_id}`)).json();
    expect(userInfo).toMatchObject({ user_info: { spend: 0.16 } });
  });

  test('what a provider tells must be a count: a negative one lifts no limit', async () => {
    const usage = { prompt_tokens: -1_000_000, completion_tokens: 1e300, total_tokens: 0 };
    upstream.will(json(200, completion({ content: 'Hi.' }, { usage })));
    const key = await generate({ tpm_limit: 100_000, max_budget: 1_000 });
    const response = await chat(key);
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    expect((await chat(key)).status).toBe(429);
    await expect.poll(async () => (await infoOf(key))['spend']).toBeGreaterThan(1_000);
  });

  test('the store of requests knows what each has cost', async () => {
    upstream.will(answer('Hi.'));
    const key = await generate({});
    const response = await chat(key);
    const id = response.headers.get('x-litellm-call-id') ?? '';
    await response.arrayBuffer();
    const spendOf = async (): Promise<unknown> => {
      const rows = await (await gateway.get(`/spend/logs?request_id=${id}`)).json();
      return (rows as { spend?: number }[])[0]?.spend;
    };
    await expect.poll(spendOf).toBe(0.08);
  });

  test('a blocked call costs nothing', async () => {
    const key = await generate({ max_budget: 1 });
    const blocked = await chat(key, { messages: [{ role: 'user', content: 'PRJ-123456' }] });
    expect(blocked.status).toBe(400);
    expect(await infoOf(key)).toMatchObject({ spend: 0 });
  });

  test('a stream of which the provider tells no usage is counted by what was seen of it', async () => {
    upstream.will(stream(textStream('One two three four five six seven eight nine ten.')));
    const key = await generate({ max_budget: 10 });
    const response = await chat(key, { stream: true, max_tokens: 50 });
    expect(response.status).toBe(200);
    await response.text();
    await expect.poll(async () => (await infoOf(key))['spend']).toBeGreaterThan(0);
  });

  test('a caller that goes away pays for what was asked, so that leaving early is no way around a budget', async () => {
    upstream.will((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":');
    });
    const key = await generate({ max_budget: 10 });
    const leaving = new AbortController();
    const call = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key.key}` },
      body: JSON.stringify({ model: 'gpt', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }),
    }).then(
      (response) => response.text().catch(() => ''),
      () => '',
    );
    await expect.poll(() => upstream.calls.length).toBe(1);
    leaving.abort();
    await call;
    await expect.poll(async () => (await infoOf(key))['spend']).toBeGreaterThan(0);
  });

  test('a model without a price spends no money', async () => {
    upstream.will(answer('Hi.'));
    const key = await generate({ max_budget: 1 });
    expect((await chat(key, { model: 'free' })).status).toBe(200);
    expect(await infoOf(key)).toMatchObject({ spend: 0 });
  });
});

test('a key for management calls no model, and one for models manages nothing', async () => {
  const management = await generate({ key_type: 'management' });
  expect((await chat(management)).status).toBe(403);
  const models = await generate({ key_type: 'llm_api', user_id: 'u' });
  const answered = await gateway.post('/key/generate', {}, { authorization: `Bearer ${models.key}` });
  expect(answered.status).toBe(403);
});

test('GET /model/info shows what a key may call, with prices and without what opens it', async () => {
  const key = await generate({ models: ['gpt'] });
  for (const path of ['/model/info', '/v1/model/info']) {
    const answered = await gateway.get(path, key.key);
    const text = await answered.text();
    expect(JSON.parse(text)).toMatchObject({
      data: [
        {
          model_name: 'gpt',
          litellm_params: { model: 'openai/up' },
          model_info: { db_model: false, input_cost_per_token: 0.01 },
        },
      ],
    });
    expect(text).not.toContain('sk-up');
    expect(text).not.toContain(upstream.url);
  }
  expect(await (await gateway.get('/model/info')).text()).toContain('127.0.0.1');
});

test('readiness says how calls are counted', async () => {
  const ready = await (await gateway.get('/health/readiness', null)).json();
  expect(ready).toMatchObject({ limits: { counting: 'memory', problem: null } });
});

describeWith('REDIS_URL_TEST', 'two gateways on one Redis', (redisUrl) => {
  test(
    'count a limit together, and say so',
    async () => {
      upstream.will(answer('Hi.'));
      // Their databases are apart, so the key is made on both; its counters are one.
      const gateways = [
        await Gateway.start(config(upstream.url), { REDIS_URL: redisUrl }),
        await Gateway.start(config(upstream.url), { REDIS_URL: redisUrl }),
      ];
      const key = `sk-shared-${process.pid}-${String(performance.now()).replace('.', '')}`;
      let made: Key | null = null;
      for (const at of gateways) {
        await expect
          .poll(async () => (await at.get('/health/readiness', null)).json())
          .toMatchObject({ limits: { counting: 'shared' } });
        made = await generate({ key, rpm_limit: 3 }, at);
      }
      const statuses = [];
      for (let count = 0; count < 6; count += 1) {
        const response = await chat(made as Key, {}, gateways[count % 2]);
        statuses.push(response.status);
      }
      expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
      for (const at of gateways) await at.stop();
    },
    STARTS_MS,
  );
});

describe('a Redis that is away', () => {
  const nowhere = { REDIS_URL: 'redis://127.0.0.1:1' };

  test(
    'leaves each gateway to count by itself, and readiness tells',
    async () => {
      upstream.will(answer('Hi.'));
      const alone = await Gateway.start(config(upstream.url), nowhere);
      const key = await generate({ rpm_limit: 1 }, alone);
      expect((await chat(key, {}, alone)).status).toBe(200);
      expect((await chat(key, {}, alone)).status).toBe(429);
      const ready = await (await alone.get('/health/readiness', null)).json();
      expect(ready).toMatchObject({ status: 'healthy', limits: { counting: 'local' } });
      await alone.stop();
    },
    STARTS_MS,
  );
});
