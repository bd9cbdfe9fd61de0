import { createHash } from 'node:crypto';
import { PortcullisError } from '@portcullis/contract';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord } from '../../ports/keys.ts';

/** The hash under which a key is stored; a hash is taken as it is. */
export function hashOfReference(reference: string): string {
  return reference.startsWith('sk-') ? createHash('sha256').update(reference).digest('hex') : reference;
}

/** Whether a key is the caller's own: the very key, or one of the same user. */
export function isOwn({ policy }: Identity, key: KeyRecord): boolean {
  return key.tokenHash === policy.key_hash || (policy.user_id !== null && key.userId === policy.user_id);
}

export function keyNotFound(): PortcullisError {
  return new PortcullisError('not_found', 'Key not found in database', { param: 'key' });
}

export function aliasTaken(alias: string | undefined): PortcullisError {
  return new PortcullisError(
    'name_taken',
    `Key with alias '${alias ?? ''}' already exists. Unique key aliases across all keys are required.`,
    { param: 'key_alias' },
  );
}

export function notYours(what: string, param: string): PortcullisError {
  return new PortcullisError('admin_only', `Only a proxy_admin may ${what}.`, { param });
}
