import { and, asc, count, desc, eq, ilike, inArray, sql } from 'drizzle-orm';
import type { NewUserRecord, UserChanges, UserPage, UserStore } from '../ports/users.ts';
import { readUserRow } from './rows.ts';
import type { Session } from './session.ts';
import { users } from './tables.ts';

const SORTED_BY = {
  created_at: users.createdAt,
  user_id: users.userId,
  user_email: users.email,
  user_alias: users.alias,
  user_role: users.role,
} as const;

/** Users, on a connection or in a transaction. */
export function userStore(session: Session): UserStore {
  const sameEmail = (email: string) => eq(sql`lower(${users.email})`, email.toLowerCase());
  return {
    async insert(user) {
      session.touchUsers([user.userId]);
      const made = await session.ask((queries) =>
        queries.insert(users).values(newRow(user)).onConflictDoNothing().returning({ userId: users.userId }),
      );
      if (made.length > 0) return 'inserted';
      const twin = await session.ask((queries) =>
        queries.select({ userId: users.userId }).from(users).where(eq(users.userId, user.userId)),
      );
      return twin.length > 0 ? 'id_taken' : 'email_taken';
    },

    async find(userId) {
      const rows = await session.ask((queries) =>
        queries.select().from(users).where(eq(users.userId, userId)),
      );
      return rows.map(readUserRow)[0] ?? null;
    },

    async findByEmail(email) {
      const rows = await session.ask((queries) => queries.select().from(users).where(sameEmail(email)));
      return rows.map(readUserRow)[0] ?? null;
    },

    async findBySubject(ssoSubject) {
      const rows = await session.ask((queries) =>
        queries.select().from(users).where(eq(users.ssoSubject, ssoSubject)),
      );
      return rows.map(readUserRow)[0] ?? null;
    },

    async findForUpdate(userId) {
      const rows = await session.ask((queries) =>
        queries.select().from(users).where(eq(users.userId, userId)).for('update'),
      );
      return rows.map(readUserRow)[0] ?? null;
    },

    async passwordHash(userId) {
      const rows = await session.ask((queries) =>
        queries.select({ hash: users.passwordHash }).from(users).where(eq(users.userId, userId)),
      );
      return rows[0]?.hash ?? null;
    },

    async update(userId, changes) {
      session.touchUsers([userId]);
      const { email } = changes;
      if (email !== undefined && email !== null) {
        // Asked first, because a violated constraint would end the whole transaction; it still guards against a race.
        const holders = await session.ask((queries) =>
          queries.select({ userId: users.userId }).from(users).where(sameEmail(email)),
        );
        if (holders.some((holder) => holder.userId !== userId)) return 'email_taken';
      }
      const changed = await session.ask((queries) =>
        queries
          .update(users)
          .set(changedColumns(changes))
          .where(eq(users.userId, userId))
          .returning({ userId: users.userId }),
      );
      return changed.length > 0 ? 'updated' : 'not_found';
    },

    async delete(userIds) {
      if (userIds.length === 0) return [];
      session.touchUsers(userIds);
      const gone = await session.ask((queries) =>
        queries
          .delete(users)
          .where(inArray(users.userId, [...userIds]))
          .returning({ userId: users.userId }),
      );
      return gone.map((row) => row.userId);
    },

    async list({ filter, sortBy, descending, offset, limit }) {
      const where = conditionOf(filter);
      const column = SORTED_BY[sortBy];
      // The id makes the order total, so that no user is on two pages or on none.
      const order = [descending ? desc(column) : asc(column), asc(users.userId)];
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(users)
          .where(where)
          .orderBy(...order)
          .offset(offset)
          .limit(limit),
      );
      const totals = await session.ask((queries) =>
        queries.select({ total: count() }).from(users).where(where),
      );
      return { users: rows.map(readUserRow), total: totals[0]?.total ?? 0 };
    },
  };
}

function conditionOf({ role, userIds, email }: UserPage['filter']) {
  return and(
    role === undefined ? undefined : eq(users.role, role),
    userIds === undefined ? undefined : inArray(users.userId, [...userIds]),
    email === undefined ? undefined : ilike(users.email, `%${email.replace(/[\\%_]/gu, '\\$&')}%`),
  );
}

function newRow(user: NewUserRecord): typeof users.$inferInsert {
  return {
    userId: user.userId,
    email: user.email,
    alias: user.alias,
    role: user.role,
    passwordHash: user.passwordHash,
    ssoSubject: user.ssoSubject ?? null,
    models: [...user.models],
    metadata: user.metadata,
    limits: user.limits,
    createdAt: new Date(user.createdAtMs),
    createdBy: user.createdBy,
    updatedAt: new Date(user.updatedAtMs),
    updatedBy: user.updatedBy,
  };
}

/** Only what is given; drizzle leaves `undefined` alone. */
function changedColumns(changes: UserChanges): Partial<typeof users.$inferInsert> {
  return {
    ...(changes.email === undefined ? {} : { email: changes.email }),
    ...(changes.alias === undefined ? {} : { alias: changes.alias }),
    ...(changes.role === undefined ? {} : { role: changes.role }),
    ...(changes.passwordHash === undefined ? {} : { passwordHash: changes.passwordHash }),
    ...(changes.ssoSubject === undefined ? {} : { ssoSubject: changes.ssoSubject }),
    ...(changes.models === undefined ? {} : { models: [...changes.models] }),
    ...(changes.metadata === undefined ? {} : { metadata: changes.metadata }),
    ...(changes.limits === undefined ? {} : { limits: changes.limits }),
    updatedAt: new Date(changes.updatedAtMs),
    updatedBy: changes.updatedBy,
  };
}
