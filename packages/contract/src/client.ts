import type { z } from 'zod';
import type { FieldProblem } from './answers.ts';
import type { ErrorCode } from './errors.ts';
import type { RouteName, RouteTable } from './routes/index.ts';

/**
 * A client of the management routes, for browsers and Node. Its types come from the table that the gateway itself is
 * described by (`ROUTES`); of that table nothing is loaded, so that a page pays for a few lines only.
 */

type Path<Name extends string> = Name extends `${string} ${infer Rest}` ? Rest : never;
type ParamNames<Text extends string> = Text extends `${string}:${infer Rest}`
  ? Rest extends `${infer One}/${infer More}`
    ? One | ParamNames<More>
    : Rest
  : never;

type Declared<Name extends RouteName, Member extends string> =
  RouteTable[Name] extends Record<Member, infer Schema extends z.ZodType> ? z.input<Schema> : never;

/** A part of a request: not there when the route takes none, and free to leave out when nothing in it is needed. */
type Part<Member extends string, Value> = [Value] extends [never]
  ? { readonly [Name in Member]?: undefined }
  : undefined extends Value
    ? { readonly [Name in Member]?: Value }
    : Partial<Value> extends Value
      ? { readonly [Name in Member]?: Value }
      : { readonly [Name in Member]: Value };

type Params<Name extends RouteName> = [ParamNames<Path<Name>>] extends [never]
  ? never
  : Readonly<Record<ParamNames<Path<Name>>, string>>;

/** What a call of one route takes. */
export type RequestOf<Name extends RouteName> = Part<'params', Params<Name>> &
  Part<'query', Declared<Name, 'query'>> &
  Part<'body', Declared<Name, 'body'>> &
  CallOptions;

/** What one route answers when all is well. */
export type AnswerOf<Name extends RouteName> = z.output<RouteTable[Name]['answer']>;

type Headers = Readonly<Record<string, string>>;

interface CallOptions {
  /** The revision that the change was made for: another one in between is refused with `revision_stale` (V7). */
  readonly ifMatch?: number;
  /** A retry with the same key gets the first answer again (V7). */
  readonly idempotencyKey?: string;
  /** A replica that does not have this revision yet waits for it, or answers 503 (S6). */
  readonly minRevision?: number;
  readonly signal?: AbortSignalLike;
}

/** A good answer with what its headers say. */
export interface Answered<Body> {
  readonly status: number;
  readonly body: Body;
  /** The revision that the answer was given at, where the route tells it. */
  readonly revision: number | null;
  readonly callId: string | null;
  /** A kept answer to a request with the same `Idempotency-Key`. */
  readonly replayed: boolean;
}

export interface ClientOptions {
  /** Where the gateway is, for example `https://gateway.example.org`; empty for the page's own origin. */
  readonly baseUrl?: string;
  /** The key, or a function that is asked before each request; without one no key is sent. */
  readonly key?: string | (() => string | null | Promise<string | null>);
  /** Headers that requests carry besides, asked for before each when it is a function: a session's `x-csrf-token`. */
  readonly headers?: Headers | (() => Headers);
  readonly fetch?: Fetch;
}

/** Calls one route by its name, for example `call('GET /policies/list')`. @throws ApiError for everything but 2xx. */
export type Call = <Name extends RouteName>(
  name: Name,
  ...request: Partial<RequestOf<Name>> extends RequestOf<Name> ? [RequestOf<Name>?] : [RequestOf<Name>]
) => Promise<Answered<AnswerOf<Name>>>;

/** `unreachable`: no answer came. `not_understood`: an answer came from something that is no gateway. */
export type ApiErrorCode = ErrorCode | 'unreachable' | 'not_understood';

