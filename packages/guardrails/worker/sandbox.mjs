// The thread in which the code of guardrails runs: QuickJS in WebAssembly, a fresh world for each run, with limits of
// time and memory. It has no network: a request is a message to the main thread, which has the rules.
// Plain JavaScript, because it is started both from the sources and from what the build made of them.
import variant from '@jitl/quickjs-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core';
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { hostFunctions } from './host.mjs';

/**
 * @typedef {import('quickjs-emscripten-core').QuickJSContext} Context
 * @typedef {import('quickjs-emscripten-core').QuickJSHandle} Handle
 * @typedef {{ kind: 'run', id: number, source: string, inputs: string, requestData: string, inputType: string,
 *   cpuMs: number, memoryBytes: number, hostCalls: number, requests: number }} RunMessage
 * @typedef {{ kind: 'answer', id: number, call: number, answer: string }} AnswerMessage
 * @typedef {{ kind: 'stop', id: number }} StopMessage
 */

const STACK_BYTES = 256 * 1024;
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const host = hostFunctions(
  /** @type {{ languages: Parameters<typeof hostFunctions>[0] }} */ (workerData).languages,
);
const prelude = readFileSync(new URL('./prelude.js', import.meta.url), 'utf8');
/** @type {unknown} */
const release = variant; // Its types are those of CommonJS.
const quickJs = await newQuickJSWASMModuleFromVariant(
  /** @type {import('quickjs-emscripten-core').QuickJSSyncVariant} */ (release),
);

/** @type {Map<number, Run>} */
const runs = new Map();

port.on('message', (/** @type {RunMessage | AnswerMessage | StopMessage} */ message) => {
  if (message.kind === 'run') {
    const run = new Run(message);
    runs.set(message.id, run);
    run.start();
  } else if (message.kind === 'answer') {
    runs.get(message.id)?.answered(message.call, message.answer);
  } else {
    runs.get(message.id)?.end({ kind: 'stopped' });
  }
});
port.postMessage({ kind: 'ready' });

class Run {
  #message;
  #runtime;
  #context;
  #usedMs = 0;
  #enteredAtMs = 0;
  #calls = 0;
  #requests = 0;
  #over = false;
  /** Once it met a limit, whatever it says afterwards. */
  #interrupted = false;
  /** Set while the engine is running, so that it is not torn down from inside. */
  #inside = false;
  /** @type {object | null} */
  #result = null;
  /** @type {Map<number, import('quickjs-emscripten-core').QuickJSDeferredPromise>} */
  #waiting = new Map();

