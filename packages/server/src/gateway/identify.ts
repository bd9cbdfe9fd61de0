import { PortcullisError } from '@portcullis/contract';
import type { Identities, Identity, IdentityResult } from '../ports/identity.ts';
import type { Admission } from '../ports/limits.ts';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import { type Accepted, noKey } from './accept.ts';
import type { Gateway } from './gateway.ts';
import { reserve } from './limits.ts';

/** A request whose caller is known and may ask. */
export interface Identified {
  readonly accepted: Accepted;
  readonly identity: Identity;
  /** What was reserved for the call; null for a caller without limits. The record stage settles it. */
  readonly admission: Admission | null;
}

/**
 * Stage 2: key to principal, and whether its limits allow the call. Answers without a promise when the key is in the cache
 * and calls are counted in memory.
 * @throws PortcullisError `authentication_failed`, `key_not_found`, `key_blocked`, `key_expired`, `identity_unavailable`,
 *   `key_type_forbidden`, `rate_limited`, `budget_exceeded`, `limits_unavailable`.
 */
export function identify(
  accepted: Accepted,
  gateway: Pick<Gateway, 'identities' | 'limits'>,
  snapshot: ActiveSnapshot,
): Identified | Promise<Identified> {
  const { time } = accepted.arrival;
  const identity = findCaller(accepted.credential, gateway.identities, time);
  return identity instanceof Promise
    ? identity.then((identity) => withinLimits(accepted, identity, gateway, snapshot))
    : withinLimits(accepted, identity, gateway, snapshot);
}

function withinLimits(
  accepted: Accepted,
  identity: Identity,
  gateway: Pick<Gateway, 'limits'>,
  snapshot: ActiveSnapshot,
): Identified | Promise<Identified> {
  const { keyType, limits } = identity;
  if (keyType === 'management' || keyType === 'read_only') {
    throw new PortcullisError(
      'key_type_forbidden',
      `This key may not call models: its key_type is ${keyType}.`,
    );
  }
  if (limits === undefined) return { accepted, identity, admission: null };
  const admission = reserve(accepted, identity, limits, snapshot, gateway);
  return admission instanceof Promise
    ? admission.then((admission) => ({ accepted, identity, admission }))
    : { accepted, identity, admission };
}

/** The caller of any route, by the key that was sent. `now` is in milliseconds since the epoch. */
export function findCaller(
  credential: string | null,
  identities: Identities,
  now: number,
): Identity | Promise<Identity> {
  if (credential === null) {
    throw noKey();
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
