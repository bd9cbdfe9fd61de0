// The commands that talk to a running gateway, and the one that prepares its database.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, readEnvironment, type RunningServer, startServer } from '@portcullis/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../src/cli.ts';
import { makeOutput } from '../src/output.ts';

/** Making a database of one's own takes its time on a busy machine. */
const PATIENCE_MS = 120_000;
const ADMIN = 'sk-cli-admin-key';
const SECRET = 'hush-0123456789abcdef';
const CONFIG = `model_list:
  - model_name: gpt-4o
    litellm_params: {model: mock/gpt-4o}
guardrails:
  - guardrail_name: words
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: forbidden, action: BLOCK }]
policies:
  base: { guardrails: [words] }
policy_attachments:
  - { policy: base, scope: "*" }
general_settings:
  master_key: ${ADMIN}
`;

const folder = mkdtempSync(join(tmpdir(), 'portcullis-remote-'));
const configFile = join(folder, 'config.yaml');
let server: RunningServer;

beforeAll(async () => {
  writeFileSync(configFile, CONFIG);
  server = await startServer({
    configFile,
    port: 0,
    host: '127.0.0.1',
    dataDir: join(folder, 'data'),
    logLevel: 'silent',
    env: readEnvironment({}),
  });
}, PATIENCE_MS);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function cli(...argv: string[]) {
  const written = { out: '', err: '' };
  const output = makeOutput(
    { write: (text) => (written.out += text) },
    { write: (text) => (written.err += text) },
    false,
  );
  return { code: await run(argv, output), ...written };
}
const remote = (...argv: string[]) => cli(...argv, '--url', `${server.url}/`, '--key', ADMIN);

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

test('a key is made, listed and deleted', async () => {
  const made = await remote('keys', 'generate', '--alias', 'ci', '--tag', 'a', 'b', '--duration', '1h');
  expect(made.code).toBe(0);
  expect(made.out).toMatch(/^sk-\S{20,}\n$/u);
  expect(made.err).toContain('once only');
  const listed = await remote('keys', 'list', '--alias', 'ci');
  expect(listed.out).toMatch(/^ALIAS +KEY .*\nci +sk-\.\.\./u);
  expect(listed.out).not.toContain(made.out.trim());
  const json = JSON.parse((await remote('keys', 'list', '--json', '--alias', 'ci')).out);
  expect(json).toMatchObject({ total_count: 1, keys: [{ key_alias: 'ci' }] });
  const deleted = await remote('keys', 'delete', made.out.trim());
  expect(deleted).toMatchObject({ code: 0, err: '' });
  expect(deleted.out).toMatch(/^deleted sk-\.\.\.\S{4}\n$/u);
  const again = await remote('keys', 'delete', '--alias', 'ci');
  expect(again.code).toBe(1);
  expect(again.err).toContain('POST ');
  expect(again.err).toContain('(404): Keys not found, nothing was deleted: ci');
});

test('what cannot be asked is said in plain words', async () => {
  expect((await remote('keys', 'delete')).err).toContain('nothing to delete');
  const denied = await cli('keys', 'list', '--url', server.url, '--key', 'sk-nobody');
  expect(denied.code).toBe(1);
  expect(denied.err).toMatch(/^portcullis: GET http:\S+\/key\/list was refused \(401\): /u);
  expect(denied.err).not.toContain('sk-nobody');
  const away = await cli('keys', 'list', '--url', 'http://127.0.0.1:1', '--key', 'sk-x');
  expect(away.err).toContain('name another with --url');
  expect((await cli('export', '--url', 'ftp://x', '--key', 'sk-x')).err).toContain('ftp://x is no address');
  expect(await remote('keys', 'lst')).toMatchObject({ code: 1 });
});

test('without options the environment says where and who', async () => {
  vi.stubEnv('PORTCULLIS_URL', server.url);
  vi.stubEnv('PORTCULLIS_API_KEY', ADMIN);
  expect((await cli('keys', 'list')).code).toBe(0);
  vi.stubEnv('PORTCULLIS_API_KEY', '');
  vi.stubEnv('LITELLM_PROXY_API_KEY', '');
  vi.stubEnv('LITELLM_MASTER_KEY', '');
  const keyless = await cli('keys', 'list');
  expect(keyless).toMatchObject({ code: 1, out: '' });
  expect(keyless.err).toContain('no key is given');
});

test('the key goes nowhere else, and what is no gateway is told', async () => {
  const seen: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers.authorization);
    if (request.url?.startsWith('/moved') === true) response.writeHead(302, { location: '/elsewhere' });
    response.end('<html>');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  for (const path of ['/moved', '/page']) {
    const answer = await cli('keys', 'list', '--url', url + path, '--key', 'sk-x');
    expect(answer.code).toBe(1);
    expect(answer.err).toContain('no answer of a gateway; check --url');
  }
  expect(seen).toEqual(['Bearer sk-x', 'Bearer sk-x']);
  await new Promise((resolve) => other.close(resolve));
});

