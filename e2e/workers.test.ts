// One command, several processes that share its port.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporaryDatabase } from '../packages/server/test/storage/kit.ts';
import { describeWith } from './support/needs.ts';

const main = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url));
const ADMIN_KEY = 'sk-workers-admin-key';
const PATIENCE_MS = 60_000;

const CONFIG = `
general_settings: { master_key: ${ADMIN_KEY} }
model_list:
  - { model_name: m, litellm_params: { model: mock/m } }
guardrails:
  - guardrail_name: words
    litellm_params: { guardrail: litellm_content_filter, mode: pre_call, default_on: true, blocked_words: [{ keyword: alpha, action: BLOCK }] }
`;

const folder = mkdtempSync(join(tmpdir(), 'portcullis-workers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command in a process of its own, with what it has said so far. */
class Command {
  readonly said = { text: '' };
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;

  constructor(env: Readonly<Record<string, string>>, ...argv: string[]) {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, CONFIG);
    const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env;
    this.#child = spawn(
      process.execPath,
      [main, 'serve', '--config', file, '--port', '0', '--data-dir', folder, '--log-level', 'error', ...argv],
      { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const add = (part: Buffer) => void (this.said.text += part.toString());
    this.#child.stdout?.on('data', add);
    this.#child.stderr?.on('data', add);
    this.ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code ?? -1)));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async url(): Promise<string> {
    await vi.waitUntil(() => /listening on \S+/u.test(this.said.text), { timeout: PATIENCE_MS });
    return /listening on (\S+)/u.exec(this.said.text)?.[1] ?? '';
  }
}

/** One request on a connection of its own, so that any of the processes may get it. */
function ask(
  url: string,
  method: 'GET' | 'POST',
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        agent: new Agent(),
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      },
      (answer) => {
        let text = '';
        answer.on('data', (part: Buffer) => (text += part.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, json: JSON.parse(text) }));
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const chat = (url: string, content: string) =>
  ask(`${url}/v1/chat/completions`, 'POST', { model: 'm', messages: [{ role: 'user', content }] });

async function replicas(url: string): Promise<number[]> {
  const { json } = await ask(`${url}/policies/fleet`, 'GET');
  return (json as { replicas: { pid: number }[] }).replicas.map(({ pid }) => pid);
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('several workers are refused with the built-in database, which belongs to one process', async () => {
  const command = new Command({}, '--workers', '2');
  expect(await command.ended).toBe(1);
  expect(command.said.text).toContain('set DATABASE_URL to a PostgreSQL');
}, 60_000);

describeWith('DATABASE_URL_TEST', 'two workers on PostgreSQL', (databaseUrl) => {
  let database: Awaited<ReturnType<typeof temporaryDatabase>>;
  let command: Command;
  let url: string;
  const living = async () => (await replicas(url)).filter(isAlive);

  beforeAll(async () => {
    database = await temporaryDatabase(databaseUrl);
    command = new Command({ DATABASE_URL: database.url }, '--workers', '2');
    url = await command.url();
    await vi.waitUntil(async () => (await living()).length === 2, { timeout: PATIENCE_MS });
  }, 2 * PATIENCE_MS);
  afterAll(async () => {
    command.kill('SIGKILL');
    await database.remove();
  });

  test('share one port, both guard, and say that limits are counted apart', async () => {
    for (let i = 0; i < 8; i += 1) {
      expect((await chat(url, 'hello')).status).toBe(200);
      expect((await chat(url, 'alpha')).status).toBe(400);
    }
    expect(command.said.text).toContain('each of the 2 workers counts limits for itself');
    expect(command.said.text.match(/is listening on/gu)).toHaveLength(1);
  });

  test(
    'one that is killed is started again, and the other serves meanwhile',
    async () => {
      const [victim] = await living();
      process.kill(victim ?? 0, 'SIGKILL');
      await expect.poll(() => isAlive(victim ?? 0)).toBe(false);
      expect((await chat(url, 'alpha')).status).toBe(400);
      await expect.poll(async () => (await living()).length, { timeout: PATIENCE_MS }).toBe(2);
      expect(command.said.text).toContain(`Worker ${victim} ended (SIGKILL)`);
    },
    2 * PATIENCE_MS,
  );

  test(
    'are replaced one by one on SIGUSR2 without refusing a single request',
    async () => {
      const before = await living();
      const answers: number[] = [];
      const load = (async () => {
        while (before.some(isAlive))
          answers.push((await chat(url, answers.length % 2 === 0 ? 'hello' : 'alpha')).status);
      })();
      command.kill('SIGUSR2');
      await expect.poll(() => before.some(isAlive), { timeout: PATIENCE_MS, interval: 100 }).toBe(false);
      await load;
      expect(answers.length).toBeGreaterThan(10);
      expect(answers.filter((status, i) => status !== (i % 2 === 0 ? 200 : 400))).toEqual([]);
      expect((await living()).length).toBe(2);
    },
    2 * PATIENCE_MS,
  );

  test(
    'all end on SIGTERM, with exit code 0',
    async () => {
      const workers = await living();
      command.kill('SIGTERM');
      expect(await command.ended).toBe(0);
      expect(workers.some(isAlive)).toBe(false);
    },
    PATIENCE_MS,
  );
});
