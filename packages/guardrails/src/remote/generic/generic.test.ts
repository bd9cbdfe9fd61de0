import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock, facts, guardrail, input, run, runtimeOf, segment } from '../../../test/kit.ts';
import { createHttp, createRuntime, type HookInput, type RequestFacts } from '../../index.ts';
import { genericWebhook } from './index.ts';
import { endpointOf } from './wire.ts';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of opened.splice(0)) await item.close();
});

/** A real service on loopback, and a guardrail that asks it. */
async function service(
  answer: object | string | ((response: ServerResponse) => void),
  settings: Record<string, unknown> = {},
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ method: request.method, url: request.url, headers: request.headers, body });
      if (typeof answer === 'function') answer(response);
      else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const http = createHttp({ allowHosts: ['127.0.0.1'] });
  opened.push(http, {
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hook = ['pre_call', 'post_call'];
  const runtime = runtimeOf(
    [guardrail('hook', { guardrail: 'generic_guardrail_api', mode: hook, api_base: base, ...settings })],
    [genericWebhook],
    { clock: new FakeClock(), http, hash: () => 'h' },
  );
  const ask = async (segments: HookInput['segments'], more: Partial<HookInput> = {}) =>
    runtime.runHook(input([run('hook')], segments, more));
  return { received, ask, runtime, base };
}

const status =
  (code: number, body = '{"action":"NONE"}') =>
  (response: ServerResponse): void => {
    response.writeHead(code).end(body);
  };

const cut = (response: ServerResponse): void => {
  response.destroy();
};
const half = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('{"action"', () => response.destroy());
};

const identity: RequestFacts = {
  ...facts,
  traceId: 'trace-1',
  keyHash: 'k-hash',
  keyAlias: 'k-alias',
  userId: 'u',
  userEmail: 'u@example.com',
  teamId: 't',
  teamAlias: 'team',
  endUserId: 'end',
  organizationId: 'org',
  headers: {
    'user-agent': 'OpenAI/Python',
    'x-stainless-lang': 'python',
    'x-request-id': 'abc',
    'x-tenant': 'acme',
    authorization: 'Bearer sk-1',
  },
  body: {
    model: 'gpt-4o',
    messages: [
      { role: 'user', content: 'hello' },
      { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function' }] },
    ],
    tools: [{ type: 'function', function: { name: 'f' } }],
  },
};

describe('the path', () => {
  it('is added to an api_base that does not have it', () => {
    const path = 'https://guard.example/beta/litellm_basic_guardrail_api';
    expect(endpointOf('https://guard.example')).toBe(path);
    expect(endpointOf('https://guard.example/')).toBe(path);
    expect(endpointOf(path)).toBe(path);
    expect(endpointOf(`${path}/`)).toBe(path);
    expect(endpointOf('https://guard.example/v1')).toBe(
      'https://guard.example/v1/beta/litellm_basic_guardrail_api',
    );
  });
});

describe('the request', () => {
  it('is the documented JSON, byte for byte', async () => {
    const { ask, received } = await service(
      { action: 'NONE' },
      {
        api_key: 'service-key',
        headers: { 'X-Static': 'yes' },
        extra_headers: ['X-Tenant'],
        additional_provider_specific_params: { threshold: 0.8 },
      },
    );
    await ask([segment('hello'), segment('data:image/png;base64,AA==', { kind: 'images' })], {
      facts: identity,
    });
    const [request] = received;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('/beta/litellm_basic_guardrail_api');
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-api-key': 'service-key',
      'x-static': 'yes',
      'x-tenant': 'acme',
    });
    expect(request?.headers.authorization).toBeUndefined();
    expect(request?.body).toBe(
      '{"texts":["hello"],' +
        '"images":["data:image/png;base64,AA=="],' +
        '"tools":[{"type":"function","function":{"name":"f"}}],' +
        '"tool_calls":[{"id":"c1","type":"function"}],' +
        '"structured_messages":[{"role":"user","content":"hello"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function"}]}],' +
        '"model":"gpt-4o",' +
        '"input_type":"request",' +
        '"request_data":{"user_api_key_hash":"k-hash","user_api_key_alias":"k-alias","user_api_key_user_id":"u",' +
        '"user_api_key_user_email":"u@example.com","user_api_key_team_id":"t","user_api_key_team_alias":"team",' +
        '"user_api_key_end_user_id":"end","user_api_key_org_id":"org"},' +
        '"request_headers":{"user-agent":"OpenAI/Python","x-stainless-lang":"python","x-request-id":"[present]","x-tenant":"acme"},' +
        '"litellm_version":"portcullis-0.1.0",' +
        '"litellm_call_id":"call-1",' +
        '"litellm_trace_id":"trace-1",' +
        '"additional_provider_specific_params":{"threshold":0.8}}',
    );
  });

  it('has the tool calls of an answer, and neither messages nor tools', async () => {
    const { ask, received } = await service({ action: 'NONE' });
    const body = {
      choices: [{ message: { content: 'hi', tool_calls: [{ id: 'c2' }] } }],
      messages: [1],
      tools: [2],
    };
    await ask([segment('hi', { kind: 'assistant' })], {
      hook: 'post_call',
      direction: 'response',
      facts: { ...identity, body },
    });
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      input_type: 'response',
      tools: [],
      structured_messages: [],
      tool_calls: [{ id: 'c2' }],
    });
  });

  it('does not show by the side what was masked before, nor what it is not to scan', async () => {
    const masked = await service({ action: 'NONE' });
    await masked.ask([segment('[W]')], { facts: identity, original: [segment('hello')] });
    const [current, original] = masked.received.map(
      ({ body }) => JSON.parse(body) as { texts: string[]; structured_messages: unknown[] },
    );
    expect(current).toMatchObject({ texts: ['[W]'], structured_messages: [] });
    // C5: it may block on the original all the same.
    expect(original?.texts).toEqual(['hello']);
    const narrow = await service({ action: 'NONE' }, { scan: ['user'] });
    await narrow.ask([segment('hi'), segment('system', { kind: 'system' })], { facts: identity });
    expect(JSON.parse(narrow.received[0]?.body ?? '')).toMatchObject({
      texts: ['hi'],
      structured_messages: [],
    });
  });

  it('has the allow-listed parameters of the caller among the specific ones (O5)', async () => {
    const { runtime, received } = await service(
      { action: 'NONE' },
      { additional_provider_specific_params: { a: 1, b: 1 } },
    );
    await runtime.runHook(input([run('hook', { params: { b: 2 } })], [segment('x')]));
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      additional_provider_specific_params: { a: 1, b: 2 },
    });
  });
});

