import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { LANGUAGES } from '../code/languages.ts';

/**
 * Runs code of administrators in QuickJS, compiled to WebAssembly, in threads of their own. A run gets a fresh world with
 * limits of time and memory; a thread that does not answer is ended. What comes out is JSON, and what goes in is too.
 */

/** The same place from `src` and from `dist`. */
const WORKER = new URL('../../worker/sandbox.mjs', import.meta.url);
/** Threads of the process. One that is busy computing lets no other run in it go on. */
const THREADS = 2;
/** Runs in one thread at a time; they wait for requests, or for their turn. */
const RUNS_PER_THREAD = 64;
/** How much longer than its own limit a run may take before its thread counts as stuck. */
const GRACE_MS = 1_000;
/** WebAssembly memory grows and never shrinks, so that a thread is replaced after so many runs. */
const RUNS_PER_LIFE = 50_000;

export interface SandboxRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: number;
}

export interface SandboxAnswer {
  readonly status_code: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly success: boolean;
  readonly error: string | null;
}

export interface SandboxRun {
  readonly source: string;
  /** JSON. */
  readonly inputs: string;
  readonly requestData: string;
  readonly inputType: 'request' | 'response';
  readonly limits: SandboxLimits;
  /** Makes a request in the name of the code; never throws. */
  readonly request: (request: SandboxRequest, signal: AbortSignal) => Promise<SandboxAnswer>;
}

export interface SandboxLimits {
  /** For the whole run, waiting for requests included. */
  readonly timeoutMs: number;
  /** Of computing. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** Calls of functions outside the sandbox. */
  readonly hostCalls: number;
  readonly requests: number;
}

/** What became of a run. `compilation` and `execution` are the code's own faults, `limit` is one of ours it met. */
export type SandboxResult =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly type: 'compilation' | 'execution' | 'limit' | 'stopped';
      readonly error: string;
    };

const id = z.int();
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('worn_out') }),
  z.object({ kind: z.literal('request'), id, call: z.int(), request: z.string() }),
  z.object({ kind: z.literal('done'), id, value: z.string() }),
  z.object({ kind: z.literal('stopped'), id }),
  z.object({
    kind: z.literal('failed'),
    id,
    type: z.enum(['compilation', 'execution', 'limit']),
    error: z.string(),
  }),
]);

const requestSchema = z.object({
  url: z.string().max(8_192),
  method: z.string().max(16),
  headers: z.record(z.string(), z.coerce.string()),
  body: z.string().nullable(),
  timeout: z.number().positive().max(60).catch(5),
});

const replySchema = z.union([z.object({ value: z.unknown() }), z.object({ error: z.string() })]);

const stopped = (error: string): SandboxResult => ({ ok: false, type: 'stopped', error });
const limit = (error: string): SandboxResult => ({ ok: false, type: 'limit', error });

interface Pending {
  readonly run: SandboxRun;
  readonly end: (result: SandboxResult) => void;
  readonly controller: AbortController;
}