  /** @param {RunMessage} message */
  constructor(message) {
    this.#message = message;
    this.#runtime = quickJs.newRuntime();
    this.#runtime.setMemoryLimit(message.memoryBytes);
    this.#runtime.setMaxStackSize(STACK_BYTES);
    this.#runtime.setInterruptHandler(() => {
      this.#interrupted ||= this.#spent() > message.cpuMs;
      return this.#interrupted;
    });
    this.#context = this.#runtime.newContext();
  }

  #spent() {
    return this.#usedMs + performance.now() - this.#enteredAtMs;
  }

  /** Lets the engine work, and counts its time. @param {() => void} work */
  #enter(work) {
    this.#enteredAtMs = performance.now();
    this.#inside = true;
    try {
      work();
    } catch (error) {
      this.#result ??= {
        kind: 'failed',
        type: 'execution',
        error: error instanceof Error ? error.message : 'fault',
      };
    } finally {
      this.#inside = false;
      this.#usedMs = this.#spent();
    }
    if (this.#interrupted)
      this.end(failed('limit', 'more computing, or more calls of functions, than is allowed'));
    else if (this.#result !== null) this.end(this.#result);
    else if (this.#waiting.size === 0) this.end(failed('execution', 'the function never answered'));
  }

  start() {
    this.#enter(() => {
      const invoke = this.#prepare();
      if (invoke === null) return;
      const { source, inputs, requestData, inputType } = this.#message;
      const loaded = this.#context.evalCode(source, 'custom_code.js', { type: 'global' });
      if (loaded.error !== undefined) {
        this.#fail(loaded.error, 'load');
        return;
      }
      loaded.value.dispose();
      const found = this.#context.evalCode(FIND, 'find.js', { type: 'global' });
      if (found.error !== undefined) {
        this.#fail(found.error, 'load');
        return;
      }
      if (this.#context.typeof(found.value) !== 'function') {
        found.value.dispose();
        this.#result = failed(
          'compilation',
          'there is no function apply_guardrail(inputs, request_data, input_type)',
        );
        return;
      }
      const args = [inputs, requestData, inputType].map((one) => this.#context.newString(one));
      const called = this.#context.callFunction(invoke, this.#context.undefined, found.value, ...args);
      for (const handle of [found.value, invoke, ...args]) handle.dispose();
      if (called.error !== undefined) this.#fail(called.error, 'run');
      else {
        called.value.dispose();
        this.#runJobs();
      }
    });
  }

  /** What gives the code its functions; gives what calls it. @returns {Handle | null} */
  #prepare() {
    const context = this.#context;
    const made = context.evalCode(prelude, 'prelude.js');
    if (made.error !== undefined) {
      this.#fail(made.error, 'run');
      return null;
    }
    const doors = [
      context.newFunction('host', (name, args) => this.#host(name, args)),
      context.newFunction('fetchFromHost', (request) => this.#fetch(request)),
      context.newFunction('reply', (json) => {
        this.#result ??= replied(context.getString(json));
      }),
    ];
    const invoke = context.callFunction(made.value, context.undefined, ...doors);
    for (const handle of [made.value, ...doors]) handle.dispose();
    if (invoke.error === undefined) return invoke.value;
    this.#fail(invoke.error, 'run');
    return null;
  }

  /** @param {Handle} name @param {Handle} args @returns {Handle} */
  #host(name, args) {
    const context = this.#context;
    /** @type {object} */
    let answer;
    if (++this.#calls > this.#message.hostCalls) {
      this.#interrupted = true;
      answer = { error: 'too many calls of functions' };
    } else {
      try {
        const fn = host[context.getString(name)];
        const given = /** @type {[string, string, string]} */ (JSON.parse(context.getString(args)));
        answer = { value: fn?.(...given) ?? null };
      } catch (error) {
        answer = { error: error instanceof Error ? error.message : 'fault' };
      }
    }
    return context.newString(JSON.stringify(answer));
  }

  /** @param {Handle} request @returns {Handle} */
  #fetch(request) {
    const context = this.#context;
    const promise = context.newPromise();
    const call = ++this.#requests;
    if (call > this.#message.requests) {
      const error = `more than ${this.#message.requests} requests`;
      const handle = context.newString(JSON.stringify({ ...NO_ANSWER, error }));
      promise.resolve(handle);
      handle.dispose();
    } else {
      this.#waiting.set(call, promise);
      port.postMessage({ kind: 'request', id: this.#message.id, call, request: context.getString(request) });
    }
    return promise.handle;
  }

  /** @param {number} call @param {string} answer */
  answered(call, answer) {
    const promise = this.#waiting.get(call);
    if (promise === undefined || this.#over) return;
    this.#waiting.delete(call);
    this.#enter(() => {
      const handle = this.#context.newString(answer);
      promise.resolve(handle);
      handle.dispose();
      promise.dispose();
      this.#runJobs();
    });
  }

  #runJobs() {
    const jobs = this.#runtime.executePendingJobs();
    if (jobs.error !== undefined) this.#fail(jobs.error, 'run');
    else jobs.dispose();
  }

  /** @param {Handle} error @param {'load' | 'run'} when */
  #fail(error, when) {
    const told = /** @type {{ name?: unknown, message?: unknown } | null | undefined} */ (
      this.#context.dump(error)
    );
    error.dispose();
    const name = typeof told?.name === 'string' ? told.name : 'Error';
    const message =
      typeof told?.message === 'string' ? told.message : 'no error was thrown, but something else';
    const isLimit = LIMIT.test(`${name}: ${message}`);
    const type = isLimit ? 'limit' : when === 'load' && name === 'SyntaxError' ? 'compilation' : 'execution';
    this.#result ??= failed(type, `${name}: ${message}`);
  }

  /** @param {object} result */
  end(result) {
    if (this.#over || this.#inside) return;
    this.#over = true;
    runs.delete(this.#message.id);
    port.postMessage({ ...result, id: this.#message.id });
    try {
      for (const promise of this.#waiting.values()) promise.dispose();
      this.#context.dispose();
      this.#runtime.dispose();
    } catch {
      // What a run that was cut off has left behind cannot be freed one by one: the thread is done for.
      port.postMessage({ kind: 'worn_out' });
    }
  }
}

/** How the engine says that a limit was met. Code that says so itself only gets the stricter judgement. */
const LIMIT = /^InternalError: |^RangeError: Maximum call stack/u;

/** @param {string} json what the prelude hands over */
function replied(json) {
  const { error } = /** @type {{ error?: unknown }} */ (JSON.parse(json));
  return typeof error === 'string' && LIMIT.test(error)
    ? failed('limit', error)
    : { kind: 'done', value: json };
}

/** @param {'compilation' | 'execution' | 'limit'} type @param {string} error */
function failed(type, error) {
  return { kind: 'failed', type, error: error.slice(0, 2_000) };
}

const NO_ANSWER = { status_code: 0, body: '', headers: {}, success: false };

/** A name that a script declares with `const` is no member of the global object, but scripts after it know it. */
const FIND = `typeof apply_guardrail === 'function' ? apply_guardrail
  : typeof applyGuardrail === 'function' ? applyGuardrail : undefined`;
