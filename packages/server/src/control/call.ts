import { errorAnswer, FieldsError, PortcullisError } from '@portcullis/contract';
import { DatabaseError } from '../ports/database.ts';
import type { Identity } from '../ports/identity.ts';
import { fieldProblems } from './problems.ts';
import type { Permission, RawRouteInput, Route, RouteAnswer } from './route.ts';

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
    return await route.handler({ body, query, params: input.params, identity, callId: input.callId });
  } catch (error) {
    const refusal = expected(error);
    if (input.identity !== null && refusal.status === 403) {
      await route.refused?.({ identity: input.identity, callId: input.callId, reason: refusal.message });
    }
    return errorAnswer(refusal);
  }
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
  if (!isAllowed(route.permission, route.method, identity)) {
    throw new PortcullisError(
      'admin_only',
      `Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=${route.path}. Your role=${identity.role}.`,
    );
  }
  return identity;
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

function expected(error: unknown): PortcullisError {
  if (error instanceof PortcullisError) return error;
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
