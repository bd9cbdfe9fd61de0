// What `npm pack` makes of each package is enough to start from: nothing is read from the sources of this repository.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = ['policy', 'contract', 'guardrails', 'server', 'cli'];
const ADMIN_KEY = 'sk-packed-admin';

let folder: string;
let packed: string;
let port: number;
let gateway: ChildProcess | null = null;
let output = '';

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], { cwd: ROOT, stdio: 'ignore' });
  folder = mkdtempSync(join(tmpdir(), 'portcullis-packed-'));
  const modules = join(folder, 'node_modules');
  packed = join(modules, '@portcullis');
  mkdirSync(packed, { recursive: true });
  linkThirdParties(join(ROOT, 'node_modules'), modules);
  for (const name of PACKAGES) unpack(name);
  port = await freePort();
}, 240_000);

afterAll(async () => {
  if (gateway !== null && gateway.exitCode === null) {
    const ended = new Promise((resolve) => gateway?.once('exit', resolve));
    gateway.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The registry is not asked: what others have made is the same as here. */
function linkThirdParties(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    if (name === '@portcullis' || name.startsWith('.')) continue;
    symlinkSync(join(from, name), join(to, name));
  }
}

function unpack(name: string): void {
  const made = execFileSync(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, '--workspace', `packages/${name}`],
    { cwd: ROOT, encoding: 'utf8' },
  );
  const target = join(packed, name);
  mkdirSync(target);
  const file = join(folder, made.trim().split('\n').at(-1) ?? '');
  execFileSync('tar', ['-xzf', file, '-C', target, '--strip-components=1']);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` };

async function ready(): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (gateway?.exitCode !== null) throw new Error(`the packed gateway ended:\n${output}`);
    const status = await fetch(at('/health/readiness')).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await delay(100);
  }
  throw new Error(`the packed gateway is not ready:\n${output}`);
}

test('a package holds what it runs with, and no sources and no tests', () => {
  for (const name of PACKAGES) {
    const files = readdirSync(join(packed, name));
    expect(files).toContain('dist');
    expect(files).not.toContain('src');
    expect(files).not.toContain('test');
  }
  expect(readdirSync(join(packed, 'guardrails'))).toContain('worker');
  expect(readdirSync(join(packed, 'server')).toSorted()).toEqual(
    expect.arrayContaining(['assets', 'dist', 'migrations', 'package.json', 'worker']),
  );
});

test('the packed command starts, makes its database, and serves everything that it reads from files', async () => {
  gateway = spawn(
    process.execPath,
    [join(packed, 'cli/dist/main.js'), 'serve', '--port', String(port), '--data-dir', join(folder, 'data')],
    // Without a file it serves its demo, which is one of the files of the package.
    { cwd: folder, env: { ...process.env, PORTCULLIS_MASTER_KEY: ADMIN_KEY, LITELLM_MASTER_KEY: ADMIN_KEY } },
  );
  for (const stream of [gateway.stdout, gateway.stderr]) {
    stream?.on('data', (part: Buffer) => {
      output = (output + part.toString()).slice(-4_000);
    });
  }
  await ready();
  // The page, the templates, the shipped categories and the migrations are files beside the code.
  const page = await fetch(at('/docs'));
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const templates = await fetch(at('/policy/templates'), { headers: asAdmin });
  expect(templates.status).toBe(200);
  expect(((await templates.json()) as unknown[]).length).toBeGreaterThan(5);
  const key = await fetch(at('/key/generate'), {
    method: 'POST',
    headers: { ...asAdmin, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(key.status).toBe(200);
}, 120_000);
