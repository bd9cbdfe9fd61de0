// Models of the API, through the real server: called without a restart, encrypted, masked, and merged with the file's.
import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Browser } from './support/browser.ts';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';
import { LocalUpstream } from './support/upstream.ts';

const SECRET = 'sk-upstream-secret-0123456789';

const config = (upstream: string): string => `
model_list:
  - model_name: from-file
    litellm_params: { model: mock/mock-1 }
    model_info: { id: file-1 }
  - model_name: shared
    litellm_params: { model: openai/of-the-file, api_base: "${upstream}", api_key: sk-of-the-file }
guardrails:
  - guardrail_name: words
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: forbidden, action: BLOCK }]
`;

let upstream: LocalUpstream;
let gateway: Gateway;
beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(config(upstream.url), { LEAK: 'value-of-the-environment' });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

type Body = Record<string, unknown> & { readonly litellm_params: Record<string, unknown> };

let made = 0;
let name = '';
beforeEach(() => {
  made += 1;
  name = `model-${made}`;
});

async function create(over: Record<string, unknown> = {}, info: object | null = null): Promise<Body> {
  const answer = await gateway.post('/model/new', {
    model_name: name,
    litellm_params: { model: 'openai/gpt-5', api_base: upstream.url, api_key: SECRET, ...over },
    ...(info === null ? {} : { model_info: info }),
  });
  const body = (await answer.json()) as Body;
  if (answer.status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

const chat = (model: string, text = 'Hi'): Promise<Response> =>
  gateway.chat({ model, messages: [{ role: 'user', content: text }] });

async function infoOf(id: string, key = ADMIN_KEY): Promise<Body | undefined> {
  const answer = await gateway.get('/model/info', key);
  const { data } = (await answer.json()) as { data: (Body & { model_info: { id: string } })[] };
  return data.find(({ model_info }) => model_info.id === id);
}

async function refusal(path: string, body: object): Promise<[number, string, string]> {
  const answer = await gateway.post(path, body);
  const { error } = (await answer.json()) as { error: { portcullis_code: string; param: string } };
  return [answer.status, error.portcullis_code, error.param];
}

describe('a new model', () => {
  test('is called with its own key at once, without a restart, and is listed', async () => {
    await create();
    const before = upstream.calls.length;
    expect((await chat(name)).status).toBe(200);
    const [request] = upstream.calls.slice(before);
    expect(request?.headers['authorization']).toBe(`Bearer ${SECRET}`);
    expect(request?.body).toMatchObject({ model: 'gpt-5' });
    const listed = (await (await gateway.get('/v1/models')).json()) as { data: { id: string }[] };
    expect(listed.data.map(({ id }) => id)).toEqual(expect.arrayContaining([name, 'from-file']));
  });

  test('joins the group of its name in the configuration file', async () => {
    name = 'shared';
    const { model_id } = await create({ model: 'openai/of-the-database', weight: 1 });
    const before = upstream.calls.length;
    for (let call = 0; call < 40; call += 1) await (await chat('shared')).arrayBuffer();
    const called = new Set(upstream.calls.slice(before).map(({ body }) => body['model']));
    expect(called).toEqual(new Set(['of-the-database', 'of-the-file']));
    await gateway.post('/model/delete', { id: model_id });
  });

  test('may ask for guardrails of its own, and is refused for one that does not exist', async () => {
    await create({ guardrails: ['words'] });
    expect((await chat(name, 'something forbidden')).status).toBe(400);
    expect((await chat(name, 'something else')).status).toBe(200);
    const unknown = { model: 'mock/mock-1', guardrails: ['nothing'] };
    const [status, code] = await refusal('/model/new', { model_name: 'odd', litellm_params: unknown });
    expect([status, code]).toEqual([422, 'unprocessable']);
    expect((await chat('odd')).status).toBe(400);
  });

  test('takes an id that is free, and says what has no effect here', async () => {
    const body = await create({ rpm: 5 }, { id: `own-${made}`, note: 'mine' });
    expect(body).toMatchObject({
      model_id: `own-${made}`,
      model_info: { id: `own-${made}`, note: 'mine', db_model: true },
      ignored_settings: ['litellm_params.rpm'],
    });
    const again = { model_name: 'x', litellm_params: { model: 'mock/x' }, model_info: { id: `own-${made}` } };
    expect(await refusal('/model/new', again)).toEqual([409, 'name_taken', 'model_info.id']);
    const file = { ...again, model_info: { id: 'file-1' } };
    expect(await refusal('/model/new', file)).toEqual([400, 'defined_in_config', 'id']);
  });

  test.each([
    ['no model', {}, 'litellm_params.model'],
    ['an unknown provider', { model: 'nobody/x' }, 'litellm_params.model'],
    ['an address that is none', { model: 'openai/x', api_base: 'nowhere' }, 'litellm_params.api_base'],
    ['a misspelt setting', { model: 'openai/x', api_kye: 'x' }, 'litellm_params.api_kye'],
    ['a mask', { model: 'openai/x', api_key: 'sk-1****' }, 'litellm_params.api_key'],
    ['a variable', { model: 'openai/x', api_key: 'os.environ/LEAK' }, 'litellm_params.api_key'],
    [
      'a variable in a header',
      { model: 'openai/x', headers: { a: 'os.environ/LEAK' } },
      'litellm_params.headers.a',
    ],
  ])('with %s is refused with the path of the fault', async (_what, litellm_params, path) => {
    const [status, code, param] = await refusal('/model/new', { model_name: 'bad', litellm_params });
    expect([status, code, param]).toEqual([422, 'unprocessable', path]);
  });
});

describe('a changed model', () => {
  test('keeps its secret when the mask comes back, and everything that was not given', async () => {
    const { model_id, litellm_params } = await create({ temperature: 0.5, timeout: 7 });
    expect(litellm_params['api_key']).toBe('sk-u****');
    const updated = await gateway.post('/model/update', {
      model_info: { id: model_id },
      litellm_params: { ...litellm_params, temperature: 0.1, timeout: null },
    });
    const body = (await updated.json()) as Body;
    expect(body.litellm_params).toEqual({
      model: 'openai/gpt-5',
      api_base: upstream.url,
      api_key: 'sk-u****',
      temperature: 0.1,
    });
    const before = upstream.calls.length;
    await (await chat(name)).arrayBuffer();
    const [request] = upstream.calls.slice(before);
    expect(request?.headers['authorization']).toBe(`Bearer ${SECRET}`);
    expect(request?.body).toMatchObject({ temperature: 0.1 });
  });

  test('sends a secret to no other address unless it is entered again', async () => {
    const { model_id } = await create();
    const elsewhere = { api_base: 'https://evil.example/v1' };
    const [status, , param] = await refusal('/model/update', { model_id, litellm_params: elsewhere });
    expect([status, param]).toEqual([422, 'litellm_params.api_key']);
    const provider = { model: 'groq/x' };
    expect((await refusal('/model/update', { model_id, litellm_params: provider }))[0]).toBe(422);
    const entered = { ...elsewhere, api_key: 'sk-entered-again-01' };
    expect((await gateway.post('/model/update', { model_id, litellm_params: entered })).status).toBe(200);
  });

  test('goes by its new name at once', async () => {
    const { model_id } = await create();
    await gateway.post('/model/update', { model_id, model_name: `${name}-new` });
    expect((await chat(`${name}-new`)).status).toBe(200);
    expect((await chat(name)).status).toBe(400);
  });

  test.each([
    ['/model/update', { model_id: 'file-1', model_name: 'x' }, 400],
    ['/model/delete', { id: 'file-1' }, 400],
    ['/model/update', { model_id: 'nowhere', model_name: 'x' }, 404],
    ['/model/delete', { id: 'nowhere' }, 404],
    ['/model/update', { model_name: 'x' }, 422],
  ])('%s %j answers %i', async (path, body, status) => {
    expect((await refusal(path, body))[0]).toBe(status);
  });
});

test('a deleted model is called no more', async () => {
  const { model_id } = await create();
  expect((await chat(name)).status).toBe(200);
  const answer = await gateway.post('/model/delete', { id: model_id });
  expect(answer.headers.get('x-portcullis-revision')).toMatch(/^\d+$/u);
  expect((await chat(name)).status).toBe(400);
  expect(await infoOf(String(model_id))).toBeUndefined();
});

describe('who sees what', () => {
  test('administrators see settings with masked secrets and the origin, others the provider alone', async () => {
    const { model_id } = await create({ extra_headers: { 'x-tenant': 'tenant-secret-7' }, timeout: 9 });
    expect(await infoOf(String(model_id))).toMatchObject({
      model_name: name,
      litellm_params: {
        model: 'openai/gpt-5',
        timeout: 9,
        api_key: 'sk-u****',
        extra_headers: { 'x-tenant': 'tena****' },
      },
      model_info: { db_model: true },
    });
    expect(await infoOf('file-1')).toMatchObject({ model_info: { db_model: false } });
    await gateway.post('/user/new', { user_id: 'plain', auto_create_key: false });
    const made = (await (await gateway.post('/key/generate', { user_id: 'plain' })).json()) as {
      key: string;
    };
    expect((await infoOf(String(model_id), made.key))?.litellm_params).toEqual({
      model: 'openai/gpt-5',
      weight: 1,
    });
  });

  test('a session sees them, and a key of the data plane too', async () => {
    const browser = new Browser(gateway.url, '192.0.2.1');
    await browser.login({ key: ADMIN_KEY });
    expect((await browser.get('/v1/model/info')).status).toBe(200);
    expect((await browser.get('/model/info?litellm_model_id=file-1')).status).toBe(200);
    expect((await browser.get('/model/info?litellm_model_id=nowhere')).status).toBe(404);
    const made = (await (await gateway.post('/key/generate', { key_type: 'llm_api' })).json()) as {
      key: string;
    };
    expect((await gateway.get('/model/info', made.key)).status).toBe(200);
  });
});

test('no secret is in an answer, the log, the audit log or the data directory', async () => {
  const secret = 'sk-very-secret-key-of-a-provider';
  const { model_id } = await create({ api_key: secret, headers: { 'x-pin': 'pin-7712345678' } });
  await gateway.post('/model/update', { model_id, litellm_params: { api_key: `${secret}-2` } });
  const audit = await (await gateway.get('/audit/log?limit=50')).text();
  expect(audit).toContain('"action":"model.create"');
  expect(audit).toContain('"action":"model.update"');
  const seen = [audit, await (await gateway.get('/model/info')).text(), gateway.log()];
  const files = readdirSync(gateway.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(10);
  for (const { parentPath, name } of files) seen.push(readFileSync(`${parentPath}/${name}`, 'latin1'));
  expect(seen.filter((text) => text.includes(secret) || text.includes('pin-7712345678'))).toEqual([]);
});

test('models are there again after a restart', async () => {
  await create();
  await gateway.restart();
  expect((await chat(name)).status).toBe(200);
});
