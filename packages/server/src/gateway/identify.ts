import { PortcullisError } from '@portcullis/contract';
import type { Identities, Identity, IdentityResult } from '../ports/identity.ts';
import type { Accepted } from './accept.ts';

/** A request whose caller is known and may ask. */
export interface Identified {
  readonly accepted: Accepted;
  readonly identity: Identity;
}

/**
 * Stage 2: key to principal. Answers without a promise when the key is in the cache.
 * @throws PortcullisError `authentication_failed`, `key_not_found`, `key_blocked`, `key_expired`, `identity_unavailable`.
 */
export function identify(accepted: Accepted, identities: Identities): Identified | Promise<Identified> {
  const { time } = accepted.arrival;
  const identity = findCaller(accepted.credential, identities, time);
  return identity instanceof Promise
    ? identity.then((identity) => ({ accepted, identity }))
    : { accepted, identity };
}

/** The caller of any route, by the key that was sent. `now` is in milliseconds since the epoch. */
export function findCaller(
  credential: string | null,
  identities: Identities,
  now: number,
): Identity | Promise<Identity> {
  if (credential === null) {
    throw new PortcullisError('authentication_failed', 'Authentication Error, No api key passed in.');
  }
  const result = identities.find(credential);
  return result instanceof Promise ? result.then((result) => admitted(result, now)) : admitted(result, now);
}

function admitted(result: IdentityResult, now: number): Identity {
  switch (result.kind) {
    case 'unavailable':
      throw new PortcullisError('identity_unavailable', `The key cannot be looked up: ${result.reason}`);
    case 'unknown':
      throw new PortcullisError(
        'key_not_found',
        'Authentication Error, Invalid proxy server token passed. The key was not found in db.',
      );
    case 'found':
      break;
  }
  const { identity } = result;
  if (identity.blocked) {
    throw new PortcullisError('key_blocked', "Key is blocked. Update via `/key/unblock` if you're an admin.");
  }
  if (identity.expiresAtMs !== null && identity.expiresAtMs <= now) {
    const expiry = new Date(identity.expiresAtMs).toISOString();
    throw new PortcullisError('key_expired', `Authentication Error - Expired Key. Key Expiry time ${expiry}`);
  }
  return identity;
}
