import { randomBytes } from 'node:crypto';
import {
  durationMs,
  type GenerateKey,
  generateKeySchema,
  PortcullisError,
  type ServiceAccountKey,
  serviceAccountKeySchema,
} from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord, NewKey } from '../../ports/keys.ts';
import { actorOf, type ControlContext, isAdmin, setByOf } from '../context.ts';
import { applyKeyLimits } from '../limits.ts';
import { applyProtection, type ProtectionRequest, readProtection, withoutNothing } from '../protection.ts';
import type { Route } from '../route.ts';
import { isTeamAdmin, isTeamMember, requireTeam } from '../teams/access.ts';
import { aliasTaken, hashOfReference, keyNotFound, notYours } from './access.ts';
import { keyAnswer, keyInfo } from './shape.ts';

/** `POST /key/generate`: the only answer that shows the key. */
export function generateKeyRoute(context: ControlContext): Route<GenerateKey> {
  return {
    method: 'POST',
    path: '/key/generate',
    permission: 'any_key',
    body: generateKeySchema,
    async handler({ body, identity, callId }) {
      return { body: await generate(context, body, identity, callId, null) };
    },
  };
}

/** `POST /key/service-account/generate`: a key that belongs to a team and to no user, so that it outlives everybody. */
export function serviceAccountKeyRoute(context: ControlContext): Route<ServiceAccountKey> {
  return {
    method: 'POST',
    path: '/key/service-account/generate',
    permission: 'any_key',
    body: serviceAccountKeySchema,
    async handler({ body, identity, callId }) {
      const name = body.key_alias ?? `service-account-${randomBytes(6).toString('hex')}`;
      return { body: await generate(context, body, identity, callId, name) };
    },
  };
}

async function generate(
  { database, clock, knownNames }: ControlContext,
  body: GenerateKey,
  identity: Identity,
  callId: string,
  serviceAccount: string | null,
): Promise<Readonly<Record<string, unknown>>> {
  const nowMs = clock.now();
  const secret = body.key ?? newSecret();
  const request = readProtection(body, { knownNames, object: 'key' });
  const key = await database.transaction(async (stores) => {
    const wish = { stores, identity, body, request, secret, nowMs, serviceAccount };
    return insertKey(stores, await newKey(wish), { nowMs, identity, callId, action: 'key.generate' });
  });
  return keyAnswer(key, secret);
}

/** A key that nobody can guess. */
export function newSecret(): string {
  return `sk-${randomBytes(32).toString('base64url')}`;
}

/** The end of a key, by which people know it. */
export function keyNameOf(secret: string): string {
  return `sk-...${secret.slice(-4)}`;
}

/** Stores a new key and writes it into the audit log. */
export async function insertKey(
  stores: Stores,
  fresh: NewKey,
  {
    nowMs,
    identity,
    callId,
    action,
  }: {
    readonly nowMs: number;
    readonly identity: Identity;
    readonly callId: string;
    readonly action: string;
  },
): Promise<KeyRecord> {
  const outcome = await stores.keys.insert(fresh);
  if (outcome === 'alias_taken') throw aliasTaken(fresh.alias?.value);
  if (outcome === 'token_taken') {
    throw new PortcullisError('name_taken', 'This key already exists', { param: 'key' });
  }
  const made: KeyRecord = { ...fresh, ignored: [] };
  await stores.audit.append({
    atMs: nowMs,
    actor: actorOf(identity),
    action,
    object: { type: 'key', id: made.tokenHash },
    before: null,
    after: keyInfo(made),
    refused: null,
    callId,
  });
  return made;
}

interface Wish {
  readonly stores: Stores;
  readonly identity: Identity;
  readonly body: GenerateKey;
  readonly request: ProtectionRequest;
  readonly secret: string;
  readonly nowMs: number;
  /** The name of the service account that the key is for, or null. */
  readonly serviceAccount: string | null;
}

async function newKey(wish: Wish): Promise<NewKey> {
  const { identity, body, request, secret, nowMs, serviceAccount } = wish;
  const owner = isAdmin(identity) ? await asAsked(wish) : await ownerOf(wish);
  const { origin } = owner;
  const setBy = setByOf(identity, nowMs);
  const alias = body.key_alias ?? null;
  const lifeMs = typeof body.duration === 'string' ? durationMs(body.duration) : null;
  const expiresAtMs = lifeMs === null ? null : nowMs + lifeMs;
  const tokenHash = hashOfReference(secret);
  return {
    tokenHash,
    keyName: keyNameOf(secret),
    alias: alias === null ? null : { value: alias, setBy },
    teamId: owner.teamId,
    userId: owner.userId,
    organizationId: owner.organizationId,
    models: origin === null ? (body.models ?? []) : modelsWithin(origin, body.models ?? []),
    metadata: {
      ...request.metadata,
      ...(serviceAccount === null ? {} : { service_account_id: serviceAccount }),
    },
    protection: applyProtection(origin?.protection ?? {}, withoutNothing(request.written), identity, setBy),
    limits: applyKeyLimits({}, body, nowMs),
    accountId: tokenHash,
    keyType: keyTypeWithin(origin, body.key_type ?? null),
    blocked: body.blocked ?? false,
    expiresAtMs: earliest(expiresAtMs, origin?.expiresAtMs ?? null),
    createdAtMs: nowMs,
    createdBy: setBy.by,
    updatedAtMs: nowMs,
    updatedBy: setBy.by,
  };
}

