import {
  type Dialect,
  DIALECTS,
  type ErrorCode,
  errorAnswer,
  isStorable,
  PortcullisError,
} from '@portcullis/contract';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerOptions } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { callRoute } from '../control/call.ts';
import type { Route } from '../control/route.ts';
import { isDeeperThan } from '../gateway/accept.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { findCaller } from '../gateway/identify.ts';
import { type Caller, callerOf } from './caller.ts';
import { listModels } from '../gateway/models.ts';
import { serveModel, serveStored } from '../gateway/pipeline.ts';
import { DatabaseError } from '../ports/database.ts';
import type { Identity } from '../ports/identity.ts';
import type { Sessions } from '../ports/sessions.ts';
import { mountDocs } from './docs.ts';
import { mountDashboard } from './dashboard.ts';
import { InFlight } from './in-flight.ts';
import { addSecurityHeaders, mountSecurityHeaders } from './security-headers.ts';

const MAX_CONTROL_BYTES = 10 * 1024 * 1024;
/** Of a body that anybody may send. */
const MAX_OPEN_BYTES = 64 * 1024;
const MAX_DEPTH = 64;

/** What readiness says (S2). `status` is the HTTP status. */
export interface Readiness {
  readonly status: 200 | 503;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface HttpParts {
  readonly gateway: Gateway;
  readonly controlRoutes: readonly Route[];
  /** Who has signed in to the control plane. */
  readonly sessions: Sessions;
  readonly readiness: () => Promise<Readiness>;
  /** The metrics of this process, as text. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  /** A record that this process no longer remembers, or another one wrote. */
  readonly storedRecord: (callId: string) => Promise<Readonly<Record<string, unknown>> | null>;
}

export interface HttpServer {
  /** Gives the address it listens on. @throws what the system says of a port that cannot be used. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no new connections, lets running requests end for `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Method and path of everything that is mounted, for `GET /routes` and for telling 404 from 405. */
interface Mounted {
  readonly method: string;
  readonly path: string;
  readonly matches: RegExp;
}

/** Adapts both planes to Fastify. */
export function createHttpServer(parts: HttpParts): HttpServer {
  const inFlight = new InFlight();
  let closing = false;
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_CONTROL_BYTES,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    // Closing says itself which connections go, and when.
    forceCloseConnections: false,
    // Names of policies have up to 256 characters, each of them up to twelve in a path.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4_096 },
    serverFactory: (handler, options) =>
      createServer(options as ServerOptions, (message, response) => {
        // The hot route needs nothing of the framework, whose request and reply objects cost a tenth of the whole.
        inFlight.enter(response);
        if (closing) response.shouldKeepAlive = false;
        const dialect = message.method === 'POST' ? MODEL_PATHS.get(message.url ?? '') : undefined;
        if (dialect !== undefined) void serveModel(parts.gateway, dialect, message, response);
        else handler(message, response);
      }),
    // A path that cannot be decoded matches no route.
    frameworkErrors: (_error, request, reply) => {
      addSecurityHeaders(request, reply);
      void notFound(parts.gateway, mounted, request, reply);
    },
  });
  const mounted: Mounted[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of Array.isArray(method) ? method : [method]) {
      mounted.push({ method: name, path: url, matches: pathPattern(url) });
    }
  });
  mountSecurityHeaders(app);
  mountDataPlane(app, parts);
  mountStored(app, parts);
  mountHealth(app, parts, mounted);
  mountControlPlane(app, parts);
  mountDashboard(app);
  mountDocs(app, { version: parts.gateway.version, mounted, routes: parts.controlRoutes });
  app.setNotFoundHandler((request, reply) => notFound(parts.gateway, mounted, request, reply));
  return {
    listen: (port, host) => app.listen({ port, host }),
    async close(graceMs) {
      closing = true;
      // HTTP's own close would also cut callers who have just connected and are about to ask.
      NetServer.prototype.close.call(app.server);
      if (await hasConnections(app.server)) await delay(LAST_CALL_MS);
      await inFlight.drained(graceMs);
      // What is left are connections without a request, which would only end by their own time limits.
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** How long a connection that is there already may still bring a request when the server stops, in milliseconds. */
const LAST_CALL_MS = 150;

function hasConnections(server: NetServer): Promise<boolean> {
  return new Promise((resolve) => {
    server.getConnections((error, count) => resolve(error !== null || count > 0));
  });
}

/** Every route exists with and without `/v1`. */
const MODEL_PATHS: ReadonlyMap<string, Dialect> = new Map(
  DIALECTS.flatMap((dialect) => [
    [`/v1${dialect.path}`, dialect],
    [dialect.path, dialect],
  ]),
);

function requireViewer(identity: Identity | null): void {
  if (identity === null) throw nobody();
  if (identity.role === 'proxy_admin' || identity.role === 'proxy_admin_viewer') return;
  throw new PortcullisError('admin_only', 'Admin-only endpoint. Not allowed to access this.');
}

/** The same routes for the router: with a query or a trailing slash, in the list of routes, and for 405. */
function mountDataPlane(app: FastifyInstance, { gateway }: HttpParts): void {
  for (const [url, dialect] of MODEL_PATHS) {
    app.route({
      method: 'POST',
      url,
      // The pipeline reads the body and writes the answer itself; the framework only found the route.
      onRequest: (request: FastifyRequest, reply: FastifyReply): void => {
        reply.hijack();
        void serveModel(gateway, dialect, request.raw, reply.raw);
      },
      handler: () => undefined,
    });
  }
}

/** Responses that a provider keeps. */
function mountStored(app: FastifyInstance, { gateway }: HttpParts): void {
  for (const prefix of ['', '/v1']) {
    for (const [method, action] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/cancel'],
    ] as const) {
      app.route<{ Params: { response_id: string } }>({
        method,
        url: `${prefix}/responses/:response_id${action}`,
        onRequest: (request, reply): void => {
          reply.hijack();
          const call = { id: request.params.response_id, method, action };
          void serveStored(gateway, call, request.raw, reply.raw);
        },
        handler: () => undefined,
      });
    }
  }
}

function mountHealth(
  app: FastifyInstance,
  { gateway, sessions, readiness, metrics, storedRecord }: HttpParts,
  mounted: readonly Mounted[],
): void {
  for (const url of ['/health/liveliness', '/health/liveness']) {
    app.get(url, (_request, reply) => reply.type('application/json').send('"I\'m alive!"'));
  }
  app.get('/health/readiness', async (_request, reply) => {
    const { status, body } = await readiness();
    return reply.code(status).send(body);
  });
  app.get('/routes', (_request, reply) => {
    const byPath = new Map<string, string[]>();
    for (const { method, path } of mounted) byPath.set(path, [...(byPath.get(path) ?? []), method]);
    return reply.send({ routes: [...byPath].map(([path, methods]) => ({ path, methods })) });
  });
  for (const [url, answer] of [
    ['/v1/models', listModels],
    ['/models', listModels],
  ] as const) {
    app.get(url, (request, reply) =>
      answerCaller({ gateway, sessions }, request, reply, (identity) => {
        const snapshot = gateway.snapshots.current();
        if (snapshot === null)
          throw new PortcullisError('policy_not_ready', 'No policy snapshot is loaded yet.');
        return answer(snapshot, identity);
      }),
    );
  }
  app.get<{ Params: { call_id: string } }>('/debug/requests/:call_id', (request, reply) =>
    answerCaller({ gateway, sessions }, request, reply, (identity) =>
      debugRecord(request.params.call_id, identity),
    ),
  );

  app.get('/metrics', async (request, reply) => {
    own(gateway, reply);
    try {
      const { identity } = await callerOf(request, { gateway, sessions, isOpen: false });
      requireViewer(identity);
      const { type, text } = await metrics();
      return await reply.type(type).send(text);
    } catch (error) {
      return sendFailure(gateway, reply, error);
    }
  });

  async function debugRecord(callId: string, identity: Identity | null): Promise<object> {
    requireViewer(identity);
    const record = gateway.telemetry.find(callId) ?? (isStorable(callId) ? await storedRecord(callId) : null);
    if (record === null) {
      throw new PortcullisError(
        'not_found',
        'No request with this call id is among the newest 1,000 of this process or in the log store.',
      );
    }
    return record;
  }
}

/** Answers one read of the data plane, to a key or, for the dashboard, to a session. */
async function answerCaller(
  { gateway, sessions }: Pick<HttpParts, 'gateway' | 'sessions'>,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: (identity: Identity) => unknown,
): Promise<FastifyReply> {
  own(gateway, reply);
  try {
    const { identity } = await callerOf(request, { gateway, sessions, isOpen: false });
    const caller = identity ?? (await findCaller(null, gateway.identities, gateway.clock.now()));
    return await reply.send(await answer(caller));
  } catch (error) {
    return sendFailure(gateway, reply, error);
  }
}

function mountControlPlane(app: FastifyInstance, parts: HttpParts): void {
  const { gateway, controlRoutes } = parts;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, raw, done) => {
    try {
      done(null, parseBody(raw as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler((error, _request, reply) => sendFailure(gateway, reply, error));
  for (const route of controlRoutes) {
    const isOpen = route.permission === 'open';
    const callers = new WeakMap<FastifyRequest, Called>();
    app.route({
      method: route.method,
      url: route.path,
      bodyLimit: isOpen ? MAX_OPEN_BYTES : MAX_CONTROL_BYTES,
      // Before the body is read: strangers cannot have large ones taken in.
      onRequest: async (request, reply) => {
        const callId = own(gateway, reply);
        const { identity, client } = await callerOf(request, { gateway, sessions: parts.sessions, isOpen });
        if (identity === null && !isOpen) throw nobody();
        callers.set(request, { callId, identity, client });
      },
      handler: (request, reply) => answerControl(gateway, route, request, reply, callers.get(request)),
    });
  }
}

interface Called extends Caller {
  readonly callId: string;
}

const nobody = (): PortcullisError =>
  new PortcullisError('authentication_failed', 'Authentication Error, No api key passed in.');

async function answerControl(
  gateway: Gateway,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  called: Called | undefined,
): Promise<FastifyReply> {
  try {
    if (called === undefined) throw nobody();
    const answer = await callRoute(
      route,
      {
        body: request.body ?? undefined,
        query: request.query,
        params: request.params as Readonly<Record<string, string>>,
        headers: request.headers,
        ...called,
      },
      gateway.clock.now(),
    );
    if (answer.headers !== undefined) void reply.headers(answer.headers);
    return await reply.code(answer.status ?? 200).send(answer.body);
  } catch (error) {
    return sendFailure(gateway, reply, error);
  }
}

function parseBody(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(raw.toString('utf8'));
  } catch (cause) {
    throw new PortcullisError('invalid_json', 'The body is not valid JSON.', { cause });
  }
  if (isDeeperThan(body, MAX_DEPTH)) {
    throw new PortcullisError('json_too_deep', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
  return body;
}

/** The headers that every answer of ours has. Gives the call id. */
function own(gateway: Gateway, reply: FastifyReply): string {
  const callId = randomUUID();
  void reply.header('x-litellm-call-id', callId).header('x-litellm-version', gateway.version);
  const snapshot = gateway.snapshots.current();
  if (snapshot !== null) void reply.header('x-portcullis-revision', snapshot.revision);
  return callId;
}

/** The framework's own refusals, by its codes. */
const FRAMEWORK_CODES: Readonly<Record<string, { readonly code: ErrorCode; readonly message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'body_too_large',
    message: `The body is larger than this route takes: ${MAX_CONTROL_BYTES} bytes with a key or session, ${MAX_OPEN_BYTES} without.`,
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_request',
    message: 'The body does not have the length that content-length says.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    message: 'The content-type of the body must be application/json.',
  },
};

function sendFailure(gateway: Gateway, reply: FastifyReply, error: unknown): FastifyReply {
  const told = asError(error);
  if (told.code === 'internal') gateway.telemetry.fault('http', error);
  const { status, body } = errorAnswer(told);
  return reply.headers(told.headers).code(status).send(body);
}

function asError(error: unknown): PortcullisError {
  if (error instanceof PortcullisError) return error;
  if (error instanceof DatabaseError && (error.kind === 'unavailable' || error.kind === 'timeout')) {
    const message = `Database not connected: ${error.message}`;
    return new PortcullisError('database_unavailable', message, { cause: error });
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = FRAMEWORK_CODES[code];
  if (known !== undefined) return new PortcullisError(known.code, known.message, { cause: error });
  return new PortcullisError('internal', 'The gateway failed to process the request.', { cause: error });
}

/** 405 with the allowed methods when the path exists, else 404. */
function notFound(
  gateway: Gateway,
  mounted: readonly Mounted[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  own(gateway, reply);
  const path = pathOf(request.raw);
  const allowed = mounted.filter(({ matches }) => matches.test(path)).map(({ method }) => method);
  // A path that has the form of a route and still is none, as one that cannot be decoded, is not found.
  if (allowed.length > 0 && !allowed.includes(request.method)) {
    void reply.header('allow', [...new Set(allowed)].join(', '));
    const message = `${request.method} is not possible on ${path}.`;
    return sendFailure(gateway, reply, new PortcullisError('method_not_allowed', message));
  }
  return sendFailure(
    gateway,
    reply,
    new PortcullisError('route_not_found', `There is no route ${request.method} ${path}.`),
  );
}

/** The path as it was sent, without its query, which may hold what must not be repeated; cut for the message. */
function pathOf(message: IncomingMessage): string {
  const [path = '/'] = (message.url ?? '/').split('?', 1);
  return path.slice(0, 256);
}

function pathPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) =>
      part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'),
    )
    .join('/');
  return new RegExp(`^${source}/?$`, 'u');
}
