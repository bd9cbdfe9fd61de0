import { randomUUID } from 'node:crypto';
import {
  type DeleteUsers,
  deleteUsersSchema,
  durationMs,
  type NewUser,
  newUserSchema,
  PortcullisError,
  type UpdateUser,
  updateUserSchema,
} from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { KeyRecord } from '../../ports/keys.ts';
import type { NewUserRecord, UserRecord } from '../../ports/users.ts';
import { actorOf, type ControlContext, setByOf } from '../context.ts';
import { deleteKeys } from '../keys/delete.ts';
import { insertKey, keyNameOf, newSecret } from '../keys/generate.ts';
import { hashOfReference } from '../keys/access.ts';
import { applyLimits } from '../limits.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { requireTeam } from '../teams/access.ts';
import { type About, join, leave } from './membership.ts';
import { hashPassword } from './password.ts';
import { userNotFound } from './read.ts';
import { accountOfUser, userRow } from './shape.ts';

/** `POST /user/new`: a user, as a member of the named teams, and a first key unless `auto_create_key` is false. */
export function newUserRoute({ database, clock }: ControlContext): Route<NewUser> {
  return {
    method: 'POST',
    path: '/user/new',
    permission: 'admin',
    body: newUserSchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const actor = actorOf(identity);
      const { by } = actor;
      const fresh: NewUserRecord = {
        userId: body.user_id ?? randomUUID(),
        email: body.user_email?.toLowerCase() ?? null,
        alias: body.user_alias ?? null,
        role: body.user_role ?? 'internal_user',
        passwordHash: typeof body.password === 'string' ? await hashPassword(body.password) : null,
        models: body.models ?? [],
        metadata: body.metadata ?? {},
        limits: applyLimits({}, body, nowMs),
        createdAtMs: nowMs,
        createdBy: by,
        updatedAtMs: nowMs,
        updatedBy: by,
      };
      const secret = body.auto_create_key ? newSecret() : null;
      const about = { nowMs, actor, callId };
      const { user, key } = await database.transaction(async (stores) => {
        const outcome = await stores.users.insert(fresh);
        if (outcome !== 'inserted') throw taken(outcome, fresh.userId, fresh.email);
        const { passwordHash, ...rest } = fresh;
        const user: UserRecord = { ...rest, hasPassword: passwordHash !== null, ssoSubject: null };
        await record(stores, 'user.new', user.userId, null, user, about);
        for (const team of body.teams ?? []) {
          if (typeof team === 'string') await join(stores, team, 'user', user, about);
          else await join(stores, team.team_id, team.user_role, user, about);
        }
        const key =
          secret === null ? null : await firstKey(stores, body, user, secret, { nowMs, identity, callId });
        return { user, key };
      });
      return {
        body: {
          ...userRow(user),
          teams: (body.teams ?? []).map((team) => (typeof team === 'string' ? team : team.team_id)),
          key: secret,
          token: key?.tokenHash ?? null,
          key_alias: key?.alias?.value ?? null,
          expires: typeof key?.expiresAtMs === 'number' ? new Date(key.expiresAtMs).toISOString() : null,
        },
      };
    },
  };
}

/** `POST /user/update`: only given fields change. */
export function updateUserRoute(context: ControlContext): Route<UpdateUser> {
  const { database, clock } = context;
  return {
    method: 'POST',
    path: '/user/update',
    permission: 'admin',
    body: updateUserSchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const about = { nowMs, actor: actorOf(identity), callId };
      const passwordHash =
        typeof body.password === 'string' ? await hashPassword(body.password) : body.password;
      const user = await database.transaction(async (stores) => {
        const named = body.user_id ?? (await stores.users.findByEmail(body.user_email ?? ''))?.userId ?? null;
        const before = named === null ? null : await stores.users.findForUpdate(named);
        if (before === null) throw userNotFound(named ?? body.user_email ?? '');
        const { userId } = before;
        const outcome = await stores.users.update(userId, {
          // Without `user_id` the address is what the user was found by.
          ...(body.user_id === undefined || body.user_email === undefined
            ? {}
            : { email: body.user_email?.toLowerCase() ?? null }),
          ...(body.user_alias === undefined ? {} : { alias: body.user_alias }),
          ...(body.user_role === undefined || body.user_role === null ? {} : { role: body.user_role }),
          ...(body.models === undefined ? {} : { models: body.models ?? [] }),
          ...(body.metadata === undefined ? {} : { metadata: body.metadata ?? {} }),
          ...(passwordHash === undefined ? {} : { passwordHash }),
          limits: applyLimits(before.limits, body, nowMs),
          updatedAtMs: nowMs,
          updatedBy: actorOf(identity).by,
        });
        if (outcome === 'email_taken') throw taken(outcome, userId, body.user_email ?? null);
        const after = await stores.users.find(userId);
        if (after === null) throw userNotFound(userId);
        if (passwordHash !== undefined || after.role !== before.role)
          await stores.sessions.deleteOf([userId]);
        if (body.spend === 0) await stores.spend.delete([accountOfUser(after)]);
        await record(stores, 'user.update', userId, before, after, about);
        return after;
      });
      if (body.spend === 0) context.spending?.forget([accountOfUser(user)]);
      const row = userRow(user, await seenOf(context, { users: [user] }));
      return { body: { user_id: user.userId, data: row } };
    },
  };
}

