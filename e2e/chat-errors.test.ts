import { connect } from 'node:net';
import OpenAI, { APIError, InternalServerError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, eventsOf, Gateway } from './support/gateway.ts';
import {
  answer,
  chunk,
  completion,
  DONE,
  event,
  json,
  LocalUpstream,
  neverAnswers,
  stream,
  textStream,
} from './support/upstream.ts';

const config = (url: string, more = ''): string => `
model_list:
  - model_name: gpt
    litellm_params: { model: openai/upstream-model, api_base: "${url}", api_key: sk-upstream }
  - model_name: plain
    litellm_params: { model: openai/upstream-model, api_base: "${url}", api_key: sk-upstream }
  - model_name: hasty
    litellm_params: { model: openai/upstream-model, api_base: "${url}", api_key: sk-upstream, timeout: 0.2, stream_timeout: 0.2 }
  - model_name: nowhere
    litellm_params: { model: openai/upstream-model, api_base: "http://127.0.0.1:1/v1", api_key: sk-upstream }
guardrails:
  - guardrail_name: block-answer
    litellm_params:
      guardrail: litellm_content_filter
      mode: post_call
      blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]
policies:
  guarded: { guardrails: { add: [block-answer] } }
policy_attachments:
  - { policy: guarded, models: [gpt] }
${more}`;

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

interface Expected {
  readonly status: number;
  readonly code: string;
  readonly type: string;
  readonly param?: string | null;
  readonly message?: RegExp;
}

/** Checks status, body and headers of a refusal, and that its record says the same. */
async function expectRefusal(answer: Response, expected: Expected): Promise<void> {
  const body = (await answer.json()) as { error: Record<string, unknown> };
  expect({ status: answer.status, ...body.error }).toMatchObject({
    status: expected.status,
    code: String(expected.status),
    type: expected.type,
    portcullis_code: expected.code,
    param: expected.param ?? null,
  });
  expect(body.error['message']).toMatch(expected.message ?? /\S/u);
  expect(answer.headers.get('x-litellm-call-id')).toMatch(/^[0-9a-f-]{36}$/u);
  expect(answer.headers.get('x-portcullis-revision')).toMatch(/^\d+$/u);
  expect(answer.headers.get('x-litellm-response-duration-ms')).toMatch(/^[\d.]+$/u);
  expect(await gateway.record(answer)).toMatchObject({ status: expected.status, error_code: expected.code });
}

const invalid = { status: 400, code: 'invalid_request', type: 'invalid_request_error' } as const;

