import { type DeleteKeys, deleteKeysSchema, PortcullisError } from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { KeyRecord } from '../../ports/keys.ts';
import { type Actor, actorOf, type ControlContext, isAdmin } from '../context.ts';
import type { Route } from '../route.ts';
import { administersTeamOf, hashOfReference, isOwn, notYours } from './access.ts';
import { accountOfKey, keyInfo } from './shape.ts';

/** `POST /key/delete`: all of the named keys or none. */
export function deleteKeysRoute({ database, clock }: ControlContext): Route<DeleteKeys> {
  return {
    method: 'POST',
    path: '/key/delete',
    permission: 'any_key',
    body: deleteKeysSchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const deleted = await database.transaction(async (stores) => {
        const named = await findAll(stores, body);
        for (const { key } of named) {
          if (isAdmin(identity) || isOwn(identity, key)) continue;
          if (await administersTeamOf(stores, identity, key)) continue;
          throw notYours("delete somebody else's key", 'keys');
        }
        await deleteKeys(
          stores,
          named.map(({ key }) => key),
          { nowMs, actor: actorOf(identity), callId },
        );
        return named;
      });
      return { body: { deleted_keys: deleted.map(({ name }) => name) } };
    },
  };
}

/** Deletes keys with what they have spent, each with its row in the audit log. Gives their hashes. */
export async function deleteKeys(
  stores: Stores,
  keys: readonly KeyRecord[],
  { nowMs, actor, callId }: { readonly nowMs: number; readonly actor: Actor; readonly callId: string },
): Promise<readonly string[]> {
  const hashes = keys.map(({ tokenHash }) => tokenHash);
  await stores.keys.delete(hashes);
  await stores.spend.delete(keys.map(accountOfKey));
  for (const key of keys) {
    await stores.audit.append({
      atMs: nowMs,
      actor,
      action: 'key.delete',
      object: { type: 'key', id: key.tokenHash },
      before: keyInfo(key),
      after: null,
      refused: null,
      callId,
    });
  }
  return hashes;
}

/** Every named key once, with the name by which it was asked for: a key or hash as given, for an alias the hash. */
async function findAll(
  { keys }: Stores,
  body: DeleteKeys,
): Promise<readonly { readonly key: KeyRecord; readonly name: string }[]> {
  const found = new Map<string, { key: KeyRecord; name: string }>();
  const missing: string[] = [];
  for (const reference of body.keys ?? []) {
    const key = await keys.findForUpdate(hashOfReference(reference));
    if (key === null) missing.push(maskOf(reference));
    else found.set(key.tokenHash, { key, name: reference });
  }
  for (const alias of body.key_aliases ?? []) {
    const key = await keys.findByAlias(alias);
    if (key === null) missing.push(alias);
    else if (!found.has(key.tokenHash)) found.set(key.tokenHash, { key, name: key.tokenHash });
  }
  if (missing.length > 0) {
    throw new PortcullisError('not_found', `Keys not found, nothing was deleted: ${missing.join(', ')}`, {
      param: 'keys',
    });
  }
  return [...found.values()];
}

/** A key that does not exist here may exist elsewhere, so it is not repeated. */
function maskOf(reference: string): string {
  return reference.startsWith('sk-') ? `sk-...${reference.slice(-4)}` : reference;
}
