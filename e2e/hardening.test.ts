// What every answer and every request of the control plane is held to, whoever asks.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gateway } from './support/gateway.ts';

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
`;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
});
afterAll(() => gateway.stop());

describe('security headers', () => {
  test.each([
    ['a good answer', '/policies/list', 200],
    ['a refusal', '/policies/nothing', 404],
    ['an unknown route', '/no/such/route', 404],
    ['a path that cannot be decoded', '/policies/%ff', 404],
    ['a method that is not there', '/login', 405],
    ['health', '/health/liveness', 200],
    ['the models', '/v1/models', 200],
    ['the description', '/openapi.json', 200],
    ['a page', '/docs', 200],
  ])('are on %s', async (_what, path, status) => {
    const answer = await gateway.get(path);
    expect(answer.status).toBe(status);
    const { headers } = answer;
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/u);
    expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe|https?:|\*/u);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.has('strict-transport-security')).toBe(false);
    expect(headers.has('server')).toBe(false);
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test('keep browsers on https where they came by it', async () => {
    const answer = await fetch(`${gateway.url}/health/liveness`, {
      headers: { 'x-forwarded-proto': 'https' },
    });
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
  });
});

describe('a body', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const post = async (path: string, body: string, key = true): Promise<[number, string]> => {
    const answer = await gateway.post(path, body, key ? {} : { authorization: '' });
    const told = (await answer.json()) as { error: { portcullis_code: string } };
    return [answer.status, told.error.portcullis_code];
  };

  test.each([['/policies'], ['/team/new'], ['/login'], ['/user/new']])(
    'of %s is refused when it is too deep, broken, or no object',
    async (path) => {
      expect(await post(path, nested(65))).toEqual([400, 'json_too_deep']);
      expect(await post(path, '{"a":')).toEqual([400, 'invalid_json']);
      expect(await post(path, '[]')).toEqual([422, 'unprocessable']);
      expect(await post(path, '"text"')).toEqual([422, 'unprocessable']);
      expect(await post(path, 'null')).toEqual([422, 'unprocessable']);
    },
  );

  test('is refused when it is larger than 10 MiB, or than 64 KiB where nobody has to be known', async () => {
    expect(await post('/policies', JSON.stringify('x'.repeat(10 * 1024 * 1024)))).toEqual([
      413,
      'body_too_large',
    ]);
    expect(await post('/login', JSON.stringify('x'.repeat(64 * 1024)))).toEqual([413, 'body_too_large']);
  });

  test('of a stranger is not looked at', async () => {
    expect(await post('/policies', nested(65), false)).toEqual([401, 'authentication_failed']);
    expect(await post('/policies', 'no json', false)).toEqual([401, 'authentication_failed']);
  });

  test('that is wrong is told with the path of each fault', async () => {
    const problemsOf = async (path: string, body: object): Promise<Map<string, string>> => {
      const answer = await gateway.post(path, body);
      expect(answer.status).toBe(422);
      const { detail } = (await answer.json()) as { detail: { loc: unknown[]; msg: string }[] };
      return new Map(detail.map(({ loc, msg }) => [loc.join('.'), msg]));
    };
    const policy = { policy_name: 'p', guardrails_add: ['a', 7], conditon: {} };
    const problems = await problemsOf('/policies', policy);
    expect([...problems.keys()].toSorted()).toEqual(['body.conditon', 'body.guardrails_add.1']);
    expect(problems.get('body.conditon')).toContain('did you mean "condition"?');
    // Of a field with two forms, the fault inside the one that was meant.
    const attachment = { policy_name: 'p', tags: { any: ['a', 7] } };
    expect([...(await problemsOf('/policies/attachments', attachment)).keys()]).toEqual(['body.tags.any.1']);
  });
});
