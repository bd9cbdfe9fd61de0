import {
  PortcullisError,
  type TeamInfoQuery,
  type TeamListQuery,
  type TeamPageQuery,
  teamInfoQuerySchema,
  teamListQuerySchema,
  teamPageQuerySchema,
} from '@portcullis/contract';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import { type ControlContext, seesAll } from '../context.ts';
import { isOwn } from '../keys/access.ts';
import { keyRow } from '../keys/shape.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { isTeamAdmin, isTeamMember, teamNotFound } from './access.ts';
import { teamRow, teamWithKeys } from './shape.ts';

/** `GET /team/info`: also for the keys of the team. */
export function teamInfoRoute(context: ControlContext): Route<unknown, TeamInfoQuery> {
  const { database } = context;
  return {
    method: 'GET',
    path: '/team/info',
    permission: 'any_key',
    query: teamInfoQuerySchema,
    async handler({ query, identity }) {
      const teamId = query.team_id ?? identity.policy.team_id;
      if (teamId === null) throw teamNotFound('');
      const found = await database.stores.teams.find(teamId);
      const isMine = identity.policy.team_id === teamId || (found !== null && isNamedOn(found, identity));
      // Whoever may not see a team is not told either whether it exists.
      if (!seesAll(identity) && !isMine) {
        throw new PortcullisError('admin_only', 'Only a proxy_admin may see another team.', {
          param: 'team_id',
        });
      }
      if (found === null) throw teamNotFound(teamId);
      const keys = visible(await database.stores.keys.ofTeams([teamId]), identity, found);
      const seen = await seenOf(context, { keys, teams: [found] });
      return {
        body: {
          team_id: teamId,
          team_info: teamRow(found, seen),
          keys: keys.map((key) => keyRow(key, seen)),
          team_memberships: [],
        },
      };
    },
  };
}

/** `GET /team/list`: a bare list; users must ask for their own teams. */
export function teamListRoute(context: ControlContext): Route<unknown, TeamListQuery> {
  const { database } = context;
  return {
    method: 'GET',
    path: '/team/list',
    permission: 'any_key',
    query: teamListQuerySchema,
    async handler({ query, identity }) {
      const { user_id: own } = identity.policy;
      if (!seesAll(identity) && (own === null || query.user_id !== own)) {
        throw new PortcullisError('admin_only', 'Only a proxy_admin may list teams; give your own user_id.', {
          param: 'user_id',
        });
      }
      const teams = await database.stores.teams.list({
        ...(query.user_id === undefined ? {} : { memberUserId: query.user_id }),
        ...(query.organization_id === undefined ? {} : { organizationId: query.organization_id }),
      });
      return { body: await withKeys(context, teams, identity) };
    },
  };
}

/** `GET /v2/team/list`: the same in pages. */
export function teamPageRoute(context: ControlContext): Route<unknown, TeamPageQuery> {
  const { database } = context;
  return {
    method: 'GET',
    path: '/v2/team/list',
    permission: 'any_key',
    query: teamPageQuerySchema,
    async handler({ query, identity }) {
      const { user_id: own } = identity.policy;
      const wanted = query.user_id ?? (seesAll(identity) ? null : own);
      if (!seesAll(identity) && (own === null || wanted !== own)) {
        throw new PortcullisError('admin_only', 'Only a proxy_admin may list teams; give your own user_id.', {
          param: 'user_id',
        });
      }
      const { teams, total } = await database.stores.teams.page({
        filter: {
          ...(wanted === null ? {} : { memberUserId: wanted }),
          ...(query.organization_id === undefined ? {} : { organizationId: query.organization_id }),
          ...(query.team_id === undefined ? {} : { teamId: query.team_id }),
          ...(query.team_alias === undefined ? {} : { alias: query.team_alias }),
        },
        sortBy: query.sort_by,
        descending: query.sort_order === 'desc',
        offset: (query.page - 1) * query.page_size,
        limit: query.page_size,
      });
      return {
        body: {
          teams: await withKeys(context, teams, identity),
          total,
          page: query.page,
          page_size: query.page_size,
          total_pages: Math.ceil(total / query.page_size),
        },
      };
    },
  };
}

function isNamedOn(team: TeamRecord, identity: Identity): boolean {
  const { user_id: userId } = identity.policy;
  return isTeamAdmin(team, identity) || (userId !== null && isTeamMember(team, userId));
}

/** Users see of a team's keys their own; its admins see all of them. */
function visible(keys: readonly KeyRecord[], identity: Identity, team: TeamRecord): readonly KeyRecord[] {
  if (seesAll(identity) || isTeamAdmin(team, identity)) return keys;
  return keys.filter((key) => isOwn(identity, key));
}

async function withKeys(
  context: ControlContext,
  teams: readonly TeamRecord[],
  identity: Identity,
): Promise<readonly unknown[]> {
  const keys = await context.database.stores.keys.ofTeams(teams.map((team) => team.teamId));
  const byTeam = new Map<string | null, KeyRecord[]>();
  for (const key of keys) {
    const listed = byTeam.get(key.teamId);
    if (listed === undefined) byTeam.set(key.teamId, [key]);
    else listed.push(key);
  }
  const shown = teams.map((team) => ({
    team,
    keys: visible(byTeam.get(team.teamId) ?? [], identity, team),
  }));
  const seen = await seenOf(context, { teams, keys: shown.flatMap((entry) => entry.keys) });
  return shown.map((entry) => teamWithKeys(entry.team, entry.keys, seen));
}
