import {
  type AddMembers,
  addMembersSchema,
  type DeleteMember,
  deleteMemberSchema,
  PortcullisError,
  type TeamModels,
  teamModelsSchema,
  type UpdateMember,
  updateMemberSchema,
} from '@portcullis/contract';
import type { Identity } from '../../ports/identity.ts';
import type { TeamMember, TeamRecord } from '../../ports/teams.ts';
import { actorOf, type ControlContext, isAdmin } from '../context.ts';
import { deleteKeys } from '../keys/delete.ts';
import type { Route } from '../route.ts';
import { isTeamAdmin } from './access.ts';
import { teamRow } from './shape.ts';
import { changeTeam, membersOf } from './write.ts';

const MOST_MEMBERS = 10_000;

/** `POST /team/member_add`: for administrators and the team's own admins. Who is on the team already is refused. */
export function addMembersRoute(context: ControlContext): Route<AddMembers> {
  return {
    method: 'POST',
    path: '/team/member_add',
    permission: 'any_key',
    body: addMembersSchema,
    async handler({ body, identity, callId }) {
      const { member = [], members = [] } = body;
      const fresh = membersOf([...(Array.isArray(member) ? member : [member]), ...members]);
      const about = { teamId: body.team_id, identity, callId, action: 'team.member_add' };
      const team = await changeTeam(context, about, (before) => {
        requireTeamAdmin(before, identity);
        for (const [index, one] of fresh.entries()) {
          const others = [...before.members, ...fresh.slice(0, index)];
          if (!others.some((other) => isSame(other, one))) continue;
          throw new PortcullisError(
            'name_taken',
            `${nameOf(one)} is already a member of team_id=${before.teamId}`,
            { param: 'member' },
          );
        }
        if (before.members.length + fresh.length > MOST_MEMBERS) {
          throw new PortcullisError('invalid_request', `A team has at most ${MOST_MEMBERS} members.`, {
            param: 'member',
          });
        }
        return { members: [...before.members, ...fresh] };
      });
      return { body: { ...teamRow(team), updated_users: [], updated_team_memberships: [] } };
    },
  };
}

/** `POST /team/member_update`: makes a member an admin of the team, or no longer. */
export function updateMemberRoute(context: ControlContext): Route<UpdateMember> {
  return {
    method: 'POST',
    path: '/team/member_update',
    permission: 'any_key',
    body: updateMemberSchema,
    async handler({ body, identity, callId }) {
      const about = { teamId: body.team_id, identity, callId, action: 'team.member_update' };
      await changeTeam(context, about, (before) => {
        requireTeamAdmin(before, identity);
        const member = requireMember(before, body);
        return {
          members: before.members.map((other) => (other === member ? { ...member, role: body.role } : other)),
        };
      });
      return {
        body: {
          team_id: body.team_id,
          user_id: body.user_id ?? null,
          user_email: body.user_email ?? null,
          role: body.role,
          max_budget_in_team: null,
        },
      };
    },
  };
}

/** `POST /team/member_delete`: the keys that the member has in the team go too, for they would open it on. */
export function deleteMemberRoute(context: ControlContext): Route<DeleteMember> {
  return {
    method: 'POST',
    path: '/team/member_delete',
    permission: 'any_key',
    body: deleteMemberSchema,
    async handler({ body, identity, callId }) {
      const about = { teamId: body.team_id, identity, callId, action: 'team.member_delete' };
      let deleted: readonly string[] = [];
      const team = await changeTeam(context, about, async (before, nowMs, stores) => {
        requireTeamAdmin(before, identity);
        const member = requireMember(before, body);
        const keys =
          member.user_id === null
            ? []
            : (await stores.keys.ofTeams([before.teamId])).filter(({ userId }) => userId === member.user_id);
        deleted = await deleteKeys(stores, keys, { nowMs, actor: actorOf(identity), callId });
        return { members: before.members.filter((other) => other !== member) };
      });
      return { body: { ...teamRow(team), deleted_keys: deleted } };
    },
  };
}

/** `POST /team/model/add` and `/team/model/delete`. */
export function teamModelsRoute(context: ControlContext, add: boolean): Route<TeamModels> {
  return {
    method: 'POST',
    path: add ? '/team/model/add' : '/team/model/delete',
    permission: 'admin',
    body: teamModelsSchema,
    async handler({ body, identity, callId }) {
      const action = add ? 'team.model_add' : 'team.model_delete';
      const about = { teamId: body.team_id, identity, callId, action };
      const team = await changeTeam(context, about, (before) => {
        if (add) return { models: [...new Set([...before.models, ...body.models])] };
        const kept = before.models.filter((model) => !body.models.includes(model));
        // An empty list means every model: to take the last one away must not give them all.
        return { models: kept.length === 0 && before.models.length > 0 ? [NO_MODELS] : kept };
      });
      return { body: { team_id: team.teamId, data: teamRow(team) } };
    },
  };
}

const NO_MODELS = 'no-default-models';

function requireTeamAdmin(team: TeamRecord, identity: Identity): void {
  if (isAdmin(identity) || isTeamAdmin(team, identity)) return;
  throw new PortcullisError(
    'admin_only',
    `Only a proxy_admin or an admin of the team may change its members. team_id=${team.teamId}`,
    { param: 'team_id' },
  );
}

function requireMember(
  { members, teamId }: TeamRecord,
  named: Pick<DeleteMember, 'user_id' | 'user_email'>,
): TeamMember {
  const wanted = {
    role: 'user',
    user_id: named.user_id ?? null,
    user_email: named.user_email ?? null,
  } as const;
  const member = members.find((other) => isSame(other, wanted));
  if (member !== undefined) return member;
  throw new PortcullisError('not_found', `${nameOf(wanted)} is not a member of team_id=${teamId}`, {
    param: 'user_id',
  });
}

function isSame(one: TeamMember, other: TeamMember): boolean {
  if (one.user_id !== null && one.user_id === other.user_id) return true;
  const email = one.user_email?.toLowerCase();
  return email !== undefined && email === other.user_email?.toLowerCase();
}

function nameOf({ user_id, user_email }: TeamMember): string {
  return user_id === null ? `user_email=${user_email ?? ''}` : `user_id=${user_id}`;
}
