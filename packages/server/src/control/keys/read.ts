import {
  type KeyInfoQuery,
  type KeyListQuery,
  keyInfoQuerySchema,
  keyListQuerySchema,
} from '@portcullis/contract';
import type { Identity } from '../../ports/identity.ts';
import type { KeyFilter } from '../../ports/keys.ts';
import { type ControlContext, seesAll } from '../context.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { isTeamAdmin } from '../teams/access.ts';
import { administersTeamOf, hashOfReference, isOwn, keyNotFound, notYours } from './access.ts';
import { keyInfo, keyRow } from './shape.ts';

/** `GET /key/info`: a key as it is stored; without `key` the caller's own. */
export function keyInfoRoute(context: ControlContext): Route<unknown, KeyInfoQuery> {
  const { database } = context;
  return {
    method: 'GET',
    path: '/key/info',
    permission: 'any_key',
    query: keyInfoQuerySchema,
    async handler({ query, identity }) {
      const reference = query.key ?? identity.policy.key_hash;
      const key = reference === null ? null : await database.stores.keys.find(hashOfReference(reference));
      if (key === null) throw keyNotFound();
      if (
        !seesAll(identity) &&
        !isOwn(identity, key) &&
        !(await administersTeamOf(database.stores, identity, key))
      ) {
        throw notYours("see somebody else's key", 'key');
      }
      const info = keyInfo(key, await seenOf(context, { keys: [key] }));
      return { body: { key: reference, info } };
    },
  };
}

/** `GET /key/list`: users see their own keys. */
export function keyListRoute(context: ControlContext): Route<unknown, KeyListQuery> {
  const { database } = context;
  return {
    method: 'GET',
    path: '/key/list',
    permission: 'any_key',
    query: keyListQuerySchema,
    async handler({ query, identity }) {
      const administered = query.include_team_keys ? await administeredTeams(context, identity) : [];
      const { keys, total } = await database.stores.keys.list({
        filter: filterOf(query, identity, administered),
        sortBy: query.sort_by,
        descending: query.sort_order === 'desc',
        offset: (query.page - 1) * query.size,
        limit: query.size,
      });
      const seen = query.return_full_object ? await seenOf(context, { keys }) : null;
      return {
        body: {
          keys: keys.map((key) => (query.return_full_object ? keyRow(key, seen) : key.tokenHash)),
          total_count: total,
          current_page: query.page,
          total_pages: Math.ceil(total / query.size),
        },
      };
    },
  };
}

/** The teams whose keys the caller sees because of being their admin. */
async function administeredTeams(
  { database }: ControlContext,
  identity: Identity,
): Promise<readonly string[]> {
  const { user_id: userId } = identity.policy;
  if (seesAll(identity) || userId === null) return [];
  const teams = await database.stores.teams.list({ memberUserId: userId });
  return teams.filter((team) => isTeamAdmin(team, identity)).map(({ teamId }) => teamId);
}

function filterOf(query: KeyListQuery, identity: Identity, administered: readonly string[]): KeyFilter {
  const asked: KeyFilter = {
    ...(query.key_hash === undefined ? {} : { tokenHash: query.key_hash }),
    ...(query.key_alias === undefined ? {} : { alias: query.key_alias }),
    ...(query.organization_id === undefined ? {} : { organizationId: query.organization_id }),
    ...(query.team_id === undefined ? {} : { teamId: query.team_id }),
    ...(query.user_id === undefined ? {} : { userId: query.user_id }),
  };
  if (seesAll(identity)) return asked;
  const { user_id: userId, key_hash: keyHash } = identity.policy;
  if (query.user_id !== undefined && query.user_id !== userId) {
    throw notYours("list somebody else's keys", 'user_id');
  }
  if (userId !== null) {
    return { ...asked, userId, ...(administered.length === 0 ? {} : { orTeamIds: administered }) };
  }
  // A key that belongs to no user sees itself. The master key, which has no hash, has seen everything above.
  if (query.key_hash !== undefined && query.key_hash !== keyHash) {
    throw notYours("list somebody else's keys", 'key_hash');
  }
  return { ...asked, tokenHash: keyHash ?? '' };
}
