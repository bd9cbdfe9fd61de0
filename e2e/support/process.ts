import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADMIN_KEY } from './gateway.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

/** Whether the command was built: `npm test` does it first, a lone test run may not have. */
export const isBuilt = existsSync(MAIN);

/** `portcullis serve` in a process and a folder of its own, on a free port of the loopback interface. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(config: string, databaseUrl: string): Promise<ServerProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-process-'));
    const file = join(folder, 'config.yaml');
    mkdirSync(join(folder, 'data'));
    writeFileSync(file, `${config}\ngeneral_settings:\n  master_key: ${ADMIN_KEY}\n`);
    const child = spawn(
      process.execPath,
      [MAIN, 'serve', '--config', file, '--port', '0', '--data-dir', join(folder, 'data')],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, PORTCULLIS_LOG_LEVEL: 'silent' },
      },
    );
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      const hear = (bytes: Buffer): void => {
        said += bytes.toString('utf8');
        // The last line of the banner: everything is open.
        const address = /http:\/\/127\.0\.0\.1:\d+/u.exec(said)?.[0];
        if (address !== undefined && said.includes('Ctrl+C')) resolve(address);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => reject(new Error(`the server ended with ${String(code)}: ${said}`)));
    });
    return new ServerProcess(url, child, folder);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