describe('a request that is wrong', () => {
  test.each<[string, string | object, Expected]>([
    ['not JSON', '{"model":', { status: 400, code: 'invalid_json', type: 'invalid_request_error' }],
    ['empty', '', { status: 400, code: 'invalid_json', type: 'invalid_request_error', message: /empty/u }],
    ['no object', '[1]', { ...invalid, message: /object/u }],
    ['without a model', { messages: [{ role: 'user', content: 'x' }] }, { ...invalid, param: 'model' }],
    [
      'with a model that is no text',
      { model: 1, messages: [{ role: 'user', content: 'x' }] },
      { ...invalid, param: 'model' },
    ],
    ['without messages', { model: 'gpt' }, { ...invalid, param: 'messages' }],
    ['with messages that are none', { model: 'gpt', messages: 'x' }, { ...invalid, param: 'messages' }],
    ['with a message that is none', { model: 'gpt', messages: ['x'] }, { ...invalid, param: 'messages[0]' }],
    [
      'with n out of range',
      { model: 'gpt', n: 0, messages: [{ role: 'user', content: 'x' }] },
      { ...invalid, param: 'n' },
    ],
    [
      'with stream as a text',
      { model: 'gpt', stream: 'yes', messages: [{ role: 'user', content: 'x' }] },
      { ...invalid, param: 'stream' },
    ],
    [
      'with fallbacks, which would be ignored',
      { model: 'gpt', fallbacks: ['plain'], messages: [{ role: 'user', content: 'x' }] },
      { ...invalid, param: 'fallbacks' },
    ],
    [
      'with tags that are no list',
      { model: 'gpt', tags: 'a', messages: [{ role: 'user', content: 'x' }] },
      { ...invalid, param: 'tags' },
    ],
    [
      'nested too deeply',
      {
        model: 'gpt',
        messages: [{ role: 'user', content: 'x' }],
        x: JSON.parse('['.repeat(80) + ']'.repeat(80)),
      },
      { status: 400, code: 'json_too_deep', type: 'invalid_request_error', message: /64/u },
    ],
    [
      'for an unknown model',
      { model: 'nope', messages: [{ role: 'user', content: 'x' }] },
      {
        status: 400,
        code: 'model_not_found',
        type: 'invalid_request_error',
        param: 'model',
        message: /nope.*\/v1\/models/u,
      },
    ],
    [
      'naming an unknown guardrail',
      { model: 'gpt', guardrails: ['nope'], messages: [{ role: 'user', content: 'x' }] },
      {
        status: 400,
        code: 'unknown_guardrail',
        type: 'invalid_request_error',
        param: 'guardrails',
        message: /nope/u,
      },
    ],
    [
      'naming an unknown policy',
      { model: 'gpt', policies: ['nope'], messages: [{ role: 'user', content: 'x' }] },
      {
        status: 400,
        code: 'unknown_policy',
        type: 'invalid_request_error',
        param: 'policies',
        message: /nope/u,
      },
    ],
  ])('%s', async (_name, body, expected) => {
    upstream.will(answer('never'));
    await expectRefusal(await gateway.post('/v1/chat/completions', body), expected);
    expect(upstream.calls).toHaveLength(0);
  });

  test('without a key is refused before its body is read', async () => {
    const { port } = new URL(gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      'POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n',
    );
    const text = await new Promise<string>((resolve) => {
      let seen = '';
      socket.on('data', (bytes) => (seen += bytes.toString()));
      socket.on('close', () => resolve(seen));
    });
    expect(text).toMatch(/^HTTP\/1\.1 401 /u);
  });

  test('larger than the limit is refused before it is read', async () => {
    const { port } = new URL(gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    // The body that is announced is never sent: whoever waits for it would hang here.
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n',
    );
    const text = await new Promise<string>((resolve) => {
      let seen = '';
      socket.on('data', (bytes) => (seen += bytes.toString()));
      socket.on('close', () => resolve(seen));
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /u);
    expect(text).toContain('"portcullis_code":"body_too_large"');
  });

  test('larger than the limit, without saying so, is refused while it is read', async () => {
    const { port } = new URL(gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const part = `10000\r\n${' '.repeat(65_536)}\r\n`;
    const text = await new Promise<string>((resolve) => {
      let seen = '';
      const send = (failure?: Error | null): void => {
        if (!failure && !socket.destroyed && seen === '') {
          socket.write(part, (failure) => setImmediate(() => send(failure)));
        }
      };
      socket.on('data', (bytes) => (seen += bytes.toString()));
      socket.on('close', () => resolve(seen));
      send();
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /u);
  });

  test('of another media type is 415', async () => {
    const refused = await gateway.post('/v1/chat/completions', 'x=1', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    await expectRefusal(refused, {
      status: 415,
      code: 'unsupported_media_type',
      type: 'invalid_request_error',
    });
  });

  test('with keys of prototypes is a request like any other', async () => {
    upstream.will(answer('ok'));
    const raw =
      '{"model":"gpt","messages":[{"role":"constructor","content":"Hi","__proto__":{"a":1}}],"__proto__":{"admin":true},"constructor":"x","toString":{"prototype":{}}}';
    expect((await gateway.post('/v1/chat/completions', raw)).status).toBe(200);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });
});

describe('a caller', () => {
  test.each<[string, Record<string, string>, Expected]>([
    [
      'without a key',
      { authorization: '' },
      { status: 401, code: 'authentication_failed', type: 'auth_error', message: /Authentication Error/u },
    ],
    [
      'with a key that does not exist',
      { authorization: 'Bearer sk-nobody' },
      {
        status: 401,
        code: 'key_not_found',
        type: 'token_not_found_in_db',
        message: /Invalid proxy server token passed.*not found in db/u,
      },
    ],
  ])('%s is refused', async (_name, headers, expected) => {
    await expectRefusal(await gateway.chat({}, headers), expected);
  });

  test.each(['x-api-key', 'api-key', 'x-goog-api-key'])('may send the key as %s', async (name) => {
    upstream.will(answer('ok'));
    expect((await gateway.chat({}, { authorization: '', [name]: ADMIN_KEY })).status).toBe(200);
  });

  test('with a virtual key sees and calls its own models only', async () => {
    const made = await gateway.post('/key/generate', { models: ['plain'] });
    const { key } = (await made.json()) as { key: string };
    upstream.will(answer('ok'));
    const list = (await (await gateway.get('/v1/models', key)).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual(['plain']);
    const headers = { authorization: `Bearer ${key}` };
    expect((await gateway.chat({ model: 'plain' }, headers)).status).toBe(200);
    await expectRefusal(await gateway.chat({ model: 'gpt' }, headers), {
      status: 403,
      code: 'model_access_denied',
      type: 'key_model_access_denied',
      param: 'model',
      message: /plain/u,
    });
    expect((await gateway.get('/debug/requests/x', key)).status).toBe(403);
    expect((await gateway.post('/key/generate', {}, headers)).status).toBe(403);
  });
});

describe('a provider that fails', () => {
  test('is not there: 502', async () => {
    await expectRefusal(await gateway.chat({ model: 'nowhere' }), {
      status: 502,
      code: 'upstream_unreachable',
      type: 'upstream_error',
    });
  });

  test.each([false, true])('never answers: 504 after its time (stream: %s)', async (streamed) => {
    upstream.will(neverAnswers);
    await expectRefusal(await gateway.chat({ model: 'hasty', stream: streamed }), {
      status: 504,
      code: 'upstream_timeout',
      type: 'upstream_error',
    });
    await upstream.lastCall.closed;
  });

  test('never answers: the caller can set a shorter time', async () => {
    upstream.will(neverAnswers);
    const late = await gateway.chat({ model: 'gpt' }, { 'x-litellm-timeout': '0.1' });
    await expectRefusal(late, { status: 504, code: 'upstream_timeout', type: 'upstream_error' });
  });

  test.each([
    ['text', json(200, 'not json')],
    ['no completion', json(200, '{"hello":1}')],
    ['a cut answer', json(200, '{"choices":[{"mess')],
    ['an encoding that was not asked for', json(200, 'xx', { 'content-encoding': 'gzip' })],
  ])('answers %s where a guardrail has to read it: 502', async (_name, behaviour) => {
    upstream.will(behaviour);
    await expectRefusal(await gateway.chat({}), {
      status: 502,
      code: 'upstream_invalid',
      type: 'upstream_error',
    });
  });

  test('answers a web page: 502', async () => {
    upstream.will(json(200, '<html>', { 'content-type': 'text/html' }));
    const refused = await gateway.chat({ model: 'plain' });
    await expectRefusal(refused, { status: 502, code: 'upstream_invalid', type: 'upstream_error' });
  });

  test.each([400, 404, 422, 429, 500, 503])('answers %d: passed on with its words', async (status) => {
    const error = { message: 'no such thing', type: 'their_type', param: 'p', code: 'their_code' };
    upstream.will(json(status, { error }, { 'retry-after': '7' }));
    for (const model of ['gpt', 'plain']) {
      const refused = await gateway.chat({ model });
      expect(refused.status).toBe(status);
      expect(await refused.json()).toMatchObject({ error });
      expect(refused.headers.get('retry-after')).toBe('7');
      expect(refused.headers.get('x-litellm-call-id')).not.toBeNull();
      expect(await gateway.record(refused)).toMatchObject({
        status,
        error_code: 'upstream_rejected',
        upstream_status: status,
      });
    }
  });

  test.each([401, 403, 302])(
    'answers %d about our key: 502, so that it does not look like the key of the caller',
    async (status) => {
      upstream.will(json(status, { error: { message: 'bad provider key' } }));
      const refused = await gateway.chat({});
      expect(refused.status).toBe(502);
      expect(await refused.json()).toMatchObject({
        error: { code: '502', portcullis_code: 'upstream_rejected' },
      });
    },
  );

  test('quotes what a guardrail forbids in its error: blocked like an answer', async () => {
    upstream.will(json(400, { error: { message: 'you wrote: forbidden phrase' } }));
    const blocked = await gateway.chat({});
    expect(await blocked.json()).toMatchObject({ error: { type: 'guardrail_violation' } });
  });
});

describe('a stream that breaks', () => {
  const begun = 'A beginning that is long enough to leave the window of any guardrail.';
  const broken: [string, string[], 'end' | 'cut'][] = [
    ['ends without its end mark', [chunk({ content: begun }), chunk({}, 'stop')], 'end'],
    ['is cut', [chunk({ content: begun })], 'cut'],
  ];

  test.each(['gpt', 'plain'].flatMap((model) => broken.map((kind) => [model, ...kind] as const)))(
    '%s: %s',
    async (model, _name, events, then) => {
      upstream.will(stream(events, then));
      const answer = await gateway.chat({ model, stream: true });
      expect(answer.status).toBe(200);
      const seen = await eventsOf(answer);
      expect(seen.at(-1)).toBe('[DONE]');
      expect(JSON.parse(seen.at(-2) ?? '')).toMatchObject({ error: { type: 'upstream_error' } });
      expect(await gateway.record(answer)).toMatchObject({ status: 200, end: 'broken' });
    },
  );

  test.each([
    ['an event that is not JSON', 'data: {"choices":[{\n\n'],
    ['an event that is no chunk', event({ hello: 1 })],
    ['a choice that was not asked for', chunk({ content: 'x' }, null, 3)],
  ])('holds %s: nothing held is released, and the answer says so', async (_name, bad) => {
    upstream.will(stream([chunk({ content: begun }), bad, DONE]));
    const seen = await eventsOf(await gateway.chat({ stream: true }));
    expect(JSON.parse(seen.at(-2) ?? '')).toMatchObject({ error: { portcullis_code: 'upstream_invalid' } });
  });

  test('before anything was sent is a plain error that the SDK may retry', async () => {
    upstream.will(stream([], 'cut'));
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: ADMIN_KEY, maxRetries: 1 });
    const failure = await client.chat.completions
      .create({ model: 'gpt', messages: [{ role: 'user', content: 'Hi' }], stream: true })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InternalServerError);
    expect(upstream.calls).toHaveLength(2);
  });

  test('falls silent: an error after the time of the stream', async () => {
    upstream.will(stream([chunk({ content: begun })], 'hang'));
    const seen = await eventsOf(await gateway.chat({ model: 'hasty', stream: true }));
    expect(JSON.parse(seen.at(-2) ?? '')).toMatchObject({ error: { portcullis_code: 'upstream_timeout' } });
  });

  test('carries an error of the provider: the SDK throws', async () => {
    upstream.will(stream([chunk({ content: begun }), event({ error: { message: 'overloaded' } })]));
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: ADMIN_KEY });
    const events = await client.chat.completions.create({
      model: 'gpt',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
    await expect(
      (async () => {
        for await (const part of events) void part;
      })(),
    ).rejects.toBeInstanceOf(APIError);
  });
});

describe('the other routes', () => {
  test('say that the process lives and is ready', async () => {
    for (const path of ['/health/liveliness', '/health/liveness']) {
      expect(await (await gateway.get(path, null)).json()).toBe("I'm alive!");
    }
    const ready = await gateway.get('/health/readiness', null);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: 'healthy',
      db: 'connected',
      policy: { problem: null },
    });
  });

  test('are listed; an unknown one is 404 and a wrong method 405', async () => {
    const { routes } = (await (await gateway.get('/routes', null)).json()) as { routes: { path: string }[] };
    expect(routes.map(({ path }) => path)).toContain('/v1/chat/completions');
    expect(await (await gateway.get('/nope')).json()).toMatchObject({
      error: { portcullis_code: 'route_not_found' },
    });
    const wrong = await gateway.get('/v1/chat/completions');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
  });

  test('a trailing slash or a query does not lead around the pipeline', async () => {
    upstream.will(answer('a forbidden phrase'));
    for (const path of ['/v1/chat/completions/', '/v1/chat/completions?x=1']) {
      const blocked = await gateway.post(path, { model: 'gpt', messages: [{ role: 'user', content: 'Hi' }] });
      expect(blocked.status).toBe(400);
      await blocked.arrayBuffer();
    }
  });
});

