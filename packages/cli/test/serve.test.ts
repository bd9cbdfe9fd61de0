// The whole command, from its arguments to a stopped server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { makeOutput } from '../src/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-serve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Making a database of one's own takes its time on a busy machine. */
const PATIENCE_MS = 120_000;

function start(...argv: string[]) {
  const written = { out: '', err: '' };
  let announce: (() => void) | null = null;
  const started = new Promise<void>((resolve) => (announce = resolve));
  const output = makeOutput(
    {
      write: (text) => {
        written.out += text;
        if (text.includes('Ctrl+C')) announce?.();
      },
    },
    { write: (text) => (written.err += text) },
    false,
  );
  const done = run(['serve', '--port', '0', '--log-level', 'silent', ...argv], output);
  // A start that fails must show its reason rather than a timeout.
  const ready = Promise.race([
    started,
    done.then(() => Promise.reject(new Error(written.out + written.err))),
  ]);
  ready.catch(() => {});
  return { written, done, ready };
}

test(
  'the demo passes, masks and blocks as its banner says, and stops on SIGTERM',
  async () => {
    const { written, done, ready } = start('--data-dir', join(folder, 'demo'));
    await ready;
    const [passes, masked, blocked] = written.out
      .split('\n')
      .filter((line) => line.includes('curl'))
      .map((line) => ({
        url: /curl -s (\S+)/u.exec(line)?.[1] ?? '',
        authorization: /authorization: ([^"]+)"/u.exec(line)?.[1] ?? '',
        body: /-d '(.*)'$/u.exec(line)?.[1] ?? '',
      }));
    const ask = async (request: typeof passes) => {
      const response = await fetch(request?.url ?? '', {
        method: 'POST',
        headers: { authorization: request?.authorization ?? '', 'content-type': 'application/json' },
        body: request?.body ?? '',
      });
      return { status: response.status, text: await response.text() };
    };
    expect(await ask(passes)).toMatchObject({ status: 200 });
    const hidden = await ask(masked);
    expect(hidden.status).toBe(200);
    expect(hidden.text).not.toContain('jane@example.com');
    expect(hidden.text).toContain('[EMAIL_REDACTED]');
    const refused = await ask(blocked);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('secrets-block');
    process.emit('SIGTERM', 'SIGTERM');
    expect(await done).toBe(0);
    expect(written.err).toContain('Stopping (SIGTERM)');
  },
  PATIENCE_MS,
);

test('a configuration with faults is shown with its lines, and nothing starts', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'model_lst: []\n');
  const { done, written } = start('--config', file);
  expect(await done).toBe(1);
  expect(written.out).toContain(`${file}:1:1  error  unknown_key`);
});

test('a port in use is said in plain words', async () => {
  const file = join(folder, 'good.yaml');
  writeFileSync(file, 'model_list:\n  - {model_name: m, litellm_params: {model: mock/m}}\n');
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const { done, written } = start('--config', file, '--data-dir', join(folder, 'taken'), '--port', port);
  expect(await done).toBe(1);
  expect(written.err).toContain(`port ${port} of 127.0.0.1 is in use`);
  await new Promise((resolve) => taken.close(resolve));
});
