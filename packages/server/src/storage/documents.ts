import { setImmediate as nextTurn } from 'node:timers/promises';
import { and, asc, eq, gt, isNull, lte, or, sql } from 'drizzle-orm';
import type { Sql } from 'postgres';
import { DatabaseError } from '../ports/database.ts';
import type { DocumentSource } from '../ports/policy-store.ts';
import { policyStore, REVISION_CHANNEL } from './policies.ts';
import { SortedDocuments } from './policy-rows.ts';
import type { Session } from './session.ts';
import { policyHistory, policyRevisions } from './tables.ts';

/** How many documents one question brings. What is valid at a revision never changes, so pages fit each other. */
const PAGE = 1_000;
/** How many documents are read between two yields; some milliseconds. */
const BETWEEN_YIELDS = 50;

/** Everything that can influence a decision, from the history (S1, S4). */
export function documentSource(session: Session, revisions: NotifiedRevisions): DocumentSource {
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

/**
 * Tells which revisions have been committed: those of this process at once, those of others by `LISTEN` on a connection
 * of its own, which the driver makes anew when it is lost.
 */
export class NotifiedRevisions {
  readonly #sql: Sql | null;
  readonly #limitMs: number;
  readonly #listeners = new Set<(revision: number) => void>();
  #connection: Promise<unknown> | null = null;

  /** @param sql where others may change policies, or null when only this process can. */
  constructor(sql: Sql | null, limitMs: number) {
    this.#sql = sql;
    this.#limitMs = limitMs;
  }

  /** A transaction of this process that took this revision has ended. */
  tell(revision: number): void {
    for (const listener of this.#listeners) listener(revision);
  }

  /** @param head asked after a gap in listening: what was told meanwhile is lost. */
  async listen(
    listener: (revision: number) => void,
    head: () => Promise<number>,
  ): Promise<() => Promise<void>> {
    // A listener of its own, also when the same function listens twice.
    const own = (revision: number) => listener(revision);
    this.#listeners.add(own);
    if (this.#sql !== null) {
      this.#connection ??= this.#connect(this.#sql, head);
      await this.#atMost(this.#connection);
    }
    return async () => {
      this.#listeners.delete(own);
    };
  }

  async #connect(sql: Sql, head: () => Promise<number>): Promise<void> {
    try {
      await sql.listen(
        REVISION_CHANNEL,
        (payload) => {
          const revision = Number(payload);
          if (Number.isSafeInteger(revision)) this.tell(revision);
        },
        () => {
          void head().then(
            (revision) => this.tell(revision),
            () => undefined, // Away again: the next connection asks again, and callers poll.
          );
        },
      );
    } catch {
      // The driver goes on trying; nobody waits for it, because polling finds every change.
    }
  }

  async #atMost(connection: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#limitMs);
    });
    await Promise.race([connection, late]);
    clearTimeout(timer);
  }
}
