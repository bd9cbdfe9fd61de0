import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { LogScope } from '../../ports/logs.ts';
import { seesAll } from '../context.ts';

/**
 * Whose requests a caller may see: administrators and viewers everybody's; others those of their key, of their user, and
 * of the teams that they administer. Being a member of a team shows nobody's requests but one's own.
 */
export async function scopeOf(
  identity: Identity,
  { teams }: Pick<Stores, 'teams'>,
): Promise<LogScope | null> {
  if (seesAll(identity)) return null;
  const { key_hash: keyHash, user_id: userId } = identity.policy;
  const member = userId === null ? [] : await teams.list({ memberUserId: userId });
  const teamIds = member
    .filter(({ members }) => members.some(({ user_id, role }) => user_id === userId && role === 'admin'))
    .map(({ teamId }) => teamId);
  return { keyHash, userId, teamIds };
}
