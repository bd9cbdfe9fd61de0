import {
  PortcullisError,
  USER_ROLES,
  type UserInfoQuery,
  userInfoQuerySchema,
  type UserListQuery,
  userListQuerySchema,
} from '@portcullis/contract';
import { type ControlContext, seesAll } from '../context.ts';
import { keyRow } from '../keys/shape.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { teamRow } from '../teams/shape.ts';
import { userRow } from './shape.ts';

/** `GET /user/info`: a user with keys and teams; without `user_id` the caller. */
export function userInfoRoute(context: ControlContext): Route<unknown, UserInfoQuery> {
  const { database } = context;
  return {
    method: 'GET',
    path: '/user/info',
    permission: 'any_key',
    query: userInfoQuerySchema,
    async handler({ query, identity }) {
      const own = identity.policy.user_id;
      const userId = query.user_id ?? own;
      if (!seesAll(identity) && (own === null || userId !== own)) {
        throw new PortcullisError('admin_only', 'Only a proxy_admin may see another user.', {
          param: 'user_id',
        });
      }
      if (userId === null) throw userNotFound('');
      const { users, keys, teams } = database.stores;
      const user = await users.find(userId);
      const ownKeys = await keys.ofUsers([userId]);
      const ownTeams = await teams.list({ memberUserId: userId });
      // A key may name a user that nobody has registered.
      if (user === null && ownKeys.length + ownTeams.length === 0 && userId !== own)
        throw userNotFound(userId);
      const seen = await seenOf(context, {
        keys: ownKeys,
        teams: ownTeams,
        users: user === null ? [] : [user],
      });
      return {
        body: {
          user_id: userId,
          user_info: user === null ? null : userRow(user, seen),
          keys: ownKeys.map((key) => keyRow(key, seen)),
          teams: ownTeams.map((team) => teamRow(team, seen)),
        },
      };
    },
  };
}

/** `GET /user/list`. */
export function userListRoute(context: ControlContext): Route<unknown, UserListQuery> {
  return {
    method: 'GET',
    path: '/user/list',
    permission: 'admin_viewer',
    query: userListQuerySchema,
    async handler({ query }) {
      const { users, total } = await context.database.stores.users.list({
        filter: {
          ...(query.role === undefined ? {} : { role: query.role }),
          ...(query.user_ids === undefined ? {} : { userIds: query.user_ids }),
          ...(query.user_email === undefined ? {} : { email: query.user_email }),
        },
        sortBy: query.sort_by,
        descending: query.sort_order === 'desc',
        offset: (query.page - 1) * query.page_size,
        limit: query.page_size,
      });
      const seen = await seenOf(context, { users });
      return {
        body: {
          users: users.map((user) => userRow(user, seen)),
          total,
          page: query.page,
          page_size: query.page_size,
          total_pages: Math.ceil(total / query.page_size),
        },
      };
    },
  };
}

/** `GET /user/available_roles`. */
export function availableRolesRoute(_context: ControlContext): Route {
  return {
    method: 'GET',
    path: '/user/available_roles',
    permission: 'any_key',
    async handler() {
      return { body: USER_ROLES };
    },
  };
}

export function userNotFound(userId: string): PortcullisError {
  return new PortcullisError('not_found', `User not found, passed user_id=${userId}`, { param: 'user_id' });
}
