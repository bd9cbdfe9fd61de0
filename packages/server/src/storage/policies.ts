import { createHash } from 'node:crypto';
import { type Attachment, canonicalJson, tagParts } from '@portcullis/policy';
import { and, asc, count, desc, eq, gt, inArray, isNull, lt, lte, max, or, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { DatabaseError } from '../ports/database.ts';
import type {
  PagePlace,
  PolicyHead,
  PolicyStore,
  RevisionEntry,
  StoredAttachment,
  StoredGuardrail,
  StoredModel,
  StoredObjectType,
  StoredPolicy,
} from '../ports/policy-store.ts';
import {
  readAll,
  readAttachmentRow,
  readGuardrailRow,
  readModelRow,
  readPolicyRow,
  SortedDocuments,
} from './policy-rows.ts';
import type { Session } from './session.ts';
import {
  guardrails,
  models,
  policies,
  policyAttachments,
  policyHead,
  policyHistory,
  policyNames,
  policyRevisions,
} from './tables.ts';

/** Where replicas listen for revisions. */
export const REVISION_CHANNEL = 'portcullis_revision';

/** Policies, attachments and guardrails, on a connection or in a transaction. */
export function policyStore(session: Session): PolicyStore {
  const history = historyOn(session);

  const head = async (): Promise<PolicyHead> => {
    const rows = await session.ask((queries) => queries.select().from(policyHead));
    return headOf(rows);
  };

  const lockHead = async (): Promise<PolicyHead> => {
    const rows = await session.ask((queries) =>
      queries.select().from(policyHead).where(eq(policyHead.single, true)).for('update'),
    );
    return headOf(rows);
  };

  const reserveNumbers = async (policyName: string, next: number): Promise<void> => {
    await session.ask((queries) =>
      queries
        .insert(policyNames)
        .values({ policyName, nextVersion: next })
        .onConflictDoUpdate({
          target: policyNames.policyName,
          set: { nextVersion: sql`greatest(${policyNames.nextVersion}, ${next}::int)` },
        }),
    );
  };

  return {
    head,
    lockHead,
    reserveNumbers,

    async advance({ by, callId, atMs }) {
      const { revision: last, configDigest } = await lockHead();
      const revision = last + 1;
      session.touchRevision(revision);
      await session.ask((queries) =>
        queries
          .insert(policyRevisions)
          .values({ revision, at: new Date(atMs), actor: by, callId, configDigest }),
      );
      await session.ask((queries) =>
        queries.update(policyHead).set({ revision }).where(eq(policyHead.single, true)),
      );
      // Sent by the server when the transaction commits, and never when it does not.
      await session.ask((queries) =>
        queries.execute(sql`select pg_notify(${REVISION_CHANNEL}, ${String(revision)})`),
      );
      return revision;
    },

    async setConfigDigest(digest) {
      const { revision } = await lockHead();
      await session.ask((queries) =>
        queries.update(policyHead).set({ configDigest: digest }).where(eq(policyHead.single, true)),
      );
      await session.ask((queries) =>
        queries
          .update(policyRevisions)
          .set({ configDigest: digest })
          .where(eq(policyRevisions.revision, revision)),
      );
    },

    async deltaSince(revision) {
      const fresh = await session.ask((queries) =>
        queries
          .select({
            object: sql<StoredObjectType>`${policyHistory.objectType}`,
            id: policyHistory.objectId,
            document: policyHistory.document,
          })
          .from(policyHistory)
          .where(and(isNull(policyHistory.toRevision), gt(policyHistory.fromRevision, revision))),
      );
      const ended = await session.ask((queries) =>
        queries
          .selectDistinct({
            object: sql<StoredObjectType>`${policyHistory.objectType}`,
            id: policyHistory.objectId,
          })
          .from(policyHistory)
          .where(gt(policyHistory.toRevision, revision)),
      );
      const sorted = new SortedDocuments();
      for (const { object, id, document } of fresh) sorted.add(object, id, document);
      // What ended after the revision and is current again is among the fresh ones.
      const there = new Set(fresh.map(({ object, id }) => `${object} ${id}`));
      return {
        ...sorted.objects(),
        gone: ended.filter(({ object, id }) => !there.has(`${object} ${id}`)),
      };
    },

    changesSince: (revision, limit) => changesSince(session, revision, limit),

    async policies({ name, status, limit, after }) {
      const rows = await session.ask((queries) => {
        const found = queries
          .select()
          .from(policies)
          .where(
            and(
              name === undefined ? undefined : eq(policies.policyName, name),
              status === undefined ? undefined : eq(policies.versionStatus, status),
              following(after, policies.createdAt, policies.policyId),
            ),
          )
          .orderBy(
            ...(name === undefined
              ? [desc(policies.createdAt), desc(policies.policyId)]
              : [desc(policies.versionNumber)]),
          );
        return limit === undefined ? found : found.limit(limit);
      });
      return readAll('policy', rows, (row) => row.policyId, readPolicyRow);
    },

    async countPolicies({ status }) {
      const rows = await session.ask((queries) =>
        queries
          .select({ total: count() })
          .from(policies)
          .where(status === undefined ? undefined : eq(policies.versionStatus, status)),
      );
      return rows[0]?.total ?? 0;
    },

    async policy(policyId) {
      const rows = await session.ask((queries) =>
        queries.select().from(policies).where(eq(policies.policyId, policyId)),
      );
      return readAll('policy', rows, (row) => row.policyId, readPolicyRow)[0] ?? null;
    },

    async latestVersions(names) {
      if (names.length === 0) return new Map();
      const rows = await session.ask((queries) =>
        queries
          .select({ name: policies.policyName, latest: max(policies.versionNumber) })
          .from(policies)
          .where(inArray(policies.policyName, [...new Set(names)]))
          .groupBy(policies.policyName),
      );
      return new Map(rows.flatMap(({ name, latest }) => (latest === null ? [] : [[name, latest]])));
    },

    async nextVersionNumber(policyName) {
      const rows = await session.ask((queries) =>
        queries
          .select({ next: policyNames.nextVersion })
          .from(policyNames)
          .where(eq(policyNames.policyName, policyName)),
      );
      return rows[0]?.next ?? 1;
    },

    async putPolicy(revision, stored) {
      const { policy_id, policy_name, version_number } = stored.policy;
      session.touchRevision(revision);
      await reserveNumbers(policy_name, version_number + 1);
      const row = policyColumns(stored);
      await session.ask((queries) =>
        queries
          .insert(policies)
          .values(row)
          .onConflictDoUpdate({ target: policies.policyId, set: without(row, 'policyId') }),
      );
      await history.put(revision, 'policy', policy_id, stored);
    },

    async deletePolicy(revision, policyId) {
      session.touchRevision(revision);
      await session.ask((queries) => queries.delete(policies).where(eq(policies.policyId, policyId)));
      await history.end(revision, 'policy', policyId);
    },

    async attachments({ policyName, limit, after }) {
      const rows = await session.ask((queries) => {
        const found = queries
          .select()
          .from(policyAttachments)
          .where(
            and(
              policyName === undefined ? undefined : eq(policyAttachments.policyName, policyName),
              following(after, policyAttachments.createdAt, policyAttachments.attachmentId),
            ),
          )
          .orderBy(desc(policyAttachments.createdAt), desc(policyAttachments.attachmentId));
        return limit === undefined ? found : found.limit(limit);
      });
      return readAll('attachment', rows, (row) => row.attachmentId, readAttachmentRow);
    },

    async countAttachments({ policyName }) {
      const rows = await session.ask((queries) =>
        queries
          .select({ total: count() })
          .from(policyAttachments)
          .where(policyName === undefined ? undefined : eq(policyAttachments.policyName, policyName)),
      );
      return rows[0]?.total ?? 0;
    },

    async attachment(attachmentId) {
      const rows = await session.ask((queries) =>
        queries.select().from(policyAttachments).where(eq(policyAttachments.attachmentId, attachmentId)),
      );
      return readAll('attachment', rows, (row) => row.attachmentId, readAttachmentRow)[0] ?? null;
    },

    async sameAttachment(attachment) {
      const rows = await session.ask((queries) =>
        queries
          .select({ id: policyAttachments.attachmentId })
          .from(policyAttachments)
          .where(eq(policyAttachments.scopeHash, scopeHash(attachment))),
      );
      return rows[0]?.id ?? null;
    },

    async putAttachment(revision, stored) {
      session.touchRevision(revision);
      const row = attachmentColumns(stored);
      await session.ask((queries) =>
        queries
          .insert(policyAttachments)
          .values(row)
          .onConflictDoUpdate({
            target: policyAttachments.attachmentId,
            set: without(row, 'attachmentId'),
          }),
      );
      await history.put(revision, 'attachment', stored.attachment.attachment_id, stored);
    },

    async deleteAttachment(revision, attachmentId) {
      session.touchRevision(revision);
      await session.ask((queries) =>
        queries.delete(policyAttachments).where(eq(policyAttachments.attachmentId, attachmentId)),
      );
      await history.end(revision, 'attachment', attachmentId);
    },

    async guardrails() {
      const rows = await session.ask((queries) =>
        queries.select().from(guardrails).orderBy(asc(guardrails.createdAt), asc(guardrails.guardrailId)),
      );
      return readAll('guardrail', rows, (row) => row.guardrailId, readGuardrailRow);
    },

    async guardrail(guardrailId) {
      const rows = await session.ask((queries) =>
        queries.select().from(guardrails).where(eq(guardrails.guardrailId, guardrailId)),
      );
      return readAll('guardrail', rows, (row) => row.guardrailId, readGuardrailRow)[0] ?? null;
    },

    async putGuardrail(revision, stored) {
      session.touchRevision(revision);
      const row = guardrailColumns(stored);
      await session.ask((queries) =>
        queries
          .insert(guardrails)
          .values(row)
          .onConflictDoUpdate({ target: guardrails.guardrailId, set: without(row, 'guardrailId') }),
      );
      await history.put(revision, 'guardrail', stored.guardrail.guardrail_id, stored);
    },

    async deleteGuardrail(revision, guardrailId) {
      session.touchRevision(revision);
      await session.ask((queries) =>
        queries.delete(guardrails).where(eq(guardrails.guardrailId, guardrailId)),
      );
      await history.end(revision, 'guardrail', guardrailId);
    },

    async models() {
      const rows = await session.ask((queries) =>
        queries.select().from(models).orderBy(asc(models.createdAt), asc(models.modelId)),
      );
      return readAll('model', rows, (row) => row.modelId, readModelRow);
    },

    async putModel(revision, stored) {
      session.touchRevision(revision);
      const row = modelColumns(stored);
      await session.ask((queries) =>
        queries
          .insert(models)
          .values(row)
          .onConflictDoUpdate({ target: models.modelId, set: without(row, 'modelId') }),
      );
      await history.put(revision, 'model', stored.model.model_id, stored);
    },

    async deleteModel(revision, modelId) {
      session.touchRevision(revision);
      await session.ask((queries) => queries.delete(models).where(eq(models.modelId, modelId)));
      await history.end(revision, 'model', modelId);
    },
  };
}

function headOf(rows: readonly (typeof policyHead.$inferSelect)[]): PolicyHead {
  const row = rows[0];
  if (row === undefined) throw new DatabaseError('fault', 'the policies have lost their head row');
  return { revision: row.revision, configDigest: row.configDigest };
}

/** The rows after a place in the order "newest first". */
function following(after: PagePlace | undefined, createdAt: PgColumn, id: PgColumn): SQL | undefined {
  if (after === undefined) return undefined;
  const moment = new Date(after.createdAtMs);
  return or(lt(createdAt, moment), and(eq(createdAt, moment), lt(id, after.id)));
}

// ── History ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What was valid from which revision on (S4). An object that is written twice in one revision leaves one row. */
function historyOn(session: Session) {
  const current = (object: StoredObjectType, id: string) =>
    and(
      eq(policyHistory.objectType, object),
      eq(policyHistory.objectId, id),
      isNull(policyHistory.toRevision),
    );

  async function end(revision: number, object: StoredObjectType, id: string): Promise<void> {
    await session.ask((queries) =>
      queries.delete(policyHistory).where(and(current(object, id), eq(policyHistory.fromRevision, revision))),
    );
    await session.ask((queries) =>
      queries.update(policyHistory).set({ toRevision: revision }).where(current(object, id)),
    );
  }

  return {
    end,
    async put(revision: number, object: StoredObjectType, id: string, document: unknown): Promise<void> {
      await end(revision, object, id);
      await session.ask((queries) =>
        queries
          .insert(policyHistory)
          .values({ objectType: object, objectId: id, fromRevision: revision, document }),
      );
    },
  };
}

/** The changes after a revision, from the history: what began is there, what only ended is gone. */
async function changesSince(
  session: Session,
  since: number,
  limit: number,
): Promise<readonly RevisionEntry[]> {
  const taken = await session.ask((queries) =>
    queries
      .select()
      .from(policyRevisions)
      .where(gt(policyRevisions.revision, since))
      .orderBy(desc(policyRevisions.revision))
      .limit(limit),
  );
  const oldest = taken.at(-1)?.revision;
  const newest = taken[0]?.revision;
  if (oldest === undefined || newest === undefined) return [];
  const name = sql<string | null>`coalesce(
    ${policyHistory.document} #>> '{policy,policy_name}',
    ${policyHistory.document} #>> '{attachment,policy_name}',
    ${policyHistory.document} #>> '{guardrail,guardrail_name}',
    ${policyHistory.document} #>> '{model,model_name}')`;
  const spans = await session.ask((queries) =>
    queries
      .select({
        object: sql<StoredObjectType>`${policyHistory.objectType}`,
        id: policyHistory.objectId,
        from: policyHistory.fromRevision,
        to: policyHistory.toRevision,
        name,
      })
      .from(policyHistory)
      .where(
        or(
          and(gt(policyHistory.fromRevision, oldest - 1), lte(policyHistory.fromRevision, newest)),
          and(gt(policyHistory.toRevision, oldest - 1), lte(policyHistory.toRevision, newest)),
        ),
      )
      .orderBy(asc(policyHistory.objectType), asc(policyHistory.objectId)),
  );
  const began = grouped(spans, ({ from }) => from);
  const ended = grouped(spans, ({ to }) => to);
  return taken.map(({ revision, at, actor, callId }) => {
    const there = began.get(revision) ?? [];
    const gone = ended.get(revision) ?? [];
    const keyOf = ({ object, id }: { object: string; id: string }) => `${object} ${id}`;
    const [thereKeys, goneKeys] = [new Set(there.map(keyOf)), new Set(gone.map(keyOf))];
    return {
      revision,
      atMs: at.getTime(),
      by: actor,
      callId,
      objects: [
        ...there.map((span) => {
          const { object, id, name } = span;
          return { object, id, name, change: goneKeys.has(keyOf(span)) ? 'changed' : 'created' } as const;
        }),
        ...gone
          .filter((span) => !thereKeys.has(keyOf(span)))
          .map(({ object, id, name }) => ({ object, id, name, change: 'deleted' }) as const),
      ],
    };
  });
}

function grouped<T>(
  items: readonly T[],
  keyOf: (item: T) => number | null,
): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

// ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function policyColumns(stored: StoredPolicy): typeof policies.$inferInsert {
  const { policy } = stored;
  return {
    policyId: policy.policy_id,
    policyName: policy.policy_name,
    versionNumber: policy.version_number,
    versionStatus: policy.version_status,
    parentVersionId: stored.parentVersionId,
    content: without(
      policy,
      'policy_id',
      'policy_name',
      'version_number',
      'version_status',
      'definition_location',
    ),
    note: stored.note,
    publishedAt: momentOf(stored.publishedAtMs),
    productionAt: momentOf(stored.productionAtMs),
    ...whoAndWhen(stored),
  };
}

