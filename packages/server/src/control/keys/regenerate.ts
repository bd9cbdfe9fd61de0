import {
  durationMs,
  FieldsError,
  PortcullisError,
  type RegenerateKey,
  regenerateKeySchema,
} from '@portcullis/contract';
import type { KeyRecord } from '../../ports/keys.ts';
import { actorOf, type ControlContext, isAdmin } from '../context.ts';
import { readProtection } from '../protection.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { aliasTaken, hashOfReference, isOwn, keyNotFound, notYours } from './access.ts';
import { keyNameOf, newSecret } from './generate.ts';
import { keyAnswer, keyInfo } from './shape.ts';
import { changesAsked, wanted } from './update.ts';

/** Fields with which anybody may replace an own key; the others are an administrator's. */
const OWN_FIELDS = new Set(['key', 'grace_period']);

/**
 * `POST /key/regenerate` and `/key/{key}/regenerate`: another key in the place of a lost one, with everything that the old
 * one had. Limits and spending go on, so that nobody gets a fresh budget by it.
 */
export function regenerateKeyRoute(
  context: ControlContext,
  path: '/key/regenerate' | '/key/:key/regenerate',
): Route<RegenerateKey> {
  return {
    method: 'POST',
    path,
    permission: 'any_key',
    body: regenerateKeySchema,
    async handler({ body, params, identity, callId }) {
      const { database, clock, knownNames } = context;
      const nowMs = clock.now();
      const reference = params['key'] ?? body.key ?? identity.policy.key_hash;
      if (reference === null) {
        throw new FieldsError([
          { loc: ['body', 'key'], msg: 'give key, or its token hash', type: 'missing' },
        ]);
      }
      const request = readProtection(body, { knownNames, object: 'key' });
      const secret = body.new_key ?? newSecret();
      const key = await database.transaction(async (stores): Promise<KeyRecord> => {
        const before = await wanted(stores, { key: reference });
        if (!isAdmin(identity)) refuseToUser(isOwn(identity, before), body);
        const hash = before.tokenHash;
        await refuseAttached(context, before);
        const changes = await changesAsked(stores, before, body, request, identity, nowMs);
        const actor = actorOf(identity);
        const stamp = { updatedAtMs: nowMs, updatedBy: actor.by };
        const outcome = await stores.keys.update(hash, { ...changes, ...stamp });
        if (outcome === 'alias_taken') throw aliasTaken(changes.alias?.value);
        const graceMs = typeof body.grace_period === 'string' ? durationMs(body.grace_period) : null;
        const fresh = hashOfReference(secret);
        const replaced = await stores.keys.replace(hash, {
          tokenHash: fresh,
          keyName: keyNameOf(secret),
          oldUntilMs: graceMs === null ? null : nowMs + graceMs,
          ...stamp,
        });
        if (replaced === 'token_taken') {
          throw new PortcullisError('name_taken', 'This key already exists', { param: 'new_key' });
        }
        const after = await stores.keys.find(fresh);
        if (after === null) throw keyNotFound();
        await stores.audit.append({
          atMs: nowMs,
          actor,
          action: 'key.regenerate',
          object: { type: 'key', id: hash },
          before: keyInfo(before),
          after: { token: fresh, ...keyInfo(after) },
          refused: null,
          callId,
        });
        return after;
      });
      return { body: keyAnswer(key, secret, await seenOf(context, { keys: [key] })) };
    },
  };
}

function refuseToUser(isOwnKey: boolean, body: RegenerateKey): void {
  if (!isOwnKey) throw notYours("regenerate somebody else's key", 'key');
  for (const [field, value] of Object.entries(body)) {
    if (value === undefined || value === null || OWN_FIELDS.has(field)) continue;
    throw notYours(`change ${field}`, field);
  }
}

/** An attachment that goes by the token hash would be left behind, and with it the key's protection (D-48). */
async function refuseAttached({ knownNames }: ControlContext, { tokenHash }: KeyRecord): Promise<void> {
  const policies = knownNames.attachedToKey?.(tokenHash) ?? [];
  if (policies.length === 0) return;
  throw new PortcullisError(
    'has_dependents',
    `The key cannot be replaced: attachments of ${policies.join(', ')} go by its token hash, and the new key would be without them. Let them go by its alias first.`,
    { param: 'key', fields: { dependents: policies.map((name) => ({ type: 'attachment', name })) } },
  );
}
