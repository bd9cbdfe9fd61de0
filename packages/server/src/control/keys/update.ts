import {
  durationMs,
  FieldsError,
  type NamedKey,
  namedKeySchema,
  type UpdateKey,
  updateKeySchema,
} from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { KeyChanges, KeyRecord } from '../../ports/keys.ts';
import { PROTECTION_WRITERS } from '../../ports/protection.ts';
import { actorOf, type ControlContext, isAdmin, setByOf } from '../context.ts';
import { applyKeyLimits } from '../limits.ts';
import { applyProtection, type ProtectionRequest, readProtection } from '../protection.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { requireTeam } from '../teams/access.ts';
import { aliasTaken, hashOfReference, isOwn, keyNotFound, notYours } from './access.ts';
import { accountOfKey, keyAnswer, keyInfo } from './shape.ts';

/** `POST /key/update`: only given fields change. */
export function updateKeyRoute(context: ControlContext): Route<UpdateKey> {
  return {
    method: 'POST',
    path: '/key/update',
    permission: 'any_key',
    body: updateKeySchema,
    async handler({ body, identity, callId }) {
      const request = readProtection(body, { knownNames: context.knownNames, object: 'key' });
      const key = await change(context, { identity, callId, action: 'key.update' }, async (stores, nowMs) => {
        const before = await wanted(stores, body);
        if (!isAdmin(identity)) refuseToUser(identity, before, body);
        // Without `key` the alias is what the key was found by.
        const alias = body.key === undefined ? undefined : body.key_alias;
        const changes = await changesAsked(
          stores,
          before,
          { ...body, key_alias: alias },
          request,
          identity,
          nowMs,
        );
        if (body.spend === 0) await stores.spend.delete([accountOfKey(before)]);
        return { before, changes };
      });
      if (body.spend === 0) context.spending?.forget([accountOfKey(key)]);
      return { body: keyAnswer(key, null, await seenOf(context, { keys: [key] })) };
    },
  };
}

/** What a body changes on a key; whoever asks may do that. */
export async function changesAsked(
  stores: Stores,
  before: KeyRecord,
  body: Omit<UpdateKey, 'key'>,
  request: ProtectionRequest,
  identity: Identity,
  nowMs: number,
): Promise<Change['changes']> {
  if (typeof body.team_id === 'string') await requireTeam(stores, body.team_id);
  const setBy = setByOf(identity, nowMs);
  const alias = body.key_alias;
  return {
    ...(alias === undefined || alias === before.alias?.value
      ? {}
      : { alias: alias === null ? null : { value: alias, setBy } }),
    ...(body.user_id === undefined ? {} : { userId: body.user_id }),
    ...(body.team_id === undefined ? {} : { teamId: body.team_id }),
    ...(body.organization_id === undefined ? {} : { organizationId: body.organization_id }),
    ...(body.models === undefined ? {} : { models: body.models ?? [] }),
    ...(body.duration === undefined ? {} : { expiresAtMs: expiryOf(body.duration, nowMs) }),
    ...(body.blocked === undefined || body.blocked === null ? {} : { blocked: body.blocked }),
    ...(body.key_type === undefined ? {} : { keyType: body.key_type ?? 'default' }),
    limits: applyKeyLimits(before.limits, body, nowMs),
    // Always together: what is taken away here must not come back from an old twin in the stored metadata.
    metadata: request.metadata ?? before.metadata,
    protection: applyProtection(before.protection, request.written, identity, setBy),
  };
}

/** `POST /key/block` and `/key/unblock`. */
export function blockKeyRoute(context: ControlContext, blocked: boolean): Route<NamedKey> {
  return {
    method: 'POST',
    path: blocked ? '/key/block' : '/key/unblock',
    permission: 'admin',
    body: namedKeySchema,
    async handler({ body, identity, callId }) {
      const action = blocked ? 'key.block' : 'key.unblock';
      const key = await change(context, { identity, callId, action }, async (stores) => ({
        before: await wanted(stores, body),
        changes: { blocked },
      }));
      return { body: keyAnswer(key, null, await seenOf(context, { keys: [key] })) };
    },
  };
}

interface Change {
  readonly before: KeyRecord;
  readonly changes: Omit<KeyChanges, 'updatedAtMs' | 'updatedBy'>;
}

/** Changes one key and writes it into the audit log, in one transaction. */
async function change(
  { database, clock }: ControlContext,
  { identity, callId, action }: { identity: Identity; callId: string; action: string },
  decide: (stores: Stores, nowMs: number) => Promise<Change>,
): Promise<KeyRecord> {
  const nowMs = clock.now();
  const actor = actorOf(identity);
  return database.transaction(async (stores) => {
    const { before, changes } = await decide(stores, nowMs);
    const outcome = await stores.keys.update(before.tokenHash, {
      ...changes,
      updatedAtMs: nowMs,
      updatedBy: actor.by,
    });
    if (outcome === 'alias_taken') throw aliasTaken(changes.alias?.value);
    const after = outcome === 'updated' ? await stores.keys.find(before.tokenHash) : null;
    if (after === null) throw keyNotFound();
    await stores.audit.append({
      atMs: nowMs,
      actor,
      action,
      object: { type: 'key', id: after.tokenHash },
      before: keyInfo(before),
      after: keyInfo(after),
      refused: null,
      callId,
    });
    return after;
  });
}

export async function wanted(
  { keys }: Stores,
  { key, key_alias: alias }: Pick<UpdateKey, 'key' | 'key_alias'>,
): Promise<KeyRecord> {
  let hash = key === undefined ? undefined : hashOfReference(key);
  if (hash === undefined && typeof alias === 'string') hash = (await keys.findByAlias(alias))?.tokenHash;
  const found = hash === undefined ? null : await keys.findForUpdate(hash);
  if (found === null) throw keyNotFound();
  return found;
}

/** What users may change on their own keys. Protection fields are refused where they are applied. */
const USER_FIELDS = new Set(['key', 'key_alias', 'metadata']);
const PROTECTION = new Set([
  'tags',
  'guardrails',
  'policies',
  'opted_out_global_guardrails',
  'disable_global_guardrails',
  'disable_global_guardrail',
  'permissions',
  'allow_policy_versions',
  'aliases',
]);

function refuseToUser(identity: Identity, before: KeyRecord, body: UpdateKey): void {
  if (!isOwn(identity, before)) throw notYours("update somebody else's key", 'key');
  const renamed = body.key !== undefined && body.key_alias !== undefined;
  const setBy = before.alias?.setBy;
  // An attachment may go by the alias that an administrator gave: to rename the key would be to leave it (D-48).
  if (renamed && body.key_alias !== before.alias?.value && setBy && PROTECTION_WRITERS.has(setBy.role)) {
    throw notYours('change an alias that an administrator has set', 'key_alias');
  }
  for (const [field, value] of Object.entries(body)) {
    if (value === undefined || USER_FIELDS.has(field) || PROTECTION.has(field)) continue;
    throw notYours(`change ${field}`, field);
  }
}

function expiryOf(duration: string | null, nowMs: number): number | null {
  if (duration === null) return null;
  const ms = durationMs(duration);
  if (ms === null)
    throw new FieldsError([{ loc: ['body', 'duration'], msg: 'is no duration', type: 'value' }]);
  return nowMs + ms;
}
