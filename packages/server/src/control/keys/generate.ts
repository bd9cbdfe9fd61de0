import { randomBytes } from 'node:crypto';
import { durationMs, type GenerateKey, generateKeySchema, PortcullisError } from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord, NewKey } from '../../ports/keys.ts';
import { actorOf, type ControlContext, isAdmin, setByOf } from '../context.ts';
import { applyProtection, type ProtectionRequest, readProtection, withoutNothing } from '../protection.ts';
import type { Route } from '../route.ts';
import { requireTeam } from '../teams/access.ts';
import { aliasTaken, hashOfReference, keyNotFound, notYours } from './access.ts';
import { keyAnswer, keyInfo } from './shape.ts';

/** `POST /key/generate`: the only answer that shows the key. */
export function generateKeyRoute({ database, clock, knownNames }: ControlContext): Route<GenerateKey> {
  return {
    method: 'POST',
    path: '/key/generate',
    permission: 'any_key',
    body: generateKeySchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const secret = body.key ?? `sk-${randomBytes(32).toString('base64url')}`;
      const request = readProtection(body, { knownNames, object: 'key' });
      const key = await database.transaction(async (stores) => {
        const fresh = await newKey({ stores, identity, body, request, secret, nowMs });
        const outcome = await stores.keys.insert(fresh);
        if (outcome === 'alias_taken') throw aliasTaken(fresh.alias?.value);
        if (outcome === 'token_taken') {
          throw new PortcullisError('name_taken', 'This key already exists', { param: 'key' });
        }
        const made: KeyRecord = { ...fresh, ignored: [] };
        await stores.audit.append({
          atMs: nowMs,
          actor: actorOf(identity),
          action: 'key.generate',
          object: { type: 'key', id: made.tokenHash },
          before: null,
          after: keyInfo(made),
          refused: null,
          callId,
        });
        return made;
      });
      return { body: keyAnswer(key, secret) };
    },
  };
}

interface Wish {
  readonly stores: Stores;
  readonly identity: Identity;
  readonly body: GenerateKey;
  readonly request: ProtectionRequest;
  readonly secret: string;
  readonly nowMs: number;
}

async function newKey(wish: Wish): Promise<NewKey> {
  const { stores, identity, body, request, secret, nowMs } = wish;
  const origin = isAdmin(identity) ? null : await originOf(stores, identity, body);
  const teamId = origin === null ? (body.team_id ?? null) : origin.teamId;
  if (teamId !== null) await requireTeam(stores, teamId);
  const setBy = setByOf(identity, nowMs);
  const alias = body.key_alias ?? null;
  const lifeMs = typeof body.duration === 'string' ? durationMs(body.duration) : null;
  const expiresAtMs = lifeMs === null ? null : nowMs + lifeMs;
  return {
    tokenHash: hashOfReference(secret),
    keyName: `sk-...${secret.slice(-4)}`,
    alias: alias === null ? null : { value: alias, setBy },
    teamId,
    userId: origin === null ? (body.user_id ?? null) : origin.userId,
    organizationId: origin === null ? (body.organization_id ?? null) : origin.organizationId,
    models: origin === null ? (body.models ?? []) : modelsWithin(origin, body.models ?? []),
    metadata: request.metadata ?? {},
    protection: applyProtection(origin?.protection ?? {}, withoutNothing(request.written), identity, setBy),
    blocked: body.blocked ?? false,
    expiresAtMs: earliest(expiresAtMs, origin?.expiresAtMs ?? null),
    createdAtMs: nowMs,
    createdBy: setBy.by,
    updatedAtMs: nowMs,
    updatedBy: setBy.by,
  };
}

/**
 * The key that a user makes another one with. The new one belongs to the same user and team and keeps everything that
 * protects or limits the old one: making a key is no way around a guardrail (M7).
 */
async function originOf(stores: Stores, { policy }: Identity, body: GenerateKey): Promise<KeyRecord> {
  if (policy.key_hash === null || policy.user_id === null) {
    throw notYours('generate keys with a key that belongs to no user', 'key');
  }
  const origin = await stores.keys.find(policy.key_hash);
  if (origin === null) throw keyNotFound();
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
  return origin;
}

function modelsWithin(origin: KeyRecord, wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0 || origin.models.length === 0) return wanted.length === 0 ? origin.models : wanted;
  if (wanted.some((model) => !origin.models.includes(model))) {
    throw notYours('generate a key for models that your key may not use', 'models');
  }
  return wanted;
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
