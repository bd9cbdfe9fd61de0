import { PortcullisError } from '@portcullis/contract';
import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, errors, Pool } from 'undici';
import type { Deployment } from '../../ports/models.ts';
import { adapterOf } from './adapter.ts';
import type { BodySink, UpstreamCall, UpstreamExchange, UpstreamReply } from './upstream.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;

/** What is the same for every call of one deployment. */
interface Target {
  readonly pool: Pool;
  readonly base: string;
  readonly search: string;
  readonly headers: readonly string[];
}

/** Calls providers over kept connections: one pool for each origin. */
export class HttpUpstreams {
  readonly #pools = new Map<string, Pool>();
  readonly #targets = new WeakMap<Deployment, Target>();

  /** Starts a call. Never throws: what goes wrong is the reply's rejection. */
  call(call: UpstreamCall): UpstreamExchange {
    const exchange = new Exchange(call);
    try {
      const target = this.#target(call.deployment);
      const headers = target.headers.slice();
      if (call.body !== null) headers.push('content-type', call.contentType);
      for (const name in call.headers) headers.push(name, call.headers[name] ?? '');
      if (call.plain) headers.push('accept-encoding', 'identity');
      else if (call.acceptEncoding !== null) headers.push('accept-encoding', call.acceptEncoding);
      target.pool.dispatch(
        {
          path: target.base + call.path + target.search,
          method: call.method,
          headers,
          body: call.body,
          headersTimeout: call.timeoutMs,
          bodyTimeout: call.timeoutMs,
        },
        exchange,
      );
    } catch (error) {
      exchange.onResponseError(
        null,
        error instanceof Error ? error : new Error('the call could not be made'),
      );
    }
    return exchange;
  }

  /** Ends all connections; calls under way fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #target(deployment: Deployment): Target {
    const known = this.#targets.get(deployment);
    if (known !== undefined) return known;
    const url = new URL(deployment.apiBase);
    let pool = this.#pools.get(url.origin);
    if (pool === undefined) {
      pool = new Pool(url.origin, {
        connect: { timeout: CONNECT_TIMEOUT_MS },
        keepAliveTimeout: KEEP_ALIVE_MS,
        pipelining: 1,
      });
      this.#pools.set(url.origin, pool);
    }
    const headers = adapterOf(deployment).headers(deployment);
    for (const [name, value] of Object.entries(deployment.headers)) headers.push(name, value);
    const target: Target = {
      pool,
      base: url.pathname.replace(/\/$/u, ''),
      search: url.search,
      headers,
    };
    this.#targets.set(deployment, target);
    return target;
  }
}

/**
 * One call. Bytes that come before somebody reads are kept; a reader gets them at once and all later ones as they come.
 * The whole of an answer that is no stream has a deadline, because a provider that sends a byte now and then would
 * otherwise hold the caller for ever.
 */
class Exchange implements UpstreamExchange, UpstreamReply, Dispatcher.DispatchHandler {
  readonly reply: Promise<UpstreamReply>;
  status = 0;
  headers: IncomingHttpHeaders = {};
  #settle: { resolve(reply: UpstreamReply): void; reject(error: PortcullisError): void } | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #sink: BodySink | null = null;
  #kept: Buffer[] = [];
  #end: PortcullisError | 'complete' | null = null;
  #aborted = false;
  #paused = false;
  #deadline: NodeJS.Timeout | null = null;

  constructor(call: UpstreamCall) {
    this.reply = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A call that is given up before anybody waits for it must not count as an unhandled rejection.
    this.reply.catch(() => {});
    if (!call.stream) {
      this.#deadline = setTimeout(() => {
        this.#fail(timedOut(`The provider did not answer within ${call.timeoutMs} ms.`));
      }, call.timeoutMs);
    }
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    const kept = this.#kept;
    this.#kept = [];
    for (const bytes of kept) sink.chunk(bytes);
    this.#finish();
  }

  pause(): void {
    this.#paused = true;
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#controller?.resume();
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#stopClock();
    const sink = this.#sink;
    this.#sink = null;
    this.#kept = [];
    if (this.#end === null) this.#controller?.abort(new errors.RequestAbortedError());
    const givenUp = new PortcullisError('client_disconnected', 'The caller went away.');
    this.#settle?.reject(givenUp);
    this.#settle = null;
    sink?.fail(givenUp);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new errors.RequestAbortedError());
    // The deadline may have passed while the connection was made.
    else if (this.#end !== null) controller.abort(new errors.RequestAbortedError());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.#settle?.resolve(this);
    this.#settle = null;
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#aborted) return;
    if (this.#sink !== null) {
      this.#sink.chunk(bytes);
      return;
    }
    this.#kept.push(bytes);
    if (this.#paused) controller.pause();
  }

  onResponseEnd(): void {
    this.#end ??= 'complete';
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (!this.#aborted) this.#fail(translate(error));
  }

  #fail(error: PortcullisError): void {
    if (this.#end !== null || this.#aborted) return;
    this.#end = error;
    this.#controller?.abort(new errors.RequestAbortedError());
    this.#settle?.reject(error);
    this.#settle = null;
    this.#finish();
  }

  #finish(): void {
    if (this.#end === null) return;
    this.#stopClock();
    const sink = this.#sink;
    if (sink === null || this.#aborted) return;
    this.#sink = null;
    if (this.#end === 'complete') sink.end();
    else sink.fail(this.#end);
  }

  #stopClock(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

function timedOut(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('upstream_timeout', message, { cause });
}

/** A failed call in the words of the catalogue. The client library's own codes decide, never its texts. */
function translate(error: Error): PortcullisError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (TIMEOUTS.has(code)) return timedOut('The provider did not answer in time.', error);
  if (
    code.startsWith('HPE_') ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    code === 'UND_ERR_RESPONSE'
  ) {
    return new PortcullisError('upstream_invalid', 'The provider sent no valid HTTP answer.', {
      cause: error,
    });
  }
  return new PortcullisError(
    'upstream_unreachable',
    `The provider could not be reached (${code || 'no code'}).`,
    {
      cause: error,
    },
  );
}