/** Whose the new key is, and the key that it was made with when that one binds it. */
interface Owner {
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly origin: KeyRecord | null;
}

/** An administrator's key is what was asked for. */
async function asAsked({ stores, body, serviceAccount }: Wish): Promise<Owner> {
  const teamId = body.team_id ?? null;
  if (teamId !== null) await requireTeam(stores, teamId);
  return {
    teamId,
    userId: serviceAccount === null ? (body.user_id ?? null) : null,
    organizationId: body.organization_id ?? null,
    origin: null,
  };
}

/**
 * A user's key belongs to the same user and team, and keeps everything that protects or limits the key it was made with:
 * making a key is no way around a guardrail (M7). The admin of a team may also make keys of that team, for its members.
 */
async function ownerOf(wish: Wish): Promise<Owner> {
  const { stores, identity, body, serviceAccount } = wish;
  const { policy } = identity;
  if (identity.session !== undefined) return ownerBySession(wish);
  if (policy.key_hash === null || policy.user_id === null) {
    throw notYours('generate keys with a key that belongs to no user', 'key');
  }
  const origin = await stores.keys.find(policy.key_hash);
  if (origin === null) throw keyNotFound();
  if (Object.keys(origin.limits).length > 0) {
    // A second key would be a second budget.
    throw notYours('generate keys with a key that has limits of its own', 'key');
  }
  const teamId = body.team_id ?? origin.teamId;
  const team = teamId === null ? null : await stores.teams.find(teamId);
  if (team !== null && isTeamAdmin(team, identity)) {
    const userId = serviceAccount === null ? (body.user_id ?? policy.user_id) : null;
    if (userId !== null && userId !== policy.user_id && !isTeamMember(team, userId)) {
      throw notYours('generate a key for a user outside the team', 'user_id');
    }
    const organizationId = body.organization_id ?? team.organizationId;
    if (organizationId !== team.organizationId) {
      throw notYours('generate a key with another organization_id', 'organization_id');
    }
    return { teamId: team.teamId, userId, organizationId, origin };
  }
  if (serviceAccount !== null) throw notYours('generate a key for a service account', 'team_id');
  for (const [field, own] of [
    ['user_id', origin.userId],
    ['team_id', origin.teamId],
    ['organization_id', origin.organizationId],
  ] as const) {
    const wanted = body[field];
    if (wanted !== undefined && wanted !== null && wanted !== own) {
      throw notYours(`generate a key with another ${field}`, field);
    }
  }
  return {
    teamId: origin.teamId,
    userId: origin.userId,
    organizationId: origin.organizationId,
    origin,
  };
}

/**
 * Who is signed in shows no key whose protection the new one could keep. So only admins of a team make keys this way, for
 * that team, whose protection binds them; and not while a key of their own is bound by more than that.
 */
async function ownerBySession({ stores, identity, body, serviceAccount }: Wish): Promise<Owner> {
  const userId = identity.policy.user_id;
  const team = typeof body.team_id === 'string' ? await stores.teams.find(body.team_id) : null;
  if (userId === null || team === null || !isTeamAdmin(team, identity)) {
    throw notYours(
      'generate keys without showing a key: use your key, or name a team that you administer',
      'team_id',
    );
  }
  const own = await stores.keys.ofUsers([userId]);
  if (own.some(({ protection, limits }) => Object.keys({ ...protection, ...limits }).length > 0)) {
    throw notYours('generate keys without showing a key, while one of theirs is protected or limited', 'key');
  }
  const owner = serviceAccount === null ? (body.user_id ?? userId) : null;
  if (owner !== null && owner !== userId && !isTeamMember(team, owner)) {
    throw notYours('generate a key for a user outside the team', 'user_id');
  }
  const { teamId, organizationId } = team;
  if ((body.organization_id ?? organizationId) !== organizationId) {
    throw notYours('generate a key with another organization_id', 'organization_id');
  }
  return { teamId, userId: owner, organizationId, origin: null };
}

function modelsWithin(origin: KeyRecord, wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0 || origin.models.length === 0) return wanted.length === 0 ? origin.models : wanted;
  if (wanted.some((model) => !origin.models.includes(model))) {
    throw notYours('generate a key for models that your key may not use', 'models');
  }
  return wanted;
}

/** A key of one use makes no keys of another. */
function keyTypeWithin(origin: KeyRecord | null, wanted: NewKey['keyType'] | null): NewKey['keyType'] {
  const own = origin?.keyType ?? 'default';
  if (wanted === null) return own;
  if (origin === null || own === 'default' || own === wanted) return wanted;
  throw notYours(`generate a key of another key_type with a key of type ${own}`, 'key_type');
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
