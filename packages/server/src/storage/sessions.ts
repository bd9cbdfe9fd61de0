import { and, desc, eq, gt, inArray, isNull, lte, or } from 'drizzle-orm';
import { z } from 'zod';
import { LOGIN_METHODS } from '../ports/identity.ts';
import type { InvitationRecord, InvitationStore, SessionRecord, SessionStore } from '../ports/sessions.ts';
import { read, readUserRow } from './rows.ts';
import type { Session } from './session.ts';
import { invitations, sessions, users } from './tables.ts';

/** More than anybody has browsers; the oldest make room. */
const SESSIONS_EACH = 20;

const sessionRow = z.object({
  tokenHash: z.string(),
  userId: z.string().nullable(),
  method: z.enum(LOGIN_METHODS),
  credential: z.string().nullable(),
  createdAt: z.date(),
  expiresAt: z.date(),
});

/** Who is signed in, on a connection or in a transaction. */
export function sessionStore(session: Session): SessionStore {
  const ofUser = (userId: string | null) =>
    userId === null ? isNull(sessions.userId) : eq(sessions.userId, userId);
  return {
    async insert(fresh) {
      const { createdAtMs, expiresAtMs, ...rest } = fresh;
      await session.ask((queries) =>
        queries.delete(sessions).where(lte(sessions.expiresAt, new Date(createdAtMs))),
      );
      const surplus = await session.ask((queries) =>
        queries
          .select({ tokenHash: sessions.tokenHash })
          .from(sessions)
          .where(ofUser(fresh.userId))
          .orderBy(desc(sessions.createdAt))
          .offset(SESSIONS_EACH - 1),
      );
      if (surplus.length > 0) {
        const hashes = surplus.map(({ tokenHash }) => tokenHash);
        await session.ask((queries) => queries.delete(sessions).where(inArray(sessions.tokenHash, hashes)));
      }
      await session.ask((queries) =>
        queries
          .insert(sessions)
          .values({ ...rest, createdAt: new Date(createdAtMs), expiresAt: new Date(expiresAtMs) }),
      );
    },

    async find(tokenHash, nowMs) {
      const rows = await session.ask((queries) =>
        queries
          .select({ session: sessions, user: users })
          .from(sessions)
          .leftJoin(users, eq(users.userId, sessions.userId))
          .where(and(eq(sessions.tokenHash, tokenHash), gt(sessions.expiresAt, new Date(nowMs)))),
      );
      const row = rows[0];
      if (row === undefined) return null;
      return {
        session: readSessionRow(row.session),
        user: row.user === null ? null : readUserRow(row.user),
      };
    },

    async delete(tokenHash) {
      await session.ask((queries) => queries.delete(sessions).where(eq(sessions.tokenHash, tokenHash)));
    },

    async deleteOf(userIds) {
      if (userIds.length === 0) return;
      const named = userIds.filter((userId) => userId !== null);
      await session.ask((queries) =>
        queries
          .delete(sessions)
          .where(
            or(
              named.length === 0 ? undefined : inArray(sessions.userId, named),
              userIds.includes(null) ? isNull(sessions.userId) : undefined,
            ),
          ),
      );
    },
  };
}

function readSessionRow(row: unknown): SessionRecord {
  const { createdAt, expiresAt, ...rest } = read(sessionRow, row, 'session');
  return { ...rest, createdAtMs: createdAt.getTime(), expiresAtMs: expiresAt.getTime() };
}

const invitationRow = z.object({
  hash: z.string(),
  userId: z.string(),
  createdAt: z.date(),
  createdBy: z.string(),
  expiresAt: z.date(),
  acceptedAt: z.date().nullable(),
});

/** Invitations, on a connection or in a transaction. */
export function invitationStore(session: Session): InvitationStore {
  return {
    async insert({ hash, userId, createdAtMs, createdBy, expiresAtMs }) {
      await session.ask((queries) =>
        queries
          .delete(invitations)
          .where(and(eq(invitations.userId, userId), isNull(invitations.acceptedAt))),
      );
      await session.ask((queries) =>
        queries.insert(invitations).values({
          hash,
          userId,
          createdAt: new Date(createdAtMs),
          createdBy,
          expiresAt: new Date(expiresAtMs),
        }),
      );
    },

    async find(hash) {
      const rows = await session.ask((queries) =>
        queries.select().from(invitations).where(eq(invitations.hash, hash)),
      );
      return rows.map(readInvitationRow)[0] ?? null;
    },

    async findForUpdate(hash) {
      const rows = await session.ask((queries) =>
        queries.select().from(invitations).where(eq(invitations.hash, hash)).for('update'),
      );
      return rows.map(readInvitationRow)[0] ?? null;
    },

    async accept(hash, atMs) {
      await session.ask((queries) =>
        queries
          .update(invitations)
          .set({ acceptedAt: new Date(atMs) })
          .where(eq(invitations.hash, hash)),
      );
    },

    async delete(hash) {
      const gone = await session.ask((queries) =>
        queries.delete(invitations).where(eq(invitations.hash, hash)).returning({ hash: invitations.hash }),
      );
      return gone.length > 0;
    },
  };
}

function readInvitationRow(row: unknown): InvitationRecord {
  const { createdAt, expiresAt, acceptedAt, ...rest } = read(invitationRow, row, 'invitation');
  return {
    ...rest,
    createdAtMs: createdAt.getTime(),
    expiresAtMs: expiresAt.getTime(),
    acceptedAtMs: acceptedAt?.getTime() ?? null,
  };
}
