import { PortcullisError } from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { TeamRecord } from '../../ports/teams.ts';

/** The team of this id, or the refusal that names it. */
export async function requireTeam({ teams }: Pick<Stores, 'teams'>, teamId: string): Promise<TeamRecord> {
  const team = await teams.find(teamId);
  if (team === null) throw teamNotFound(teamId);
  return team;
}

export function teamNotFound(teamId: string): PortcullisError {
  return new PortcullisError('not_found', `Team not found, passed team_id=${teamId}`, { param: 'team_id' });
}

/** Whether the caller is named on the team as one of its admins, by id or by the address that an administrator gave. */
export function isTeamAdmin({ members }: TeamRecord, identity: Identity): boolean {
  const { user_id: userId } = identity.policy;
  if (userId === null) return false;
  const email = identity.userEmail?.toLowerCase();
  return members.some(
    ({ role, user_id, user_email }) =>
      role === 'admin' &&
      (user_id === null ? user_email !== null && user_email.toLowerCase() === email : user_id === userId),
  );
}

/** Whether the caller is named on the team at all. */
export function isTeamMember({ members }: TeamRecord, userId: string): boolean {
  return members.some(({ user_id }) => user_id === userId);
}
