import { type Login, loginSchema, PortcullisError } from '@portcullis/contract';
import type { UserRecord } from '../../ports/users.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { hashPassword, isCurrentCost, isPassword } from '../users/password.ts';
import type { LoginGuard } from './guard.ts';
import { type Opened, openedAnswer, openSession } from './open.ts';

/** Of no password: whoever names an unknown account waits as long as for a wrong password. */
const NO_HASH = `scrypt$65536$8$1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
/** The name under which the reference takes the admin key as a password. */
const ADMIN_NAME = 'admin';

/** `POST /login`: the admin key, or the address and password of a user, for a session in a cookie. */
export function loginRoute(
  context: ControlContext,
  guard: LoginGuard,
  path: '/login' | '/v2/login',
): Route<Login> {
  return {
    method: 'POST',
    path,
    permission: 'open',
    body: loginSchema,
    async handler({ body, client, callId }) {
      const adminKey = adminKeyIn(body);
      const method = adminKey === null ? 'password' : 'admin_key';
      const about = { nowMs: context.clock.now(), callId };
      const name = (body.user_email ?? body.username ?? '').trim();
      const opened =
        adminKey === null
          ? await guard.attempt(client.address, name, () =>
              withPassword(context, name, body.password ?? '', about),
            )
          : await guard.attempt(client.address, null, () => withAdminKey(context, adminKey, about));
      if (opened === null) throw loginFailed(method);
      return openedAnswer(opened, method, client.isSecure);
    },
  };
}

/** `GET /login/options`: how one can sign in here, for the page that asks. */
export function loginOptionsRoute({ signIn: { sso } }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/login/options',
    permission: 'open',
    async handler() {
      const start = sso === null ? null : { label: sso.settings.label, url: '/sso/key/generate' };
      return { body: { admin_key: true, password: true, sso: start } };
    },
  };
}

interface About {
  readonly nowMs: number;
  readonly callId: string;
}

function adminKeyIn({ key, username, password }: Login): string | null {
  if (key !== undefined) return key.trim();
  return username?.trim().toLowerCase() === ADMIN_NAME ? (password ?? '') : null;
}

async function withAdminKey(
  { database, signIn }: ControlContext,
  key: string,
  about: About,
): Promise<Opened | null> {
  const { sessions } = signIn;
  if (!sessions.isAdminKey(key)) return null;
  const credential = sessions.adminCredential;
  return database.transaction((stores) =>
    openSession(stores, { method: 'admin_key', user: null, credential }, about),
  );
}

async function withPassword(
  { database }: ControlContext,
  email: string,
  password: string,
  about: About,
): Promise<Opened | null> {
  const user = await database.stores.users.findByEmail(email);
  const hash = user === null ? null : await database.stores.users.passwordHash(user.userId);
  const fits = await isPassword(password, hash ?? NO_HASH);
  if (user === null || hash === null || !fits) return null;
  const better = isCurrentCost(hash) ? null : await hashPassword(password);
  return database.transaction(async (stores) => {
    // Whoever has changed it meanwhile, or removed the user, has also ended the sessions: this must not be one more.
    const now = await stores.users.findForUpdate(user.userId);
    if (now === null || (await stores.users.passwordHash(user.userId)) !== hash) return null;
    if (better !== null) await renewHash(stores, now, better);
    return openSession(stores, { method: 'password', user: now, credential: null }, about);
  });
}

/** The same password under today's cost: no change that anybody made. */
async function renewHash(
  { users }: Parameters<Parameters<ControlContext['database']['transaction']>[0]>[0],
  { userId, updatedAtMs, updatedBy }: UserRecord,
  passwordHash: string,
): Promise<void> {
  await users.update(userId, { passwordHash, updatedAtMs, updatedBy });
}

function loginFailed(method: 'admin_key' | 'password'): PortcullisError {
  // The same words whether the account exists or not.
  return new PortcullisError(
    'login_failed',
    method === 'admin_key' ? 'This is not the admin key.' : 'The address or the password is wrong.',
  );
}
