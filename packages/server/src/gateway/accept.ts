import {
  type Dialect,
  isObject,
  type JsonObject,
  type ModelRequest,
  PortcullisError,
} from '@portcullis/contract';
import type { TagFact } from '@portcullis/policy';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { GatewaySettings } from '../ports/snapshot.ts';
import { type Form, readForm } from './multipart.ts';
import type { StoredCall } from './stored-responses.ts';

/** What is known of a request before anything of it was read. */
export interface Arrival {
  readonly callId: string;
  /** Milliseconds since the epoch, and on the clock for durations. */
  readonly time: number;
  readonly start: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A request whose bytes are understood. */
export interface Accepted {
  readonly arrival: Arrival;
  readonly dialect: Dialect;
  /** The form that the body was, for dialects whose requests are forms. */
  readonly form: Form | null;
  /** The response that the call is about, for a call about one that the provider keeps. */
  readonly stored: StoredCall | null;
  /** The body as it came; it may be sent on only when nothing looked at the parsed one. */
  readonly raw: Buffer;
  readonly body: JsonObject;
  readonly request: ModelRequest;
  readonly credential: string;
  readonly tags: readonly TagFact[];
  /** The time limit the caller asked for, in milliseconds. */
  readonly timeoutMs: number | null;
}

const MAX_DEPTH = 64;

/**
 * Stage 1: bytes to a typed request.
 * @throws PortcullisError `body_too_large`, `unsupported_media_type`, `invalid_json`, `json_too_deep`, `invalid_request`,
 *   `client_disconnected`.
 */
export async function accept(
  arrival: Arrival,
  dialect: Dialect,
  message: IncomingMessage,
  settings: GatewaySettings,
): Promise<Accepted> {
  const credential = readCredential(arrival.headers, settings.keyHeaderName);
  // Nobody reads and parses megabytes for a caller without a key.
  if (credential === null) throw noKey();
  checkMediaType(arrival.headers, dialect);
  const raw = await readBody(message, settings.maxRequestBytes);
  const form = dialect.body === 'json' ? null : await readForm(raw, arrival.headers['content-type'] ?? '');
  const body = form === null ? parse(raw) : form.body;
  const request = dialect.read(body);
  if (request.control.fallbacks.length > 0) {
    throw new PortcullisError(
      'invalid_request',
      '"fallbacks" is not supported by this gateway yet: leave it out.',
      {
        param: 'fallbacks',
      },
    );
  }
  return {
    arrival,
    dialect,
    form,
    stored: null,
    raw,
    body,
    request,
    credential,
    tags: readTags(request.control.tags, arrival.headers, settings.addUserAgentTags),
    timeoutMs: readTimeout(request, arrival.headers),
  };
}

export function noKey(): PortcullisError {
  return new PortcullisError('authentication_failed', 'Authentication Error, No api key passed in.');
}

function checkMediaType(headers: IncomingHttpHeaders, { body }: Dialect): void {
  const type = headers['content-type'];
  const isJson = body === 'json';
  const fits = isJson
    ? type === undefined || /\bjson\b/iu.test(type)
    : type !== undefined && /^multipart\/form-data\s*;/iu.test(type);
  if (!fits) {
    const wanted = isJson ? 'application/json' : 'multipart/form-data';
    throw new PortcullisError('unsupported_media_type', `The content-type of the body must be ${wanted}.`);
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new PortcullisError('unsupported_media_type', 'The body must be sent without content-encoding.');
  }
}

/** Reads at most `limit` bytes. A body that says it is larger is refused before any of it is read. */
function readBody(message: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): PortcullisError =>
      new PortcullisError('body_too_large', `The body is larger than the limit of ${limit} bytes.`);
    if (Number(message.headers['content-length'] ?? 0) > limit) {
      reject(tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        message.off('data', onData);
        message.pause();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    };
    message.on('data', onData);
    message.once('end', () => {
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size));
    });
    const gone = (): void => {
      reject(
        new PortcullisError('client_disconnected', 'The connection closed before the body was complete.'),
      );
    };
    message.once('error', gone);
    message.once('close', () => {
      if (!message.complete) gone();
    });
  });
}

function parse(raw: Buffer): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(raw.toString('utf8'));
  } catch (cause) {
    const message = raw.length === 0 ? 'The body is empty.' : 'The body is not valid JSON.';
    throw new PortcullisError('invalid_json', message, { cause });
  }
  if (!isObject(body)) throw new PortcullisError('invalid_request', 'The body must be a JSON object.');
  if (isDeeperThan(body, MAX_DEPTH)) {
    throw new PortcullisError('json_too_deep', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
  return body;
}

/** Whether objects and arrays nest deeper than `levels`. Never goes deeper than that itself. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (isDeeperThan(item, levels - 1)) return true;
    return false;
  }
  const object = value as Readonly<Record<string, unknown>>;
  for (const key in object) if (isDeeperThan(object[key], levels - 1)) return true;
  return false;
}

/** The key, from the header of the configuration or one of those that clients of other providers send. */
export function readCredential(headers: IncomingHttpHeaders, ownHeader: string | null): string | null {
  const own = ownHeader === null ? undefined : headers[ownHeader];
  for (const value of [
    own,
    headers.authorization,
    headers['x-api-key'],
    headers['api-key'],
    headers['x-goog-api-key'],
  ]) {
    if (typeof value !== 'string' || value === '') continue;
    const secret = /^bearer\s/iu.test(value) ? value.slice(7).trim() : value.trim();
    if (secret !== '') return secret;
  }
  return null;
}

/**
 * The caller's tags (M7): body and header are united, because a tag of the caller can only add protection, and a proxy in
 * between that adds one by header must not lose it to the body.
 */
function readTags(
  fromBody: readonly string[],
  headers: IncomingHttpHeaders,
  addUserAgent: boolean,
): readonly TagFact[] {
  const tags: TagFact[] = [];
  const seen = new Set<string>();
  const add = (value: string, source: string): void => {
    if (value === '' || seen.has(value)) return;
    seen.add(value);
    tags.push({ value, trusted: false, source });
  };
  for (const tag of fromBody) add(tag, 'request');
  const header = headers['x-litellm-tags'];
  if (typeof header === 'string') for (const tag of header.split(',')) add(tag.trim(), 'header');
  const agent = headers['user-agent'];
  if (addUserAgent && agent !== undefined && agent !== '') {
    const slash = agent.indexOf('/');
    add(`User-Agent: ${slash < 0 ? agent : agent.slice(0, slash)}`, 'user_agent');
    if (slash >= 0) add(`User-Agent: ${agent}`, 'user_agent');
  }
  return tags;
}

function readTimeout(request: ModelRequest, headers: IncomingHttpHeaders): number | null {
  const stream = request.stream ? headers['x-litellm-stream-timeout'] : undefined;
  const header = stream ?? headers['x-litellm-timeout'];
  if (header === undefined) {
    const seconds = request.control.timeoutSeconds;
    return seconds === null ? null : Math.ceil(seconds * 1_000);
  }
  const seconds = Number(header);
  if (Number.isFinite(seconds) && seconds > 0) return Math.ceil(seconds * 1_000);
  throw new PortcullisError('invalid_request', 'The timeout header must be a positive number of seconds.', {
    param: stream === undefined ? 'x-litellm-timeout' : 'x-litellm-stream-timeout',
  });
}