describe('the answer', () => {
  it('NONE lets the content pass', async () => {
    const { ask } = await service({ action: 'NONE', whatever: true });
    const result = await ask([segment('x')]);
    expect(result.verdict).toBe('allow');
    expect(result.records[0]).toMatchObject({
      outcome: 'clean',
      guardrail_provider: 'generic_guardrail_api',
      guardrail_response: { action: 'NONE' },
    });
  });

  it('BLOCKED blocks with the reason as the message, which stays out of the record (D-101)', async () => {
    const { ask } = await service({ action: 'BLOCKED', blocked_reason: 'You wrote "my secret".' });
    const result = await ask([segment('my secret')]);
    expect(result.block).toMatchObject({ type: 'guardrail_violation', message: 'You wrote "my secret".' });
    expect(JSON.stringify(result.records)).not.toContain('secret');
    expect(result.records[0]?.reason).toBe('blocked by the service');
  });

  it('GUARDRAIL_INTERVENED replaces the texts in order', async () => {
    const { ask } = await service({ action: 'GUARDRAIL_INTERVENED', texts: ['[1]', 'two'] });
    const result = await ask([segment('one'), segment('img', { kind: 'images' }), segment('two')]);
    expect(result.verdict).toBe('mask');
    expect(result.segments.map(({ text }) => text)).toEqual(['[1]', 'img', 'two']);
    expect(result.edited).toEqual([0]);
    expect(result.records[0]).toMatchObject({ outcome: 'masked', masked_entity_count: { webhook: 1 } });
  });

  it('GUARDRAIL_INTERVENED with the same texts changes nothing', async () => {
    const { ask } = await service({ action: 'GUARDRAIL_INTERVENED', texts: ['one'] });
    expect((await ask([segment('one')])).verdict).toBe('allow');
  });

  it.each([
    ['another number of texts', { action: 'GUARDRAIL_INTERVENED', texts: ['a', 'b'] }, 'fault'],
    ['an intervention without texts', { action: 'GUARDRAIL_INTERVENED' }, 'fault'],
    ['changed images', { action: 'GUARDRAIL_INTERVENED', texts: ['x'], images: ['new'] }, 'undeliverable'],
    [
      'changed messages alone',
      { action: 'GUARDRAIL_INTERVENED', structured_messages: [{ role: 'user' }] },
      'undeliverable',
    ],
    ['an unknown action', { action: 'ALLOW' }, 'fault'],
    ['no action', {}, 'fault'],
    ['garbage', '<html>', 'fault'],
    ['nothing', '', 'fault'],
    ['a list', '[]', 'fault'],
    ['texts of another type', { action: 'GUARDRAIL_INTERVENED', texts: [1] }, 'fault'],
    ['status 500', status(500), 'fault'],
    ['status 401', status(401), 'fault'],
    ['status 204', status(204, ''), 'fault'],
    ['a redirect', status(307), 'fault'],
    ['status 502', status(502), 'unreachable'],
    ['status 503', status(503), 'unreachable'],
    ['status 504', status(504), 'unreachable'],
    ['a cut connection', cut, 'unreachable'],
    ['half an answer', half, 'unreachable'],
  ] as const)('%s is no verdict (E1)', async (_, answer, errorClass) => {
    const { ask } = await service(answer);
    const result = await ask([segment('x')]);
    expect(result.verdict).toBe('block');
    expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: errorClass });
    expect(result.block?.type).toBe('guardrail_error');
  });

  it.each([
    ['hangs', () => {}],
    [
      'dribbles',
      (response: ServerResponse) => {
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('of a service that %s is unreachable after the timeout', async (_, answer) => {
    const { ask } = await service(answer, { timeout: 0.05 });
    const result = await ask([segment('x')]);
    expect(result.records[0]).toMatchObject({ error_class: 'unreachable', reason: 'no answer within 50 ms' });
  });

  it('is let go only for the classes the guardrail names (unreachable_fallback, fail_on_error)', async () => {
    const open = { unreachable_fallback: 'FAIL_OPEN' };
    expect((await (await service(status(503), open)).ask([segment('x')])).verdict).toBe('allow');
    expect((await (await service(status(500), open)).ask([segment('x')])).verdict).toBe('block');
    const all = { fail_on_error: false };
    expect((await (await service(status(500), all)).ask([segment('x')])).verdict).toBe('allow');
    const blocked = { action: 'BLOCKED', blocked_reason: 'r' };
    expect((await (await service(blocked, all)).ask([segment('x')])).verdict).toBe('block');
  });

  it('cannot rewrite in during_call (P7)', async () => {
    const { runtime } = await service(
      { action: 'GUARDRAIL_INTERVENED', texts: ['y'] },
      { mode: ['during_call'] },
    );
    const result = await runtime.runHook(input([run('hook')], [segment('x')], { hook: 'during_call' }));
    expect(result.records[0]).toMatchObject({ error_class: 'undeliverable', verdict: 'block' });
  });
});

describe('the configuration', () => {
  const findings = (settings: Record<string, unknown>) => {
    const made = createRuntime(
      [
        guardrail('hook', {
          guardrail: 'generic_guardrail_api',
          api_base: 'https://guard.example',
          ...settings,
        }),
      ],
      [genericWebhook],
      { clock: new FakeClock(), http: createHttp(), hash: () => 'h' },
    );
    return made.ok ? [] : made.findings.map(({ path }) => path.slice(3).join('.'));
  };

  it('is refused when it cannot work', () => {
    expect(findings({})).toEqual([]);
    expect(findings({ api_base: 'guard.example' })).toEqual(['api_base']);
    expect(findings({ api_base: undefined })).toEqual(['api_base']);
    expect(findings({ extra_headers: ['Authorization'] })).toEqual(['extra_headers.0']);
    expect(findings({ headers: { 'a b': 'x' } })).toEqual(['headers.a b']);
    expect(findings({ api_key: 'a\r\nb' })).toEqual(['api_key']);
    expect(findings({ unreachable_fallbak: 'fail_open' })).toEqual(['unreachable_fallbak']);
  });
});
