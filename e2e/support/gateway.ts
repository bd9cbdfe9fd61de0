import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment, type RunningServer, type StartOptions, startServer } from '@portcullis/server';

export const ADMIN_KEY = 'sk-e2e-admin-key';

/** A record of `GET /debug/requests/{call_id}`, as far as tests look at it. */
export interface DebugRecord {
  readonly call_id: string;
  readonly status: number;
  readonly end: string;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly revision: number | null;
  readonly plan_hash: string | null;
  readonly model_group: string | null;
  readonly upstream_status: number | null;
  readonly caller_tags: readonly string[];
  readonly stripped_fields: readonly string[];
  readonly policies: readonly { readonly policy_name: string }[];
  readonly verdicts: Readonly<Record<string, string>>;
  readonly guardrails: readonly {
    readonly guardrail_name: string;
    readonly outcome: string;
    readonly executed_hook: string;
    readonly enforcement: string;
    readonly verdict: string;
  }[];
  readonly usage: { readonly total_tokens: number } | null;
  readonly timings: Readonly<Record<string, number>>;
}

/** The real server on a free port of the loopback interface, with a folder of its own. */
export class Gateway {
  #server: RunningServer;
  readonly #options: StartOptions;
  readonly #folder: string;

  private constructor(server: RunningServer, options: StartOptions, folder: string) {
    this.#server = server;
    this.#options = options;
    this.#folder = folder;
  }

  get url(): string {
    return this.#server.url;
  }

  /** Where the embedded database and everything else is kept. */
  get dataDir(): string {
    return this.#options.dataDir;
  }

  /** Stops and starts again on the same data, with another port. */
  async restart(): Promise<void> {
    await this.#server.close();
    this.#server = await startServer(this.#options);
  }

  /** `general` is one more line of `general_settings`. */
  static async start(
    config: string,
    env: Readonly<Record<string, string>> = {},
    general = '',
  ): Promise<Gateway> {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-e2e-'));
    const configFile = join(folder, 'config.yaml');
    writeFileSync(configFile, `${config}\ngeneral_settings:\n  master_key: ${ADMIN_KEY}\n  ${general}\n`);
    const options: StartOptions = {
      configFile,
      port: 0,
      host: '127.0.0.1',
      dataDir: join(folder, 'data'),
      logLevel: 'info',
      logDestination: join(folder, 'log.jsonl'),
      env: readEnvironment(env),
    };
    return new Gateway(await startServer(options), options, folder);
  }

  /** Replaces the configuration and reads it again. */
  async reload(config: string): Promise<void> {
    writeFileSync(
      join(this.#folder, 'config.yaml'),
      `${config}\ngeneral_settings:\n  master_key: ${ADMIN_KEY}\n`,
    );
    await this.#server.reload();
  }

  /** Everything that was logged so far and written out. */
  log(): string {
    return readFileSync(join(this.#folder, 'log.jsonl'), 'utf8');
  }

  async stop(): Promise<void> {
    await this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Stops the server and gives the log, complete. */
  async stopForLog(): Promise<string> {
    await this.#server.close();
    const log = this.log();
    rmSync(this.#folder, { recursive: true, force: true });
    return log;
  }

  get(path: string, key: string | null = ADMIN_KEY): Promise<Response> {
    return fetch(this.url + path, { headers: key === null ? {} : { authorization: `Bearer ${key}` } });
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}`, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  chat(body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.post(
      '/v1/chat/completions',
      { model: 'gpt', messages: [{ role: 'user', content: 'Hi' }], ...body },
      headers,
    );
  }

  /** The record of an answer, as soon as it is written. */
  async record(answer: Response): Promise<DebugRecord> {
    return this.recordOf(answer.headers.get('x-litellm-call-id') ?? '');
  }

  async recordOf(callId: string): Promise<DebugRecord> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const found = await this.get(`/debug/requests/${callId}`);
      if (found.status === 200) return (await found.json()) as DebugRecord;
      await found.arrayBuffer();
    }
    throw new Error(`no record of ${callId}`);
  }

  /** The record once it fulfils a condition that later runs bring about. */
  async recordWhen(answer: Response, fulfilled: (record: DebugRecord) => boolean): Promise<DebugRecord> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const record = await this.record(answer);
      if (fulfilled(record)) return record;
    }
    throw new Error('the record never got there');
  }
}

/** The data of the events of a stream. */
export async function eventsOf(answer: Response): Promise<string[]> {
  const text = await answer.text();
  return text
    .split('\n\n')
    .filter((part) => part.startsWith('data: '))
    .map((part) => part.slice('data: '.length));
}
