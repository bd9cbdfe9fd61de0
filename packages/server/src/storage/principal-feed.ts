import { asc, eq, gt, lte, sql } from 'drizzle-orm';
import { DatabaseError, type PrincipalChange } from '../ports/database.ts';
import type { PrincipalFeed } from '../ports/principal-feed.ts';
import type { Notified } from './notified.ts';
import type { Session } from './session.ts';
import { principalChanges, principalHead } from './tables.ts';

/** Where replicas listen for changes of keys, teams and users. */
export const PRINCIPAL_CHANNEL = 'portcullis_principal';
/** How many changes are kept, and how many are read at once. */
const KEPT = 10_000;
const READ = 1_000;

/**
 * Adds what a transaction has changed to the feed, and tells the others at its commit. The last thing that a transaction
 * does: whoever holds the number waits for nothing else.
 */
export async function appendPrincipalChange(session: Session, change: PrincipalChange): Promise<void> {
  const taken = await session.ask((queries) =>
    queries
      .update(principalHead)
      .set({ number: sql`${principalHead.number} + 1` })
      .where(eq(principalHead.single, true))
      .returning({ number: principalHead.number }),
  );
  const number = numberOf(taken);
  await session.ask((queries) =>
    queries.insert(principalChanges).values({
      number,
      keys: [...change.keys],
      teams: [...change.teams],
      users: [...change.users],
    }),
  );
  await session.ask((queries) =>
    queries.delete(principalChanges).where(lte(principalChanges.number, number - KEPT)),
  );
  await session.ask((queries) =>
    queries.execute(sql`select pg_notify(${PRINCIPAL_CHANNEL}, ${String(number)})`),
  );
}

/** The feed, for those who keep copies. */
export function principalFeed(session: Session, notified: Notified): PrincipalFeed {
  const head = async (): Promise<number> =>
    numberOf(await session.ask((queries) => queries.select().from(principalHead)));
  return {
    head,

    async since(number) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(principalChanges)
          .where(gt(principalChanges.number, number))
          .orderBy(asc(principalChanges.number))
          .limit(READ),
      );
      const first = rows[0];
      if (first === undefined) {
        const last = await head();
        // Either nothing was changed, or the feed was exchanged or emptied.
        return last === number ? { number, change: NOTHING } : { number: last, change: null };
      }
      if (first.number !== number + 1 || rows.length === READ) return { number: await head(), change: null };
      return {
        number: rows.at(-1)?.number ?? number,
        change: {
          keys: new Set(rows.flatMap(({ keys }) => keys)),
          teams: new Set(rows.flatMap(({ teams }) => teams)),
          users: new Set(rows.flatMap(({ users }) => users)),
        },
      };
    },

    listen: (listener) => notified.listen(listener, head),
  };
}

const NOTHING: PrincipalChange = { keys: new Set(), teams: new Set(), users: new Set() };

function numberOf(rows: readonly { readonly number: number }[]): number {
  const row = rows[0];
  if (row === undefined)
    throw new DatabaseError('fault', 'the feed of keys, teams and users has lost its head row');
  return row.number;
}
