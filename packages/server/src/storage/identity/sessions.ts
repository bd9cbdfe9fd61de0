import { createHmac, hash as digestOf, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import type { Sessions, SessionStore } from '../../ports/sessions.ts';
import { masterIdentity, userIdentity } from './principal.ts';

export interface SessionsOptions {
  readonly masterKey: string;
  readonly sessions: Pick<SessionStore, 'find'>;
  readonly clock: Clock;
}

/** What a token looks like: 32 random bytes in base 64 for addresses. */
const FORM = /^[\w-]{43}$/u;

/** Who holds a session. What is no token is not asked for. */
export function createSessions({ masterKey, sessions, clock }: SessionsOptions): Sessions {
  // Not the digest by which keys are looked up: what is kept here must open nothing anywhere.
  const adminCredential = createHmac('sha256', masterKey).update('portcullis session').digest('hex');
  const masterDigest = digestOf('sha256', masterKey, 'buffer');
  return {
    adminCredential,

    isAdminKey: (text) => timingSafeEqual(digestOf('sha256', text, 'buffer'), masterDigest),

    async find(token) {
      if (!FORM.test(token)) return null;
      const found = await sessions.find(digestOf('sha256', token), clock.now());
      if (found === null) return null;
      const { session, user } = found;
      const { tokenHash, method, expiresAtMs } = session;
      const opened = { tokenHash, method, expiresAtMs };
      if (method === 'admin_key') {
        return session.credential === adminCredential ? { ...masterIdentity(), session: opened } : null;
      }
      return user === null ? null : { ...userIdentity(user), session: opened };
    },
  };
}
