import type { Stores } from '../../ports/database.ts';
import type { LoginMethod, Role } from '../../ports/identity.ts';
import type { UserRecord } from '../../ports/users.ts';
import type { RouteAnswer } from '../route.ts';
import { sessionCookie } from './cookie.ts';
import { csrfToken, newToken, tokenHash } from './secrets.ts';

/** A working day; nothing prolongs it. */
const SESSION_MS = 12 * 3_600_000;

/** Who is let in. */
export interface Entrant {
  readonly method: LoginMethod;
  /** Null for the holder of the admin key. */
  readonly user: UserRecord | null;
  readonly credential: string | null;
}

export interface Opened {
  readonly token: string;
  readonly role: Role;
  readonly userId: string;
  readonly email: string | null;
  readonly expiresAtMs: number;
}

/** Begins a session, as part of the transaction that has made sure of the entrant. */
export async function openSession(
  stores: Stores,
  { method, user, credential }: Entrant,
  about: { readonly nowMs: number; readonly callId: string },
): Promise<Opened> {
  const token = newToken();
  const hash = tokenHash(token);
  const expiresAtMs = about.nowMs + SESSION_MS;
  await stores.sessions.insert({
    tokenHash: hash,
    userId: user?.userId ?? null,
    method,
    credential,
    createdAtMs: about.nowMs,
    expiresAtMs,
  });
  const role = user?.role ?? 'proxy_admin';
  const userId = user?.userId ?? 'default_user_id';
  await stores.audit.append({
    atMs: about.nowMs,
    actor: { by: userId, role },
    action: 'session.login',
    object: { type: 'session', id: hash },
    before: null,
    after: { user_id: userId, login_method: method, expires_at: new Date(expiresAtMs).toISOString() },
    refused: null,
    callId: about.callId,
  });
  return { token, role, userId, email: user?.email ?? null, expiresAtMs };
}

/** What somebody who was let in is told. The token itself goes into the cookie alone. */
export function openedAnswer(
  { token, role, userId, email, expiresAtMs }: Opened,
  method: LoginMethod,
  isSecure: boolean,
): RouteAnswer {
  return {
    body: {
      user_id: userId,
      user_email: email,
      user_role: role,
      login_method: method,
      csrf_token: csrfToken(token),
      expires_at: new Date(expiresAtMs).toISOString(),
      redirect_url: '/ui',
    },
    headers: { 'set-cookie': sessionCookie(token, isSecure, SESSION_MS) },
  };
}
