import { and, eq, lt } from 'drizzle-orm';
import type { IdempotencyStore } from '../ports/idempotency.ts';
import type { Session } from './session.ts';
import { idempotencyKeys } from './tables.ts';

/** Kept answers, on a connection or in a transaction. */
export function idempotencyStore(session: Session): IdempotencyStore {
  return {
    async find(actor, key) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(idempotencyKeys)
          .where(and(eq(idempotencyKeys.actor, actor), eq(idempotencyKeys.key, key))),
      );
      const row = rows[0];
      if (row === undefined) return null;
      const { requestHash, status, revision, body } = row;
      return { requestHash, status, revision, body };
    },

    async keep(actor, key, answer, atMs, expiredAtMs) {
      await session.ask((queries) =>
        queries.delete(idempotencyKeys).where(lt(idempotencyKeys.at, new Date(expiredAtMs))),
      );
      await session.ask((queries) =>
        queries.insert(idempotencyKeys).values({ actor, key, ...answer, at: new Date(atMs) }),
      );
    },
  };
}