/** Why a call has no good answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  /** 0 when there was no answer. */
  readonly status: number;
  /** The field at fault. */
  readonly param: string | null;
  readonly nextStep: string | null;
  /** One entry for each wrong field of a body or query (422). */
  readonly problems: readonly FieldProblem[];
  /** Everything else that the error holds, for example `dependents` or the newest `revision`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly callId: string | null;

  constructor(
    message: string,
    about: {
      readonly code: ApiErrorCode;
      readonly status: number;
      readonly param?: string | null;
      readonly nextStep?: string | null;
      readonly problems?: readonly FieldProblem[];
      readonly fields?: Readonly<Record<string, unknown>>;
      readonly callId?: string | null;
      readonly cause?: unknown;
    },
  ) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause });
    this.code = about.code;
    this.status = about.status;
    this.param = about.param ?? null;
    this.nextStep = about.nextStep ?? null;
    this.problems = about.problems ?? [];
    this.fields = about.fields ?? {};
    this.callId = about.callId ?? null;
  }
}

export function createClient(options: ClientOptions = {}): Call {
  const { baseUrl = '', key = null, headers = {}, fetch = globalFetch() } = options;
  const send = async (name: string, request: LooseRequest): Promise<Answered<unknown>> => {
    const [method = '', template = ''] = name.split(' ');
    const url = baseUrl.replace(/\/+$/u, '') + filled(template, request.params ?? {}) + search(request.query);
    const secret = typeof key === 'function' ? await key() : key;
    const { body, signal } = request;
    let answer: ResponseLike;
    try {
      answer = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(typeof headers === 'function' ? headers() : headers),
          ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...conditions(request),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw new ApiError(`The gateway did not answer ${name}: ${textOf(cause)}`, {
        code: 'unreachable',
        status: 0,
        nextStep: 'Check that the gateway runs and that this address reaches it.',
        cause,
      });
    }
    return understood(name, answer);
  };
  return ((name: string, request: LooseRequest = {}) => send(name, request)) as Call;
}

async function understood(name: string, answer: ResponseLike): Promise<Answered<unknown>> {
  const { status } = answer;
  const callId = answer.headers.get('x-litellm-call-id');
  let body: unknown;
  try {
    body = JSON.parse(await answer.text());
  } catch (cause) {
    throw new ApiError(`The answer to ${name} (${status}) is no JSON.`, {
      code: 'not_understood',
      status,
      callId,
      nextStep: 'Check that the address is that of the gateway and not of something in front of it.',
      cause,
    });
  }
  if (status < 200 || status > 299) throw refusal(name, status, body, callId);
  const revision = answer.headers.get('x-portcullis-revision');
  return {
    status,
    body,
    revision: revision === null ? null : Number(revision),
    callId,
    replayed: answer.headers.get('idempotent-replayed') === 'true',
  };
}

function refusal(name: string, status: number, body: unknown, callId: string | null): ApiError {
  const { error, detail } = membersOf(body);
  const {
    message,
    type: _,
    param,
    code: __,
    portcullis_code: code,
    next_step: next,
    ...fields
  } = membersOf(error);
  return new ApiError(typeof message === 'string' ? message : `${name} was refused with ${status}.`, {
    code: typeof code === 'string' ? (code as ErrorCode) : 'not_understood',
    status,
    param: typeof param === 'string' ? param : null,
    nextStep: typeof next === 'string' ? next : null,
    problems: Array.isArray(detail) ? (detail as FieldProblem[]) : [],
    fields,
    callId,
  });
}

interface LooseRequest extends CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: unknown;
  readonly body?: unknown;
}

function conditions({ ifMatch, idempotencyKey, minRevision }: CallOptions): Readonly<Record<string, string>> {
  return {
    ...(ifMatch === undefined ? {} : { 'if-match': String(ifMatch) }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    ...(minRevision === undefined ? {} : { 'x-portcullis-min-revision': String(minRevision) }),
  };
}

function filled(template: string, params: Readonly<Record<string, string>>): string {
  return template.replaceAll(/:(\w+)/gu, (_, name: string) => {
    const value = params[name];
    // An empty or dotted segment would be another route.
    if (value === undefined || value === '' || value === '.' || value === '..') {
      throw new TypeError(`${template} needs params.${name}`);
    }
    return encodeURIComponent(value);
  });
}

function search(query: unknown): string {
  const pairs = Object.entries(membersOf(query)).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value])
      .filter((one) => one !== undefined && one !== null)
      .map(
        (one) => `${encodeURIComponent(name)}=${encodeURIComponent(`${one as string | number | boolean}`)}`,
      ),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

// ── What is used of the platform: browsers and Node both have it, and this package asks for the types of neither. ───

interface AbortSignalLike {
  readonly aborted: boolean;
}

interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- the platform's own AbortSignal, whose type is not known here
    readonly signal?: any;
  },
) => Promise<ResponseLike>;

function globalFetch(): Fetch {
  const { fetch } = globalThis as unknown as { readonly fetch: Fetch };
  // Browsers refuse a fetch that is called as a method of something else.
  return (url, init) => fetch(url, init);
}
