import { expect, test } from 'vitest';
import { ApiError, createClient } from './client.ts';

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  const sent: Sent[] = [];
  const call = createClient({
    baseUrl: 'https://gateway.example/',
    key: () => 'sk-1',
    fetch: async (url, init) => {
      sent.push({ url, ...init });
      return { status, headers: { get: (name) => headers[name] ?? null }, text: async () => body };
    },
  });
  return { sent, call };
}

test('a call sends its path, query, body and conditions as the gateway reads them', async () => {
  const { sent, call } = answering(200, '{}');
  await call('PUT /policies/:policy_id', {
    params: { policy_id: 'a b/ü' },
    body: { description: null },
    ifMatch: 7,
    idempotencyKey: 'once',
    minRevision: 6,
  });
  await call('DELETE /policies/:policy_id', { params: { policy_id: 'p' }, query: { dry_run: 'true' } });
  await call('GET /policies/list');
  expect(sent).toMatchObject([
    {
      url: 'https://gateway.example/policies/a%20b%2F%C3%BC',
      method: 'PUT',
      body: '{"description":null}',
      headers: {
        authorization: 'Bearer sk-1',
        'content-type': 'application/json',
        'if-match': '7',
        'idempotency-key': 'once',
        'x-portcullis-min-revision': '6',
      },
    },
    { url: 'https://gateway.example/policies/p?dry_run=true', method: 'DELETE' },
    { url: 'https://gateway.example/policies/list', method: 'GET' },
  ]);
  expect(sent[2]?.headers).not.toHaveProperty('content-type');
});

test('a good answer comes with its revision, its call id and whether it was kept from an earlier try', async () => {
  const { call } = answering(200, '{"policies":[],"total_count":0,"next":null}', {
    'x-portcullis-revision': '12',
    'x-litellm-call-id': 'c-1',
    'idempotent-replayed': 'true',
  });
  expect(await call('GET /policies/list', { query: { limit: 5 } })).toEqual({
    status: 200,
    body: { policies: [], total_count: 0, next: null },
    revision: 12,
    callId: 'c-1',
    replayed: true,
  });
});

test('a refusal is an ApiError with the code of the catalogue, the next step and everything else it holds', async () => {
  const error = { message: 'stale', type: 'x', param: null, code: '412', portcullis_code: 'revision_stale' };
  const body = { detail: 'stale', error: { ...error, next_step: 'Read again.', revision: 9 } };
  const { call } = answering(412, JSON.stringify(body), { 'x-litellm-call-id': 'c-2' });
  const thrown: unknown = await call('POST /policies', { body: { policy_name: 'p' } }).catch(
    (e: unknown) => e,
  );
  expect(thrown).toBeInstanceOf(ApiError);
  expect(thrown).toMatchObject({
    code: 'revision_stale',
    status: 412,
    message: 'stale',
    nextStep: 'Read again.',
    fields: { revision: 9 },
    problems: [],
    callId: 'c-2',
  });
});

test('wrong fields are told one by one', async () => {
  const detail = [{ loc: ['body', 'policy_name'], msg: 'a name must not be empty', type: 'custom' }];
  const { call } = answering(422, JSON.stringify({ detail, error: { portcullis_code: 'unprocessable' } }));
  await expect(call('POST /policies', { body: { policy_name: '' } })).rejects.toMatchObject({
    code: 'unprocessable',
    problems: detail,
  });
});

test('an answer of something else, and no answer at all, have codes of their own', async () => {
  const { call } = answering(502, '<html>Bad gateway</html>');
  await expect(call('GET /audit/verify')).rejects.toMatchObject({ code: 'not_understood', status: 502 });
  const away = createClient({ fetch: () => Promise.reject(new Error('ECONNREFUSED')) });
  await expect(away('GET /audit/verify')).rejects.toMatchObject({ code: 'unreachable', status: 0 });
});

test('a path is never filled with a segment that would be another route', async () => {
  const { call, sent } = answering(200, '{}');
  for (const policy_id of ['', '.', '..']) {
    await expect(call('GET /policies/:policy_id', { params: { policy_id } })).rejects.toThrow(TypeError);
  }
  expect(sent).toEqual([]);
});

test('the types refuse what a route does not take', () => {
  const { call } = answering(200, '{}');
  const wrong = [
    // @ts-expect-error -- no such route
    () => call('GET /policies/lists'),
    // @ts-expect-error -- the path needs a policy_id
    () => call('GET /policies/:policy_id'),
    // @ts-expect-error -- a body is needed
    () => call('POST /policies'),
    // @ts-expect-error -- no such field
    () => call('POST /policies', { body: { policy_name: 'p', gaurdrails_add: [] } }),
    // @ts-expect-error -- the route takes no query
    () => call('GET /audit/verify', { query: { limit: 1 } }),
    async () => {
      const { body } = await call('GET /policies/list');
      const status: 'draft' | 'published' | 'production' | undefined = body.policies[0]?.version_status;
      // @ts-expect-error -- no such field in an answer
      return [status, body.policies[0]?.gaurdrails_add];
    },
  ];
  expect(wrong).toHaveLength(6);
});
