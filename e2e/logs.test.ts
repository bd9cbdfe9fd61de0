import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const guardrail = (name: string, mode: string, rules: string, more = ''): string => `
  - guardrail_name: ${name}
    litellm_params:
      guardrail: litellm_content_filter
      mode: ${mode}
      ${more}
      ${rules}`;

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
guardrails:
${guardrail('mask-mail', '[pre_call, post_call]', 'patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]')}
${guardrail('block-code', 'pre_call', "patterns: [{ pattern_type: regex, name: code, pattern: 'PRJ-[0-9]{6}', action: BLOCK }]")}
${guardrail('watch', 'pre_call', 'blocked_words: [{ keyword: watched, action: BLOCK }]', 'enforcement: monitor')}
${guardrail('unused', 'pre_call', 'blocked_words: [{ keyword: never, action: BLOCK }]')}
policies:
  guarded: { guardrails: { add: [mask-mail, block-code, watch] } }
policy_attachments:
  - { policy: guarded, scope: "*" }
`;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
});
afterAll(() => gateway?.stop());

// oxlint-disable-next-line typescript/no-explicit-any -- what a client of the reference gets from its JSON parser
type Body = Record<string, any>;

const RANGE = 'start_date=2020-01-01&end_date=2099-12-31';

async function read(path: string, key = ADMIN_KEY): Promise<Body> {
  const answer = await gateway.get(path, key);
  const body = (await answer.json()) as Body;
  expect({ path, status: answer.status, body }).toMatchObject({ status: 200 });
  return body;
}

/** The page, once it has so many rows. */
async function rows(filter: string, total: number, key = ADMIN_KEY): Promise<Body[]> {
  for (let attempt = 0; ; attempt += 1) {
    const page = await read(`/spend/logs/v2?${RANGE}&page_size=100&${filter}`, key);
    if (page['total'] >= total || attempt === 100) {
      expect(page['total']).toBe(total);
      return page['data'] as Body[];
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

const say = (content: string, key = ADMIN_KEY, more: object = {}): Promise<Response> =>
  gateway.chat({ messages: [{ role: 'user', content }], ...more }, { authorization: `Bearer ${key}` });

const idOf = (answer: Response): string => answer.headers.get('x-litellm-call-id') ?? '';

describe('every request has one row (E2)', () => {
  let answers: Response[];
  beforeAll(async () => {
    answers = await Promise.all([
      say('Hello there', ADMIN_KEY, { user: 'customer-1' }),
      say('write to ada@example.org'),
      say('open PRJ-123456 now'),
      say('this is watched'),
      say('streamed', ADMIN_KEY, { stream: true }),
      say('no such model', ADMIN_KEY, { model: 'unknown' }),
      say('not my key', 'sk-unknown-key-of-nobody'),
    ]);
    for (const answer of answers) await answer.text();
  });

  test('with its status, its action and its guardrails', async () => {
    const found = new Map((await rows('', 7)).map((row) => [row['request_id'], row]));
    const of = (index: number): Body => found.get(idOf(answers[index]!)) ?? {};
    expect(of(0)).toMatchObject({
      status: 'success',
      action: 'passed',
      end_user: 'customer-1',
      cost_known: false,
    });
    expect(of(1)).toMatchObject({ status: 'success', action: 'masked' });
    expect(of(2)).toMatchObject({
      status: 'failure',
      action: 'blocked',
      error_code: 'guardrail_violation',
      spend: 0,
      metadata: {
        applied_guardrails: expect.arrayContaining(['block-code']),
        applied_policies: ['guarded'],
        guardrail_information: expect.arrayContaining([
          expect.objectContaining({ guardrail_name: 'block-code', guardrail_status: 'guardrail_intervened' }),
        ]),
        error_information: { error_code: '400', error_class: 'guardrail_violation' },
      },
    });
    expect(of(3)).toMatchObject({ status: 'success', action: 'flagged' });
    expect(of(4)).toMatchObject({ status: 'success', action: 'passed' });
    expect(of(5)).toMatchObject({ status: 'failure', action: 'none', error_code: 'model_not_found' });
    expect(of(6)).toMatchObject({
      status: 'failure',
      action: 'none',
      error_code: 'key_not_found',
      api_key: '',
    });
  });

  test('and the counts of guardrails and policies are those of the rows (D-60)', async () => {
    await rows('', 7);
    const guardrails = await read('/guardrails/usage/overview');
    const row = (name: string): Body => guardrails['rows'].find(({ id }: Body) => id === name);
    expect(row('mask-mail')).toMatchObject({ maskedCount: 1, blockedCount: 0, type: 'Guardrail' });
    expect(row('block-code')).toMatchObject({
      requestsEvaluated: 5,
      blockedCount: 1,
      failRate: 20,
      status: 'critical',
    });
    expect(row('block-code')['p95Latency']).toBeGreaterThan(0);
    expect(row('watch')).toMatchObject({ flaggedCount: 1, blockedCount: 0 });
    expect(row('unused')).toMatchObject({ hasData: false, failRate: null, status: 'no_data' });
    const policies = await read('/policies/usage/overview');
    expect(policies).toMatchObject({
      rows: [{ id: 'guarded', type: 'Policy', provider: 'LiteLLM', requestsEvaluated: 5, blockedCount: 1 }],
      totalRequests: 5,
      totalBlocked: 1,
      passRate: 80,
    });
    const decided = await read('/guardrails/usage/logs?guardrail_id=block-code&action=blocked');
    expect(decided).toMatchObject({ total: 1, logs: [{ id: idOf(answers[2]!), action: 'blocked' }] });
  });

  test('and none of what was said, in the rows or anywhere else in the store (D-101)', async () => {
    const all = JSON.stringify(await rows('', 7));
    for (const said of ['Hello there', 'ada@', 'PRJ-', 'this is']) expect(all).not.toContain(said);
    const content = await read(`/spend/logs/ui/${idOf(answers[0]!)}`);
    expect(content).toMatchObject({ messages: {}, response: {}, proxy_server_request: {}, withheld: null });
  });

  test('readiness shows that nothing was lost', async () => {
    const ready = await read('/health/readiness');
    expect(ready['logs']).toMatchObject({
      accepted: 7,
      written: 7,
      queued: 0,
      dropped: { queue_full: 0, too_large: 0, refused: 0, closed: 0 },
      problem: null,
    });
  });
});

describe('a team that wants its prompts stored', () => {
  let key: string;
  beforeAll(async () => {
    const team = (await (
      await gateway.post('/team/new', { team_alias: 'audited', metadata: { store_prompts: true } })
    ).json()) as Body;
    const made = (await (await gateway.post('/key/generate', { team_id: team['team_id'] })).json()) as Body;
    key = made['key'];
  });

  const stored = async (answer: Response): Promise<Body> => {
    const body = await answer.text();
    expect(body).not.toBe('');
    await rows(`request_id=${idOf(answer)}`, 1);
    return read(`/spend/logs/ui/${idOf(answer)}`, key);
  };

  test.each([false, true])(
    'finds question and answer as they went on, masked (stream: %s)',
    async (stream) => {
      const content = await stored(await say('write to ada@example.org', key, { stream }));
      expect(content).toMatchObject({ withheld: null, messages: [{ role: 'user' }] });
      expect(JSON.stringify(content)).not.toContain('ada@');
      expect(content['messages'][0]['content']).toMatch(/^write to .*EMAIL/u);
      expect(content['response']['choices'][0]['message']['content']).toContain('write to');
    },
  );

  test('finds neither question nor answer of a request that is very large, but its row', async () => {
    const content = await stored(await say('word '.repeat(120_000), key));
    expect(content).toMatchObject({ status: 'success', messages: {}, response: {}, withheld: 'too large' });
  });

  test('finds nothing of what a guardrail matched and did not mask (D-101)', async () => {
    for (const said of ['open PRJ-123456 now', 'this is watched']) {
      const content = await stored(await say(said, key));
      expect(content).toMatchObject({
        messages: {},
        response: {},
        withheld: expect.stringContaining('matched by'),
      });
      expect(JSON.stringify(content)).not.toContain(said);
    }
  });
});

test('a record that this process no longer remembers is read from the store', async () => {
  const first = await say('the first of many');
  await first.text();
  for (let number = 0; number < 1_020; number += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => say('one of many')));
    for (const answer of answers) await answer.text();
  }
  await rows(`request_id=${idOf(first)}`, 1);
  const found = await gateway.get(`/debug/requests/${idOf(first)}`);
  expect(found.status).toBe(200);
  expect(await found.json()).toMatchObject({
    call_id: idOf(first),
    end: 'answered',
    guardrails: expect.any(Array),
  });
  const unknown = await gateway.get('/debug/requests/nothing');
  expect(unknown.status).toBe(404);
});

test('disable_spend_logs keeps requests out of the store, and their log lines stay', async () => {
  const silent = await Gateway.start(CONFIG, {}, 'disable_spend_logs: true');
  try {
    const answer = await silent.chat(
      { messages: [{ role: 'user', content: 'hello' }] },
      { authorization: `Bearer ${ADMIN_KEY}` },
    );
    expect(answer.status).toBe(200);
    const ready = (await (await silent.get('/health/readiness', ADMIN_KEY)).json()) as Body;
    expect(ready['logs']).toMatchObject({ accepted: 0, queued: 0, written: 0 });
    await expect.poll(() => silent.log()).toContain(idOf(answer));
  } finally {
    await silent.stop();
  }
});