test('audit verify proves the log', async () => {
  await remote('keys', 'generate', '--alias', 'audited');
  const { code, out } = await remote('audit', 'verify');
  expect(code).toBe(0);
  expect(out).toMatch(/^The audit log is whole: \d+ rows\nhead {2}[0-9a-f]{64}\n$/u);
  expect(JSON.parse((await remote('audit', 'verify', '--json')).out)).toMatchObject({ ok: true });
});

test('audit verify exits with 2 when a row does not fit', async () => {
  const other = createServer((_request, response) => {
    response.end(JSON.stringify({ ok: false, number: 7, reason: 'the row has been edited' }));
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const { code, out } = await cli('audit', 'verify', '--url', url, '--key', 'sk-x');
  expect(code).toBe(2);
  expect(out).toContain('not whole: row 7: the row has been edited');
  await new Promise((resolve) => other.close(resolve));
});

test('an export is a configuration that says the same, without any secret', async () => {
  await post('/guardrails', {
    guardrail: {
      guardrail_name: 'vendor',
      litellm_params: {
        guardrail: 'generic_guardrail_api',
        mode: 'pre_call',
        api_base: 'https://guard.example.com',
        api_key: SECRET,
      },
    },
  });
  await post('/policies', {
    policy_name: 'strict',
    inherit: 'base',
    description: 'More of it',
    guardrails_add: ['vendor'],
    condition: { model: 'gpt-.*' },
    version_status: 'production',
  });
  await post('/policies', { policy_name: 'unfinished', guardrails_add: ['words'], version_status: 'draft' });
  await post('/policies/attachments', { policy_name: 'strict', tags: { all: ['pii'] }, priority: 5 });

  const { code, out } = await remote('export');
  expect(code).toBe(0);
  expect(out).not.toContain(SECRET.slice(0, 4));
  expect(out).not.toContain('****');
  expect(out).not.toContain('unfinished');
  expect(out).toContain('api_key: os.environ/VENDOR_API_KEY');
  expect(out).toContain('set VENDOR_API_KEY');
  // What a file has by itself is not written out.
  expect(out).not.toContain('opt_out');
  expect((await remote('export')).out).toBe(out);

  const file = join(folder, 'exported.yaml');
  writeFileSync(file, `${out}model_list:\n  - {model_name: gpt-4o, litellm_params: {model: mock/m}}\n`);
  const loaded = await loadConfig(file, readEnvironment({ VENDOR_API_KEY: SECRET }));
  expect(loaded).toMatchObject({ ok: true });
  if (!loaded.ok) return;
  const { policies, attachments, guardrails } = loaded.config;
  expect(policies).toMatchObject([
    { policy_name: 'base', guardrails_add: ['words'] },
    {
      policy_name: 'strict',
      inherit: 'base',
      description: 'More of it',
      guardrails_add: ['vendor'],
      condition: { model: 'gpt-.*' },
    },
  ]);
  expect(attachments).toMatchObject([
    { policy_name: 'base', scope: '*' },
    { policy_name: 'strict', tags: { all: ['pii'] }, priority: 5 },
  ]);
  expect(guardrails).toMatchObject([
    { guardrail_name: 'vendor', litellm_params: { api_key: SECRET } },
    { guardrail_name: 'words' },
  ]);

  const json = JSON.parse((await remote('export', '--json')).out);
  expect(json).toMatchObject({ variables: ['VENDOR_API_KEY'], policies: { strict: { inherit: 'base' } } });
});

test(
  'db migrate makes the database, and finds nothing to do the second time',
  async () => {
    vi.stubEnv('DATABASE_URL', '');
    const dataDir = join(folder, 'fresh');
    mkdirSync(dataDir);
    const first = await cli('db', 'migrate', '--data-dir', dataDir, '--json');
    expect(first.code).toBe(0);
    const { database, applied } = JSON.parse(first.out);
    expect(database).toBe('embedded');
    expect(applied[0]).toMatch(/^0001_/u);
    const second = await cli('db', 'migrate', '--data-dir', dataDir);
    expect(second).toEqual({ code: 0, out: `${dataDir} is at this version already\n`, err: '' });
  },
  PATIENCE_MS,
);

test('db migrate says who holds the data, and what is away', async () => {
  vi.stubEnv('DATABASE_URL', '');
  const held = await cli('db', 'migrate', '--data-dir', join(folder, 'data'));
  expect(held.code).toBe(1);
  expect(held.err).toContain('is in use by process');
  vi.stubEnv('DATABASE_URL', 'postgres://user:hush@127.0.0.1:1/portcullis');
  const away = await cli('db', 'migrate');
  expect(away.code).toBe(1);
  expect(away.err).toContain('PostgreSQL was not migrated: ');
  expect(away.err).not.toContain('hush');
});
