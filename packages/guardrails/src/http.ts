import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import { type Dispatcher, errors, Pool } from 'undici';
import { isPublicAddress } from './address.ts';
import { HttpFailure, type HttpPort } from './guardrail.ts';

export interface HttpOptions {
  /**
   * Hosts that may be called although their address is private, link-local or loopback: `host` or `host:port`, in lower
   * case, IPv6 without brackets when alone. Nothing else may.
   */
  readonly allowHosts?: readonly string[];
  /** Connections to one origin at most. */
  readonly connectionsPerOrigin?: number;
  /** Origins with open connections at most; the one unused for longest is closed. */
  readonly origins?: number;
  /** Milliseconds to connect at most. The timeout of a request is its own. */
  readonly connectTimeoutMs?: number;
  /** Finds the addresses of a name; the system's resolver by default. */
  readonly lookup?: (
    host: string,
    options: { readonly all: true },
    callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void;
}

/** An {@link HttpPort} with connections that live longer than a request. */
export interface HttpClient extends HttpPort {
  /** Closes all connections. Requests under way end as `unreachable`. */
  close(): Promise<void>;
}

/**
 * Makes the outbound HTTP of detectors: a bounded pool for each origin, no redirects, no proxies.
 *
 * An address that is not public is refused (class `fault`) unless `allowHosts` names the host. The check is made on the
 * very addresses a connection is opened to, so that a name which resolves differently the next time cannot pass.
 */
export function createHttp(options: HttpOptions = {}): HttpClient {
  return new PooledHttp(options);
}

const REFUSED = 'ERR_ADDRESS_REFUSED';

class PooledHttp implements HttpClient {
  readonly #options: Required<HttpOptions>;
  readonly #allowed: ReadonlySet<string>;
  /** In the order of their last use. */
  readonly #pools = new Map<string, Pool>();

  constructor(options: HttpOptions) {
    this.#options = {
      allowHosts: [],
      connectionsPerOrigin: 64,
      origins: 128,
      connectTimeoutMs: 5_000,
      lookup: dnsLookup,
      ...options,
    };
    this.#allowed = new Set(this.#options.allowHosts.map((host) => host.toLowerCase()));
  }

  async send(request: Parameters<HttpPort['send']>[0]): ReturnType<HttpPort['send']> {
    const url = parseUrl(request.url);
    const pool = this.#poolFor(url);
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, request.timeoutMs);
    request.signal.addEventListener('abort', abort);
    if (request.signal.aborted) abort();
    try {
      const answer = await pool.request({
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...request.headers },
        body: request.body,
        signal: controller.signal,
      });
      const body = await readBody(answer.body, request.maxBytes);
      return { status: answer.statusCode, headers: flat(answer.headers), body };
    } catch (error) {
      if (error instanceof HttpFailure) throw error;
      if (controller.signal.aborted) {
        const reason = request.signal.aborted ? 'stopped' : `no answer within ${request.timeoutMs} ms`;
        throw new HttpFailure('unreachable', reason);
      }
      throw failureOf(error);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #poolFor(url: URL): Pool {
    const { origin } = url;
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = this.#makePool(url);
      const oldest = this.#pools.size >= this.#options.origins ? this.#pools.keys().next().value : undefined;
      if (oldest !== undefined) {
        // What is under way on it may end; the pool goes when it is idle.
        void this.#pools.get(oldest)?.close();
        this.#pools.delete(oldest);
      }
    } else {
      this.#pools.delete(origin);
    }
    this.#pools.set(origin, pool);
    return pool;
  }

  #makePool(url: URL): Pool {
    const host = url.hostname.replace(/^\[|\]$/gu, '').toLowerCase();
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    const open =
      this.#allowed.has(host) ||
      this.#allowed.has(`${host}:${port}`) ||
      this.#allowed.has(`[${host}]:${port}`);
    // An address in the URL never asks the resolver below.
    if (!open && isIP(host) !== 0 && !isPublicAddress(host)) throw refused();
    return new Pool(url.origin, {
      connections: this.#options.connectionsPerOrigin,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: this.#options.connectTimeoutMs,
        lookup: (name, options, callback) => this.#lookup(name, options, open, callback),
      },
    });
  }

  /** Finds addresses for a connection and keeps the public ones. */
  #lookup(
    name: string,
    options: LookupOptions,
    open: boolean,
    callback: (
      error: NodeJS.ErrnoException | null,
      address: string | LookupAddress[],
      family?: number,
    ) => void,
  ): void {
    this.#options.lookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const addresses = open ? found : found.filter(({ address }) => isPublicAddress(address));
      const [first] = addresses;
      if (first === undefined) callback(Object.assign(new Error('refused'), { code: REFUSED }), []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new HttpFailure('fault', 'the address of the service is no http or https URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new HttpFailure('fault', 'the address of the service holds a password; use a header');
  }
  return url;
}

const refused = () =>
  new HttpFailure('fault', 'the service has a private address; name its host in the allowed hosts');

/** Reads a body to its end, or to the limit. */
async function readBody(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // A body that is thrown away still emits its error, which nobody else listens to.
  body.on('error', () => {});
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new HttpFailure('fault', `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HttpFailure('fault', 'the answer is not UTF-8');
  }
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return out;
}

/** Failed connections are `unreachable`; a request that could never be sent, or an answer that is no HTTP, a `fault`. */
function failureOf(error: unknown): HttpFailure {
  const code = codeOf(error);
  if (code === REFUSED) return refused();
  const ours = error instanceof errors.InvalidArgumentError || error instanceof errors.HTTPParserError;
  return ours
    ? new HttpFailure('fault', `no HTTP exchange (${code})`)
    : new HttpFailure('unreachable', `no connection (${code})`);
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown';
}
