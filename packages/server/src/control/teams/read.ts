import {
  PortcullisError,
  type TeamInfoQuery,
  type TeamListQuery,
  teamInfoQuerySchema,
  teamListQuerySchema,
} from '@portcullis/contract';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import { type ControlContext, seesAll } from '../context.ts';
import { isOwn } from '../keys/access.ts';
import { keyRow } from '../keys/shape.ts';
import type { Route } from '../route.ts';
import { requireTeam, teamNotFound } from './access.ts';
import { teamRow, teamWithKeys } from './shape.ts';

/** `GET /team/info`: also for the keys of the team. */
export function teamInfoRoute({ database }: ControlContext): Route<unknown, TeamInfoQuery> {
  return {
    method: 'GET',
    path: '/team/info',
    permission: 'any_key',
    query: teamInfoQuerySchema,
    async handler({ query, identity }) {
      const teamId = query.team_id ?? identity.policy.team_id;
      if (teamId === null) throw teamNotFound('');
      if (!seesAll(identity) && identity.policy.team_id !== teamId) {
        throw new PortcullisError('admin_only', 'Only a proxy_admin may see another team.', {
          param: 'team_id',
        });
      }
      const team = await requireTeam(database.stores, teamId);
      const keys = await database.stores.keys.ofTeams([teamId]);
      return {
        body: {
          team_id: teamId,
          team_info: teamRow(team),
          keys: visible(keys, identity).map(keyRow),
          team_memberships: [],
        },
      };
    },
  };
}

/** `GET /team/list`: a bare list; users must ask for their own teams. */
export function teamListRoute({ database }: ControlContext): Route<unknown, TeamListQuery> {
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
      const keys = await database.stores.keys.ofTeams(teams.map((team) => team.teamId));
      return { body: withKeys(teams, visible(keys, identity)) };
    },
  };
}

/** Users see of a team's keys their own. */
function visible(keys: readonly KeyRecord[], identity: Identity): readonly KeyRecord[] {
  return seesAll(identity) ? keys : keys.filter((key) => isOwn(identity, key));
}

function withKeys(teams: readonly TeamRecord[], keys: readonly KeyRecord[]): readonly unknown[] {
  const byTeam = new Map<string | null, KeyRecord[]>();
  for (const key of keys) {
    const listed = byTeam.get(key.teamId);
    if (listed === undefined) byTeam.set(key.teamId, [key]);
    else listed.push(key);
  }
  return teams.map((team) => teamWithKeys(team, byTeam.get(team.teamId) ?? []));
}
