import type { Stores } from '../../ports/database.ts';
import type { TeamMember } from '../../ports/teams.ts';
import type { UserRecord } from '../../ports/users.ts';
import type { Actor } from '../context.ts';
import { deleteKeys } from '../keys/delete.ts';
import { isTeamMember, teamNotFound } from '../teams/access.ts';

/** By whom and when. */
export interface About {
  readonly nowMs: number;
  readonly actor: Actor;
  readonly callId: string;
}

/** Makes a user a member of a team, unless the user is one. */
export async function join(
  stores: Stores,
  teamId: string,
  role: TeamMember['role'],
  { userId, email }: Pick<UserRecord, 'userId' | 'email'>,
  about: About,
): Promise<void> {
  const team = await stores.teams.findForUpdate(teamId);
  if (team === null) throw teamNotFound(teamId);
  if (isTeamMember(team, userId)) return;
  const joined = [...team.members, { role, user_id: userId, user_email: email }];
  await setMembers(stores, teamId, team.members, joined, 'team.member_add', about);
}

/** Takes a user out of a team, with the keys that the user has in it. */
export async function leave(stores: Stores, teamId: string, userId: string, about: About): Promise<void> {
  const team = await stores.teams.findForUpdate(teamId);
  if (team === null) return;
  const keys = await stores.keys.ofTeams([teamId]);
  await deleteKeys(
    stores,
    keys.filter((key) => key.userId === userId),
    about,
  );
  const left = team.members.filter(({ user_id }) => user_id !== userId);
  await setMembers(stores, teamId, team.members, left, 'team.member_delete', about);
}

async function setMembers(
  stores: Stores,
  teamId: string,
  before: readonly TeamMember[],
  members: readonly TeamMember[],
  action: string,
  { nowMs, actor, callId }: About,
): Promise<void> {
  await stores.teams.update(teamId, { members, updatedAtMs: nowMs, updatedBy: actor.by });
  await stores.audit.append({
    atMs: nowMs,
    actor,
    action,
    object: { type: 'team', id: teamId },
    before: { members_with_roles: before },
    after: { members_with_roles: members },
    refused: null,
    callId,
  });
}
