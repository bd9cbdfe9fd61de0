// Responses that a provider keeps, read again by their id (D-87): guarded by everything that guarded the request.
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';
import { json, LocalUpstream } from './support/upstream.ts';

const CONFIG = (url: string): string => `
model_list:
  - model_name: gpt
    litellm_params: { model: openai/up, api_base: "${url}", api_key: sk-upstream }
  - model_name: open
    litellm_params: { model: openai/up, api_base: "${url}", api_key: sk-upstream }
router_settings:
  model_group_alias: { nick: open }
guardrails:
  - guardrail_name: mask-mail
    litellm_params:
      guardrail: litellm_content_filter
      mode: post_call
      patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]
  - guardrail_name: block-word
    litellm_params:
      guardrail: litellm_content_filter
      mode: post_call
      blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]
policies:
  masked: { guardrails: { add: [mask-mail] } }
  strict: { guardrails: { add: [block-word] } }
policy_attachments:
  - { policy: masked, models: [gpt, nick] }
  - { policy: strict, tags: [strict] }
`;

let upstream: LocalUpstream;
let gateway: Gateway;
let client: OpenAI;
let made = 0;
beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(CONFIG(upstream.url));
  client = new OpenAI({ apiKey: ADMIN_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const stored = (id: string, status: string, text: string | null): object => ({
  id,
  object: 'response',
  created_at: 1,
  status,
  model: 'up',
  background: true,
  output:
    text === null
      ? []
      : [
          {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text, annotations: [] }],
          },
        ],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
});

/** Makes a response in the background, and lets the provider keep this text as its answer. */
async function make(model: string, text: string, more: object = {}): Promise<string> {
  made += 1;
  const id = `resp_kept_${made}`;
  upstream.will(json(200, stored(id, 'queued', null)));
  const answer = await gateway.post('/v1/responses', { model, input: 'Hi', background: true, ...more });
  expect([answer.status, ((await answer.json()) as { id: string }).id]).toEqual([200, id]);
  upstream.will(json(200, stored(id, 'completed', text)));
  return id;
}

describe('a response that is read again', () => {
  test('is asked of the provider that keeps it, and masked', async () => {
    const id = await make('gpt', 'write to ann@example.org');
    const response = await client.responses.retrieve(id);
    expect(response.output_text).toBe('write to [EMAIL_REDACTED]');
    expect(upstream.lastCall.path).toBe(`/v1/responses/${id}`);
  });

  test('is guarded by the name of the model as it was asked for, and by tags of the request', async () => {
    const byAlias = await make('nick', 'write to ann@example.org');
    expect((await client.responses.retrieve(byAlias)).output_text).toBe('write to [EMAIL_REDACTED]');
    const byTag = await make('open', 'the forbidden phrase', { tags: ['strict'] });
    const answer = await gateway.get(`/responses/${byTag}`);
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('guardrail_violation'),
    ]);
    expect(answer.headers.get('x-litellm-applied-policies')).toBe('strict');
  });

  test('passes as it is where no guardrail reads it', async () => {
    const id = await make('open', 'the forbidden phrase');
    expect((await client.responses.retrieve(id)).output_text).toBe('the forbidden phrase');
  });

  test('is counted once, when it was made', async () => {
    const id = await make('gpt', 'fine');
    const answer = await gateway.get(`/v1/responses/${id}`);
    await answer.arrayBuffer();
    expect((await gateway.record(answer)).usage).toBeNull();
  });
});

describe('what is refused', () => {
  test('a response that was not made here, and one that the provider was told not to keep', async () => {
    expect((await gateway.get('/v1/responses/resp_elsewhere')).status).toBe(404);
    const id = await make('gpt', 'x', { store: false });
    expect((await gateway.get(`/v1/responses/${id}`)).status).toBe(404);
  });

  test('the response of another key', async () => {
    const id = await make('gpt', 'x');
    const key = (await (await gateway.post('/key/generate', { models: ['gpt'] })).json()) as { key: string };
    const answer = await gateway.get(`/v1/responses/${id}`, key.key);
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('not_found')]);
  });

  test('a stream that begins in the middle, and its items as they came in', async () => {
    const id = await make('gpt', 'x');
    expect((await gateway.get(`/v1/responses/${id}?starting_after=3`)).status).toBe(400);
    expect((await gateway.get(`/v1/responses/${id}/input_items`)).status).toBe(404);
  });

  test('without a key', async () => {
    expect((await gateway.get('/v1/responses/resp_x', null)).status).toBe(401);
  });
});

test('a response is cancelled and deleted at the provider', async () => {
  const id = await make('gpt', 'mail ann@example.org');
  const cancelled = JSON.stringify((await client.responses.cancel(id)).output);
  expect(cancelled).toContain('mail [EMAIL_REDACTED]');
  expect(upstream.lastCall.path).toBe(`/v1/responses/${id}/cancel`);
  upstream.will(json(200, { id, object: 'response', deleted: true }));
  await client.responses.delete(id);
  expect(upstream.lastCall.path).toBe(`/v1/responses/${id}`);
  expect((await gateway.get(`/v1/responses/${id}`)).status).toBe(404);
});
