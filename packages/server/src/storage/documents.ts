import { setImmediate as nextTurn } from 'node:timers/promises';
import { and, asc, eq, gt, isNull, lte, or, sql } from 'drizzle-orm';
import { DatabaseError } from '../ports/database.ts';
import type { DocumentSource } from '../ports/policy-store.ts';
import type { Notified } from './notified.ts';
import { policyStore } from './policies.ts';
import { SortedDocuments } from './policy-rows.ts';
import type { Session } from './session.ts';
import { policyHistory, policyRevisions } from './tables.ts';

/** How many documents one question brings. What is valid at a revision never changes, so pages fit each other. */
const PAGE = 1_000;
/** How many documents are read between two yields; some milliseconds. */
const BETWEEN_YIELDS = 50;

/** Everything that can influence a decision, from the history (S1, S4). */
export function documentSource(session: Session, revisions: Notified): DocumentSource {
  const store = policyStore(session);
  return {
    head: () => store.head(),

    async read(revision) {
      const taken = await session.ask((queries) =>
        queries
          .select({ configDigest: policyRevisions.configDigest })
          .from(policyRevisions)
          .where(eq(policyRevisions.revision, revision)),
      );
      const entry = taken[0];
      if (entry === undefined) throw new DatabaseError('fault', `there is no revision ${revision}`);
      const sorted = new SortedDocuments();
      let count = 0;
      for await (const row of validAt(session, revision)) {
        sorted.add(row.object, row.id, row.document);
        count += 1;
        if (count % BETWEEN_YIELDS === 0) await nextTurn();
      }
      return { revision, configDigest: entry.configDigest, ...sorted.objects() };
    },

    listen: (listener) => revisions.listen(listener, async () => (await store.head()).revision),
  };
}

type HistoryRow = {
  readonly object: 'policy' | 'attachment' | 'guardrail';
  readonly id: string;
  readonly document: unknown;
};

async function* validAt(session: Session, revision: number): AsyncGenerator<HistoryRow> {
  let last: { readonly object: string; readonly id: string } | null = null;
  for (;;) {
    const after: { readonly object: string; readonly id: string } | null = last;
    const rows: HistoryRow[] = await session.ask((queries) =>
      queries
        .select({
          object: sql<HistoryRow['object']>`${policyHistory.objectType}`,
          id: policyHistory.objectId,
          document: policyHistory.document,
        })
        .from(policyHistory)
        .where(
          and(
            lte(policyHistory.fromRevision, revision),
            or(isNull(policyHistory.toRevision), gt(policyHistory.toRevision, revision)),
            after === null
              ? undefined
              : sql`(${policyHistory.objectType}, ${policyHistory.objectId}) > (${after.object}, ${after.id})`,
          ),
        )
        .orderBy(asc(policyHistory.objectType), asc(policyHistory.objectId))
        .limit(PAGE),
    );
    yield* rows;
    last = rows.at(-1) ?? null;
    if (rows.length < PAGE) return;
  }
}
