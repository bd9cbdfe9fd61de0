import {
  errorAnswer,
  type FieldProblem,
  FieldsError,
  isStorable,
  PortcullisError,
} from '@portcullis/contract';
import { DatabaseError } from '../ports/database.ts';
import type { Identity } from '../ports/identity.ts';
import { UnreadableRowsError } from '../ports/policy-store.ts';
import { fieldProblems } from './problems.ts';
import type { Client, Permission, RawRouteInput, Route, RouteAnswer, WriteConditions } from './route.ts';

const NOWHERE: Client = Object.freeze({
  address: '',
  isSecure: false,
  sessionToken: null,
  ssoMemory: null,
  search: '',
});

/** Who asks on an `open` route without a key: may nothing. */
const NOBODY: Identity = Object.freeze({
  role: 'internal_user_viewer',
  policy: Object.freeze({
    key_hash: null,
    key_alias: null,
    team_id: null,
    team_alias: null,
    user_id: null,
    tags: [],
    settings: [],
    allow_policy_versions: false,
    model_aliases: {},
  }),
  userEmail: null,
  organizationId: null,
  keyModels: [],
  teamModels: null,
  storesPrompts: false,
  blocked: false,
  expiresAtMs: null,
});

/**
 * Answers one request on a management route: refuses who may not call it and what is not well-formed, runs the handler,
 * and turns an expected failure into its body (V9). What is not expected is thrown on, for the adapter to log.
 */
export async function callRoute(route: Route, input: RawRouteInput, nowMs: number): Promise<RouteAnswer> {
  try {
    const identity = admit(route, input.identity, nowMs);
    const body = parsed(route.body, input.body, 'body');
    const query = parsed(route.query, input.query, 'query');
    const { params, callId } = input;
    refuseUnstorable(params, 'path');
    refuseUnstorable(query, 'query');
    if (route.takesAnyText !== true) refuseUnstorable(body, 'body');
    const conditions = writeConditions(input.headers ?? {});
    const client = input.client ?? NOWHERE;
    return await route.handler({ body, query, params, identity, callId, conditions, client });
  } catch (error) {
    const refusal = expected(error);
    const { identity, callId, params } = input;
    if (identity !== null && isRecorded(route, refusal)) {
      await route.refused?.({ identity, callId, reason: refusal.message, params });
    }
    return { ...errorAnswer(refusal), headers: refusal.headers };
  }
}

/** Faults of the server are no refusals. */
function isRecorded({ recordsEveryRefusal }: Route, { status }: PortcullisError): boolean {
  return status === 403 || (recordsEveryRefusal === true && status < 500);
}

// oxlint-disable-next-line no-control-regex -- what no header value may hold
const KEY_FORM = /^[^\u0000-\u001f\u007f]{1,255}$/u;
const REVISION_FORM = /^(?:W\/)?"?(\d{1,15})"?$/u;

function writeConditions(headers: NonNullable<RawRouteInput['headers']>): WriteConditions {
  const problems: FieldProblem[] = [];
  const idempotencyKey = headers['idempotency-key'] ?? null;
  if (idempotencyKey !== null && (typeof idempotencyKey !== 'string' || !KEY_FORM.test(idempotencyKey))) {
    problems.push(headerProblem('idempotency-key', 'is one text of 1 to 255 characters'));
  }
  const match = headers['if-match'] ?? null;
  const revision = typeof match === 'string' ? REVISION_FORM.exec(match)?.[1] : undefined;
  if (match !== null && match !== '*' && revision === undefined) {
    problems.push(headerProblem('if-match', 'is the revision of x-portcullis-revision, or *'));
  }
  if (problems.length > 0) throw new FieldsError(problems);
  return {
    ifMatch: revision === undefined ? null : Number(revision),
    idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : null,
  };
}

function headerProblem(name: string, msg: string): FieldProblem {
  return { loc: ['header', name], msg, type: 'value' };
}

function admit(route: Route, identity: Identity | null, nowMs: number): Identity {
  if (route.permission === 'open') return identity ?? NOBODY;
  if (identity === null) {
    throw new PortcullisError('authentication_failed', 'Authentication Error, No api key passed in.');
  }
  if (identity.blocked) {
    throw new PortcullisError('key_blocked', "Key is blocked. Update via `/key/unblock` if you're an admin.");
  }
  if (identity.expiresAtMs !== null && identity.expiresAtMs <= nowMs) {
    const when = new Date(identity.expiresAtMs).toISOString();
    throw new PortcullisError('key_expired', `Authentication Error - Expired Key. Key Expiry time ${when}`);
  }
  refuseKeyType(route, identity);
  if (!isAllowed(route.permission, route.method, identity)) {
    throw new PortcullisError(
      'admin_only',
      route.roleRefusal ??
        `Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=${route.path}. Your role=${identity.role}.`,
    );
  }
  return identity;
}

/** A key for calls of models manages nothing, and one for reading changes nothing. */
function refuseKeyType({ method, path }: Route, { keyType }: Identity): void {
  const isHealth = path === '/key/health';
  const isOwnInfo = path === '/key/info' || path === '/model/info' || path === '/v1/model/info';
  const isRefused =
    (keyType === 'llm_api' && !isHealth && !isOwnInfo) ||
    (keyType === 'read_only' && method !== 'GET' && !isHealth);
  if (!isRefused) return;
  throw new PortcullisError(
    'key_type_forbidden',
    `This key may not call ${method} ${path}: its key_type is ${keyType}.`,
  );
}

function isAllowed(
  permission: Exclude<Permission, 'open'>,
  method: Route['method'],
  { role }: Identity,
): boolean {
  switch (permission) {
    case 'admin':
      return role === 'proxy_admin';
    case 'admin_viewer':
      return role === 'proxy_admin' || role === 'proxy_admin_viewer';
    case 'self':
      return true;
    case 'any_key':
      return method === 'GET' || role === 'proxy_admin' || role === 'internal_user';
  }
}

function parsed(schema: Route['body'], value: unknown, root: 'body' | 'query'): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FieldsError(fieldProblems(schema, result.error, root));
}

/** A text that no database can hold names nothing there, and cannot be kept. */
function refuseUnstorable(members: unknown, root: 'path' | 'query' | 'body'): void {
  if (typeof members !== 'object' || members === null) return;
  const problems = Object.entries(members)
    .filter(([name, value]: [string, unknown]) => !isStorable({ [name]: value }))
    .map(([name]) => ({
      loc: [root, name],
      msg: 'must not contain U+0000 or half of a surrogate pair',
      type: 'value',
    }));
  if (problems.length > 0) throw new FieldsError(problems);
}

function expected(error: unknown): PortcullisError {
  if (error instanceof PortcullisError) return error;
  if (error instanceof UnreadableRowsError) {
    return new PortcullisError('stored_rows_unreadable', error.message, { fields: { rows: error.rows } });
  }
  if (!(error instanceof DatabaseError)) throw error;
  switch (error.kind) {
    case 'unavailable':
    case 'timeout':
      return new PortcullisError('database_unavailable', `Database not connected: ${error.message}`, {
        cause: error,
      });
    case 'conflict':
      return new PortcullisError('name_taken', 'Another request has changed the same object; try again.', {
        cause: error,
      });
    case 'locked':
    case 'incompatible':
    case 'fault':
      throw error;
  }
}