/** `POST /user/delete`: all of the named users or none, with their keys and their places in teams. */
export function deleteUsersRoute({ database, clock }: ControlContext): Route<DeleteUsers> {
  return {
    method: 'POST',
    path: '/user/delete',
    permission: 'admin',
    body: deleteUsersSchema,
    async handler({ body, identity, callId }) {
      const about = { nowMs: clock.now(), actor: actorOf(identity), callId };
      const userIds = [...new Set(body.user_ids)].sort();
      const deletedKeys = await database.transaction(async (stores) => {
        const keys = await stores.keys.ofUsers(userIds);
        const deleted = await deleteKeys(stores, keys, about);
        for (const userId of userIds) {
          const user = await stores.users.findForUpdate(userId);
          if (user === null) throw userNotFound(userId);
          for (const team of await stores.teams.list({ memberUserId: userId })) {
            await leave(stores, team.teamId, userId, about);
          }
          await record(stores, 'user.delete', userId, user, null, about);
        }
        await stores.sessions.deleteOf(userIds);
        await stores.users.delete(userIds);
        await stores.spend.delete(userIds.map((userId) => accountOfUser({ userId })));
        return deleted;
      });
      return { body: { deleted_users: userIds, deleted_keys: deletedKeys } };
    },
  };
}

async function firstKey(
  stores: Stores,
  body: NewUser,
  user: UserRecord,
  secret: string,
  {
    nowMs,
    identity,
    callId,
  }: { readonly nowMs: number; readonly identity: Identity; readonly callId: string },
): Promise<KeyRecord> {
  const setBy = setByOf(identity, nowMs);
  const teamId = body.team_id ?? null;
  if (teamId !== null) await requireTeam(stores, teamId);
  const lifeMs = typeof body.duration === 'string' ? durationMs(body.duration) : null;
  const tokenHash = hashOfReference(secret);
  const fresh = {
    tokenHash,
    keyName: keyNameOf(secret),
    alias: typeof body.key_alias === 'string' ? { value: body.key_alias, setBy } : null,
    teamId,
    userId: user.userId,
    organizationId: null,
    // What the user may call is asked anew with each call, so it need not be written here.
    models: [],
    metadata: {},
    protection: {},
    limits: {},
    accountId: tokenHash,
    keyType: 'default' as const,
    blocked: false,
    expiresAtMs: lifeMs === null ? null : nowMs + lifeMs,
    createdAtMs: nowMs,
    createdBy: setBy.by,
    updatedAtMs: nowMs,
    updatedBy: setBy.by,
  };
  return insertKey(stores, fresh, { nowMs, identity, callId, action: 'key.generate' });
}

async function record(
  { audit }: Stores,
  action: string,
  userId: string,
  before: UserRecord | null,
  after: UserRecord | null,
  { nowMs, actor, callId }: About,
): Promise<void> {
  await audit.append({
    atMs: nowMs,
    actor,
    action,
    object: { type: 'user', id: userId },
    before: before === null ? null : userRow(before),
    after: after === null ? null : userRow(after),
    refused: null,
    callId,
  });
}

function taken(outcome: 'id_taken' | 'email_taken', userId: string, email: string | null): PortcullisError {
  return outcome === 'id_taken'
    ? new PortcullisError('name_taken', `User with id ${userId} already exists. Use another user_id.`, {
        param: 'user_id',
      })
    : new PortcullisError(
        'name_taken',
        `User with email ${email ?? ''} already exists. Use another user_email.`,
        {
          param: 'user_email',
        },
      );
}
