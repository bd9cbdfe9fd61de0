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
import { hashOfReference, isOwn, keyNotFound, notYours } from './access.ts';
import { keyInfo, keyRow } from './shape.ts';

/** `GET /key/info`: a key as it is stored; without `key` the caller's own. */
export function keyInfoRoute({ database }: ControlContext): Route<unknown, KeyInfoQuery> {
  return {
    method: 'GET',
    path: '/key/info',
    permission: 'any_key',
    query: keyInfoQuerySchema,
    async handler({ query, identity }) {
      const reference = query.key ?? identity.policy.key_hash;
      const key = reference === null ? null : await database.stores.keys.find(hashOfReference(reference));
      if (key === null) throw keyNotFound();
      if (!seesAll(identity) && !isOwn(identity, key)) throw notYours("see somebody else's key", 'key');
      return { body: { key: reference, info: keyInfo(key) } };
    },
  };
}

/** `GET /key/list`: users see their own keys. */
export function keyListRoute({ database }: ControlContext): Route<unknown, KeyListQuery> {
  return {
    method: 'GET',
    path: '/key/list',
    permission: 'any_key',
    query: keyListQuerySchema,
    async handler({ query, identity }) {
      const { keys, total } = await database.stores.keys.list({
        filter: filterOf(query, identity),
        sortBy: query.sort_by,
        descending: query.sort_order === 'desc',
        offset: (query.page - 1) * query.size,
        limit: query.size,
      });
      return {
        body: {
          keys: keys.map((key) => (query.return_full_object ? keyRow(key) : key.tokenHash)),
          total_count: total,
          current_page: query.page,
          total_pages: Math.ceil(total / query.size),
        },
      };
    },
  };
}

function filterOf(query: KeyListQuery, identity: Identity): KeyFilter {
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
  if (userId !== null) return { ...asked, userId };
  // A key that belongs to no user sees itself. The master key, which has no hash, has seen everything above.
  if (query.key_hash !== undefined && query.key_hash !== keyHash) {
    throw notYours("list somebody else's keys", 'key_hash');
  }
  return { ...asked, tokenHash: keyHash ?? '' };
}
