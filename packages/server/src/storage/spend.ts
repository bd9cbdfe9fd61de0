import { inArray, sql } from 'drizzle-orm';
import type { SpendStore, Spent } from '../ports/limits.ts';
import { read } from './rows.ts';
import { z } from 'zod';
import type { Session } from './session.ts';
import { spend } from './tables.ts';

const spendRow = z.object({ account: z.string(), nano: z.number(), sinceMs: z.number() });

/** What accounts have spent. Written outside transactions too: a sum is one statement. */
export function spendStore(session: Session): SpendStore {
  return {
    async read(accounts) {
      if (accounts.length === 0) return new Map();
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(spend)
          .where(inArray(spend.account, [...accounts])),
      );
      return byAccount(rows);
    },

    async add(amounts) {
      if (amounts.size === 0) return new Map();
      // In one order everywhere, so that replicas that add at once cannot wait for each other in a circle.
      const values = [...amounts]
        .map(([account, { nano, sinceMs }]) => ({ account, nano, sinceMs }))
        .sort((a, b) => (a.account < b.account ? -1 : 1));
      const rows = await session.ask((queries) =>
        queries
          .insert(spend)
          .values(values)
          .onConflictDoUpdate({
            target: spend.account,
            set: {
              // Never more than a number in JavaScript holds exactly, so that no sum can spoil a row.
              nano: sql`least(${Number.MAX_SAFE_INTEGER}::bigint, case when ${spend.sinceMs} >= excluded.since_ms then ${spend.nano} else 0 end + excluded.nano)`,
              sinceMs: sql`greatest(${spend.sinceMs}, excluded.since_ms)`,
              updatedAt: sql`now()`,
            },
          })
          .returning(),
      );
      return byAccount(rows);
    },

    async delete(accounts) {
      if (accounts.length === 0) return;
      await session.ask((queries) => queries.delete(spend).where(inArray(spend.account, [...accounts])));
    },
  };
}

function byAccount(rows: readonly unknown[]): Map<string, Spent> {
  return new Map(
    rows.map((row) => {
      const { account, nano, sinceMs } = read(spendRow, row, 'amount of spending');
      return [account, { nano, sinceMs }];
    }),
  );
}