function attachmentColumns(stored: StoredAttachment): typeof policyAttachments.$inferInsert {
  const { attachment } = stored;
  return {
    attachmentId: attachment.attachment_id,
    policyName: attachment.policy_name,
    scopeHash: scopeHash(attachment),
    content: without(attachment, 'attachment_id', 'policy_name', 'definition_location'),
    ...whoAndWhen(stored),
  };
}

function guardrailColumns(stored: StoredGuardrail): typeof guardrails.$inferInsert {
  const { guardrail } = stored;
  return {
    guardrailId: guardrail.guardrail_id,
    guardrailName: guardrail.guardrail_name,
    content: without(guardrail, 'guardrail_id', 'guardrail_name', 'definition_location'),
    ...whoAndWhen(stored),
  };
}

function modelColumns(stored: StoredModel): typeof models.$inferInsert {
  const { model } = stored;
  return {
    modelId: model.model_id,
    modelName: model.model_name,
    content: without(model, 'model_id', 'model_name'),
    ...whoAndWhen(stored),
  };
}

/** Two attachments of one policy that select the same have the same hash, in whatever order the lists are. */
function scopeHash({ policy_name, scope, teams, keys, models, tags }: Attachment): string {
  const set = (list: readonly string[]) => [...new Set(list)].sort();
  const { any, all, none } = tagParts(tags);
  const selectors = [scope, set(teams), set(keys), set(models), set(any), set(all), set(none)];
  return createHash('sha256')
    .update(canonicalJson([policy_name, ...selectors]))
    .digest('hex');
}

function whoAndWhen(
  stored: Pick<StoredPolicy, 'createdAtMs' | 'createdBy' | 'updatedAtMs' | 'updatedBy'>,
): Pick<typeof policies.$inferInsert, 'createdAt' | 'createdBy' | 'updatedAt' | 'updatedBy'> {
  return {
    createdAt: new Date(stored.createdAtMs),
    createdBy: stored.createdBy,
    updatedAt: new Date(stored.updatedAtMs),
    updatedBy: stored.updatedBy,
  };
}

function momentOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/** What has no column of its own, or is not to be set. */
function without<Row extends object, Key extends keyof Row & string>(
  row: Row,
  ...keys: readonly Key[]
): Omit<Row, Key> {
  const taken: ReadonlySet<string> = new Set(keys);
  return Object.fromEntries(Object.entries(row).filter(([key]) => !taken.has(key))) as Omit<Row, Key>;
}
