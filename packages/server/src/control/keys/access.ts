import { createHash } from 'node:crypto';
import { PortcullisError } from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import { isTeamAdmin } from '../teams/access.ts';

/** The hash under which a key is stored; a hash is taken as it is. */
export function hashOfReference(reference: string): string {
  return reference.startsWith('sk-') ? createHash('sha256').update(reference).digest('hex') : reference;
}

/** Whether a key is the caller's own: the very key, or one of the same user. */
export function isOwn({ policy }: Identity, key: KeyRecord): boolean {
  return key.tokenHash === policy.key_hash || (policy.user_id !== null && key.userId === policy.user_id);
}

/** Whether the caller administers the team that a key belongs to. */
export async function administersTeamOf(
  { teams }: Pick<Stores, 'teams'>,
  identity: Identity,
  key: KeyRecord,
): Promise<boolean> {
  if (key.teamId === null || identity.policy.user_id === null) return false;
  const team: TeamRecord | null = await teams.find(key.teamId);
  return team !== null && isTeamAdmin(team, identity);
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