class Thread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #started = 0;
  #dead = false;

  constructor() {
    this.#worker = new Worker(WORKER, {
      workerData: { languages: LANGUAGES },
      env: {},
      // The options of the main thread (a debugger, a loader of the tests) are not for this one.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      stdout: true,
      stderr: true,
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    // Nobody waits for code when there is nothing else to do.
    this.#worker.unref();
    this.#worker.on('message', (message: unknown) => this.#take(message));
    this.#worker.on('error', () => this.kill('the sandbox failed'));
    this.#worker.on('exit', () => this.kill('the sandbox failed'));
  }

  get dead(): boolean {
    return this.#dead;
  }

  get load(): number {
    return this.#pending.size;
  }

  get worn(): boolean {
    return this.#started >= RUNS_PER_LIFE;
  }

  run(number: number, run: SandboxRun, signal: AbortSignal): Promise<SandboxResult> {
    this.#started++;
    this.#worker.ref();
    return new Promise((resolve) => {
      const controller = new AbortController();
      const gone = () => {
        this.#worker.postMessage({ kind: 'stop', id: number });
        end(stopped('the caller is gone'));
      };
      const end = (result: SandboxResult) => {
        clearTimeout(late);
        signal.removeEventListener('abort', gone);
        controller.abort();
        this.#pending.delete(number);
        if (this.#pending.size === 0) this.#worker.unref();
        if (this.#pending.size === 0 && this.worn) this.kill('the sandbox is worn out');
        resolve(result);
      };
      const { timeoutMs, cpuMs, memoryBytes, hostCalls, requests } = run.limits;
      const late = setTimeout(() => {
        this.#worker.postMessage({ kind: 'stop', id: number });
        // The thread has its own limit of computing; one that does not even hear "stop" is stuck.
        end(limit(`the code did not answer within ${timeoutMs} ms`));
        this.#expect(cpuMs);
      }, timeoutMs);
      this.#pending.set(number, { run, end, controller });
      signal.addEventListener('abort', gone);
      const { source, inputs, requestData, inputType } = run;
      this.#worker.postMessage({
        kind: 'run',
        id: number,
        source,
        inputs,
        requestData,
        inputType,
        cpuMs,
        memoryBytes,
        hostCalls,
        requests,
      });
    });
  }

  /** Ends the thread and everything in it. */
  kill(reason: string): void {
    if (this.#dead) return;
    this.#dead = true;
    void this.#worker.terminate();
    const pending = [...this.#pending.values()];
    for (const { end } of pending) end({ ok: false, type: 'execution', error: reason });
  }

  /** Ends the thread unless it says something soon after what computing is allowed. */
  #expect(cpuMs: number): void {
    const timer = setTimeout(() => this.kill('the code could not be stopped'), cpuMs + GRACE_MS);
    timer.unref();
    this.#worker.once('message', () => clearTimeout(timer));
  }

  #take(message: unknown): void {
    const parsed = messageSchema.safeParse(message);
    if (!parsed.success) return;
    const told = parsed.data;
    if (told.kind === 'ready') return;
    if (told.kind === 'worn_out') {
      this.kill('the sandbox is worn out');
      return;
    }
    const pending = this.#pending.get(told.id);
    if (pending === undefined) return;
    if (told.kind === 'request') void this.#request(pending, told.id, told.call, told.request);
    else if (told.kind === 'done') pending.end(readReply(told.value));
    else if (told.kind === 'failed') pending.end({ ok: false, type: told.type, error: told.error });
  }

  async #request({ run, controller }: Pending, number: number, call: number, json: string): Promise<void> {
    const parsed = requestSchema.safeParse(JSON.parse(json));
    const answer = parsed.success
      ? await run.request({ ...parsed.data, timeoutMs: parsed.data.timeout * 1_000 }, controller.signal)
      : { status_code: 0, body: '', headers: {}, success: false, error: 'this is no request' };
    if (!this.#dead)
      this.#worker.postMessage({ kind: 'answer', id: number, call, answer: JSON.stringify(answer) });
  }
}

function readReply(json: string): SandboxResult {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { ok: false, type: 'execution', error: 'the answer is no JSON' };
  }
  const reply = replySchema.safeParse(value);
  if (!reply.success) return { ok: false, type: 'execution', error: 'the answer is no JSON' };
  if ('error' in reply.data) return { ok: false, type: 'execution', error: reply.data.error.slice(0, 2_000) };
  return { ok: true, value: reply.data.value };
}

const threads: Thread[] = [];
let runs = 0;

/** Runs code in the threads of this process. Never throws, never rejects. */
export async function runInSandbox(run: SandboxRun, signal: AbortSignal): Promise<SandboxResult> {
  if (signal.aborted) return stopped('the caller is gone');
  const thread = threadToUse();
  if (thread === null) return stopped('too much code is running already');
  return thread.run(++runs, run, signal);
}

/** Starts a thread ahead of the first run, which would wait for it otherwise. */
export function warmSandbox(): void {
  if (threads.every(({ dead }) => dead)) threadToUse();
}

function threadToUse(): Thread | null {
  for (let index = threads.length - 1; index >= 0; index--) {
    const thread = threads[index];
    if (thread === undefined || thread.dead) threads.splice(index, 1);
    else if (thread.worn) {
      // It ends with its last run; new ones get a new one.
      threads.splice(index, 1);
      if (thread.load === 0) thread.kill('the sandbox is worn out');
    }
  }
  const calm = threads.toSorted((a, b) => a.load - b.load)[0];
  if (calm !== undefined && (calm.load === 0 || threads.length >= THREADS)) {
    return calm.load < RUNS_PER_THREAD ? calm : null;
  }
  if (!existsSync(WORKER)) throw new Error('the sandbox is not installed');
  const thread = new Thread();
  threads.push(thread);
  return thread;
}
