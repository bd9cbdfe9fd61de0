import {
  type Logout,
  logoutSchema,
  type OwnPassword,
  ownPasswordSchema,
  PortcullisError,
} from '@portcullis/contract';
import { actorOf, type ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { hashPassword, isPassword } from '../users/password.ts';
import { userNotFound } from '../users/read.ts';
import { sessionCookie } from './cookie.ts';
import type { LoginGuard } from './guard.ts';
import { openedAnswer, openSession } from './open.ts';
import { csrfToken } from './secrets.ts';

/** `GET /session`: who asks, with which role, in which teams; with a session also what writes have to carry. */
export function sessionRoute({ database }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/session',
    permission: 'self',
    async handler({ identity, client }) {
      const { role, policy, userEmail, session } = identity;
      const userId = policy.user_id;
      const email = userEmail?.toLowerCase() ?? null;
      const teams = userId === null ? [] : await database.stores.teams.list({ memberUserId: userId });
      const { sessionToken } = client;
      return {
        body: {
          user_id: userId,
          user_email: userEmail,
          user_role: role,
          login_method: session?.method ?? 'key',
          teams: teams.map(({ teamId, alias, members }) => ({
            team_id: teamId,
            team_alias: alias?.value ?? null,
            role: members.some(
              (member) =>
                member.role === 'admin' &&
                (member.user_id === userId ||
                  (member.user_id === null && email !== null && member.user_email?.toLowerCase() === email)),
            )
              ? 'admin'
              : 'user',
          })),
          csrf_token: session === undefined || sessionToken === null ? null : csrfToken(sessionToken),
          expires_at: session === undefined ? null : new Date(session.expiresAtMs).toISOString(),
        },
      };
    },
  };
}

/** `POST /logout`: ends the session that asks, or all of the same person. */
export function logoutRoute({ database, clock }: ControlContext): Route<Logout> {
  return {
    method: 'POST',
    path: '/logout',
    permission: 'self',
    body: logoutSchema,
    async handler({ body, identity, callId, client }) {
      const { session, policy } = identity;
      if (session === undefined) {
        throw new PortcullisError(
          'invalid_request',
          'A key has no session to end: sign in with POST /login first.',
        );
      }
      await database.transaction(async (stores) => {
        const { tokenHash, method } = session;
        if (body.everywhere) await stores.sessions.deleteOf([method === 'admin_key' ? null : policy.user_id]);
        else await stores.sessions.delete(tokenHash);
        await stores.audit.append({
          atMs: clock.now(),
          actor: actorOf(identity),
          action: body.everywhere ? 'session.logout_everywhere' : 'session.logout',
          object: { type: 'session', id: tokenHash },
          before: { user_id: policy.user_id, login_method: method },
          after: null,
          refused: null,
          callId,
        });
      });
      return {
        body: { logged_out: true },
        headers: { 'set-cookie': sessionCookie('', client.isSecure, 0) },
      };
    },
  };
}

/** `POST /user/password`: the own password, with the one before. Every other session of the caller ends. */
export function ownPasswordRoute({ database, clock }: ControlContext, guard: LoginGuard): Route<OwnPassword> {
  return {
    method: 'POST',
    path: '/user/password',
    permission: 'self',
    body: ownPasswordSchema,
    async handler({ body, identity, callId, client }) {
      const userId = identity.policy.user_id ?? '';
      const user = await database.stores.users.find(userId);
      if (user === null) throw userNotFound(userId);
      const former = await database.stores.users.passwordHash(userId);
      if (former === null) {
        throw new PortcullisError(
          'invalid_request',
          'This user has no password yet: ask an administrator for an invitation.',
        );
      }
      const account = user.email ?? userId;
      const fits = await guard.attempt(client.address, account, async () =>
        (await isPassword(body.current_password, former)) ? true : null,
      );
      if (fits === null) {
        throw new PortcullisError('login_failed', 'The current password is wrong.', {
          param: 'current_password',
        });
      }
      const passwordHash = await hashPassword(body.new_password);
      const nowMs = clock.now();
      const opened = await database.transaction(async (stores) => {
        const now = await stores.users.findForUpdate(userId);
        if (now === null || (await stores.users.passwordHash(userId)) !== former) {
          throw new PortcullisError('login_failed', 'The password was changed meanwhile.');
        }
        const { by, role } = actorOf(identity);
        await stores.users.update(userId, { passwordHash, updatedAtMs: nowMs, updatedBy: by });
        await stores.sessions.deleteOf([userId]);
        await stores.audit.append({
          atMs: nowMs,
          actor: { by, role },
          action: 'user.password',
          object: { type: 'user', id: userId },
          before: null,
          after: null,
          refused: null,
          callId,
        });
        if (identity.session === undefined) return null;
        return openSession(stores, { method: 'password', user: now, credential: null }, { nowMs, callId });
      });
      if (opened === null) return { body: { user_id: userId } };
      return openedAnswer(opened, 'password', client.isSecure);
    },
  };
}
