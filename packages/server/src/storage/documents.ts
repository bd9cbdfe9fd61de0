import { setImmediate as nextTurn } from 'node:timers/promises';
import { and, asc, eq, gt, isNull, lte, or, type SQL, sql } from 'drizzle-orm';
import { DatabaseError } from '../ports/database.ts';
import type { DocumentSource, StoredObjectType } from '../ports/policy-store.ts';
import { documentKey, type DocumentsMark, KeptDocuments } from './kept-documents.ts';
import type { Notified } from './notified.ts';
import { policyStore } from './policies.ts';
import { SortedDocuments } from './policy-rows.ts';
import type { Session } from './session.ts';
import { policyHistory, policyRevisions } from './tables.ts';

/** How many documents one question brings. What is valid at a revision never changes, so pages fit each other. */
const PAGE = 1_000;
/** How many documents are read between two yields; some milliseconds. */
const BETWEEN_YIELDS = 50;
/** More changes than this are read as a whole, in pages. */
const MOST_CHANGES = PAGE;

/** Everything that can influence a decision, from the history (S1, S4). */
export function documentSource(session: Session, revisions: Notified): DocumentSource {
  const store = policyStore(session);
  // What is valid at a revision never changes, so the newest reading is where the next one starts.
  let newest: KeptDocuments | null = null;
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
      const kept = (await advanced(session, newest, revision)) ?? (await readWhole(session, revision));
      if (newest === null || newest.revision <= revision) newest = kept;
      return { revision, configDigest: entry.configDigest, ...kept.objects() };
    },

    listen: (listener) => revisions.listen(listener, async () => (await store.head()).revision),
  };
}

async function readWhole(session: Session, revision: number): Promise<KeptDocuments> {
  const sorted = new SortedDocuments();
  const froms = new Map<string, number>();
  let count = 0;
  for await (const row of validAt(session, revision)) {
    sorted.add(row.object, row.id, row.document);
    froms.set(documentKey(row), row.from);
    count += 1;
    if (count % BETWEEN_YIELDS === 0) await nextTurn();
  }
  return KeptDocuments.of(revision, sorted.objects(), froms);
}

/**
 * The documents of a revision, made of those of an older one and what was changed in between. Null when that is no way to
 * them: nothing is kept, more has changed than a reading of everything would cost, or the database does not hold the
 * history that was read (it was exchanged).
 */
async function advanced(
  session: Session,
  kept: KeptDocuments | null,
  revision: number,
): Promise<KeptDocuments | null> {
  if (kept === null || kept.revision > revision) return null;
  let next = kept;
  if (kept.revision < revision) {
    const between = (column: typeof policyHistory.fromRevision | typeof policyHistory.toRevision) =>
      and(gt(column, kept.revision), lte(column, revision));
    const fresh = await session.ask((queries) =>
      queries
        .select(HISTORY_ROW)
        .from(policyHistory)
        .where(and(between(policyHistory.fromRevision), stillValid(revision)))
        .limit(MOST_CHANGES + 1),
    );
    if (fresh.length > MOST_CHANGES) return null;
    const ended = await session.ask((queries) =>
      queries
        .selectDistinct({ object: HISTORY_ROW.object, id: policyHistory.objectId })
        .from(policyHistory)
        .where(between(policyHistory.toRevision)),
    );
    const sorted = new SortedDocuments();
    for (const { object, id, document } of fresh) sorted.add(object, id, document);
    const froms = new Map(fresh.map((row) => [documentKey(row), row.from]));
    next = kept.advanced(revision, sorted.objects(), froms, ended);
  }
  return next.matches(await markOf(session, revision)) ? next : null;
}

const HISTORY_ROW = {
  object: sql<StoredObjectType>`${policyHistory.objectType}`,
  id: policyHistory.objectId,
  from: policyHistory.fromRevision,
  document: policyHistory.document,
};

function stillValid(revision: number): SQL | undefined {
  return or(isNull(policyHistory.toRevision), gt(policyHistory.toRevision, revision));
}

/** Number and sum of hashes of what is valid at a revision, as {@link KeptDocuments} counts them. */
async function markOf(session: Session, revision: number): Promise<DocumentsMark> {
  const key = sql`md5(${policyHistory.objectType} || ' ' || ${policyHistory.objectId} || ' ' || ${policyHistory.fromRevision})`;
  const rows = await session.ask((queries) =>
    queries
      .select({
        count: sql<string>`count(*)`,
        sum: sql<string>`coalesce(sum(('x' || substr(${key}, 1, 8))::bit(32)::bigint), 0)`,
      })
      .from(policyHistory)
      .where(and(lte(policyHistory.fromRevision, revision), stillValid(revision))),
  );
  return { count: Number(rows[0]?.count ?? 0), sum: Number(rows[0]?.sum ?? 0) };
}

type HistoryRow = {
  readonly object: StoredObjectType;
  readonly id: string;
  readonly from: number;
  readonly document: unknown;
};

async function* validAt(session: Session, revision: number): AsyncGenerator<HistoryRow> {
  let last: { readonly object: string; readonly id: string } | null = null;
  for (;;) {
    const after: { readonly object: string; readonly id: string } | null = last;
    const rows: HistoryRow[] = await session.ask((queries) =>
      queries
        .select(HISTORY_ROW)
        .from(policyHistory)
        .where(
          and(
            lte(policyHistory.fromRevision, revision),
            stillValid(revision),
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