describe('a new configuration', () => {
  test('can be waited for: never is an older revision used', async () => {
    upstream.will(answer('ok'));
    const header = 'x-portcullis-min-revision';
    expect((await gateway.chat({}, { [header]: '1' })).status).toBe(200);
    await expectRefusal(await gateway.chat({}, { [header]: 'x' }), { ...invalid, param: header });
    await expectRefusal(await gateway.chat({}, { [header]: '99' }), {
      status: 503,
      code: 'revision_not_reached',
      type: 'internal_server_error',
    });
  });

  test('is in force for the next request; a broken one keeps the last good one and readiness says why', async () => {
    upstream.will(json(200, completion({ content: 'a forbidden phrase' })));
    const before = await gateway.chat({ model: 'plain' });
    expect([before.status, before.headers.get('x-portcullis-revision')]).toEqual([200, '1']);
    await gateway.reload(config(upstream.url, '  - { policy: guarded, models: [plain] }'));
    const after = await gateway.chat({ model: 'plain' });
    expect([after.status, after.headers.get('x-portcullis-revision')]).toEqual([400, '2']);
    await gateway.reload(config(upstream.url, '  - { policy: no-such-policy, models: [plain] }'));
    expect((await gateway.chat({ model: 'plain' })).status).toBe(400);
    const ready = (await (await gateway.get('/health/readiness')).json()) as { policy: { problem: string } };
    expect(ready.policy.problem).toMatch(/no-such-policy/u);
  });

  test('does not touch a stream that is under way', async () => {
    let finish: (() => void) | null = null;
    upstream.will((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'A beginning that is long enough to leave the window of it all.' }));
      finish = (): void => {
        for (const part of textStream('And its end.')) response.write(part);
        response.end();
      };
    });
    const answer = await gateway.chat({ stream: true });
    await gateway.reload(config(upstream.url));
    (finish as (() => void) | null)?.();
    const seen = await eventsOf(answer);
    // Where the text is cut into pieces is the guardrails' matter.
    const text = seen.map((event) => /"content":"([^"]*)"/u.exec(event)?.[1] ?? '').join('');
    expect(text).toContain('And its end.');
    expect(await gateway.record(answer)).toMatchObject({ end: 'answered' });
  });
});

