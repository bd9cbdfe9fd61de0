import {
  type DeleteTeams,
  deleteTeamsSchema,
  type ForceQuery,
  forceQuerySchema,
  PortcullisError,
} from '@portcullis/contract';
import type { KeyRecord } from '../../ports/keys.ts';
import { actorOf, type ControlContext } from '../context.ts';
import { deleteKeys } from '../keys/delete.ts';
import type { Route } from '../route.ts';
import { teamNotFound } from './access.ts';
import { accountOfTeam, teamRow } from './shape.ts';

/**
 * `POST /team/delete`: all of the named teams or none. A team with keys is refused with the list of them; with `?force=true`
 * they go with it, in the same transaction (V6). A key never loses its team and with it the team's protection and limits.
 */
export function deleteTeamsRoute({ database, clock }: ControlContext): Route<DeleteTeams, ForceQuery> {
  return {
    method: 'POST',
    path: '/team/delete',
    permission: 'admin',
    body: deleteTeamsSchema,
    query: forceQuerySchema,
    async handler({ body, query, identity, callId }) {
      const nowMs = clock.now();
      const actor = actorOf(identity);
      const teamIds = [...new Set(body.team_ids)].sort();
      const removed = await database.transaction(async (stores) => {
        const entry = { atMs: nowMs, actor, after: null, refused: null, callId };
        const teams = [];
        for (const teamId of teamIds) {
          const team = await stores.teams.findForUpdate(teamId);
          if (team === null) throw teamNotFound(teamId);
          teams.push(team);
        }
        const keys = await stores.keys.ofTeams(teamIds);
        if (keys.length > 0 && !query.force) throw hasKeys(keys);
        const deleted = await deleteKeys(stores, keys, { nowMs, actor: actorOf(identity), callId });
        await stores.teams.delete(teamIds);
        await stores.spend.delete(teams.map(accountOfTeam));
        for (const team of teams) {
          const object = { type: 'team', id: team.teamId } as const;
          await stores.audit.append({ ...entry, action: 'team.delete', object, before: teamRow(team) });
        }
        return deleted;
      });
      return {
        body: { deleted_teams: teamIds, deleted_keys: removed },
      };
    },
  };
}

function hasKeys(keys: readonly KeyRecord[]): PortcullisError {
  const some = keys.slice(0, 5).map(({ alias, keyName }) => alias?.value ?? keyName);
  const more = keys.length > some.length ? ` and ${keys.length - some.length} more` : '';
  return new PortcullisError(
    'has_dependents',
    `Nothing was deleted, because keys belong to these teams: ${some.join(', ')}${more}.`,
    {
      param: 'team_ids',
      fields: {
        dependents: keys.map(({ tokenHash, alias, teamId }) => ({
          type: 'key',
          id: tokenHash,
          name: alias?.value ?? null,
          team_id: teamId,
        })),
      },
    },
  );
}