describe('without its database', () => {
  test('a gateway that never had its policies answers nobody, and no key is taken for unknown', async () => {
    const alone = await Gateway.start(config(upstream.url), {
      DATABASE_URL: 'postgres://nobody:x@127.0.0.1:1/nothing',
    });
    upstream.will(answer('ok'));
    // The configuration alone might lack policies that the database holds.
    for (const key of [ADMIN_KEY, 'sk-some-key']) {
      const unjudged = await alone.chat({}, { authorization: `Bearer ${key}` });
      expect(unjudged.status).toBe(503);
      expect(await unjudged.json()).toMatchObject({ error: { portcullis_code: 'policy_not_ready' } });
    }
    expect(upstream.calls).toEqual([]);
    const refused = await alone.get('/key/info', 'sk-some-key');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      error: { type: 'no_db_connection', portcullis_code: 'identity_unavailable' },
    });
    const ready = (await (await alone.get('/health/readiness', null)).json()) as {
      db: string;
      policy: { state: string; problem: string };
    };
    expect(ready.db).toBe('Not connected');
    expect(ready.policy).toMatchObject({ state: 'database_away', revision: null });
    expect(ready.policy.problem).toContain('the database is away');
    const log = await alone.stopForLog();
    expect(log).toContain('"error_code":"policy_not_ready"');
    expect(log).not.toContain('sk-some-key');
  });
});
