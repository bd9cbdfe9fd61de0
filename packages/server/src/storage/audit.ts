import { createHash } from 'node:crypto';
import { and, asc, desc, eq, gt, lt, lte } from 'drizzle-orm';
import { z } from 'zod';
import { DatabaseError } from '../ports/database.ts';
import { AUDIT_OBJECTS, type AuditEntry, type AuditLog, type StoredAuditEntry } from '../ports/audit.ts';
import { read } from './rows.ts';
import type { Session } from './session.ts';
import { auditHead, auditLog } from './tables.ts';

const START = '0'.repeat(64);
const VERIFY_BATCH = 1_000;

const object = z.record(z.string(), z.unknown()).nullable();

const auditRow = z.object({
  number: z.number(),
  at: z.date(),
  actor: z.string(),
  actorRole: z.enum(['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer']),
  action: z.string(),
  objectType: z.enum(AUDIT_OBJECTS),
  objectId: z.string(),
  before: object,
  after: object,
  refused: z.string().nullable(),
  revision: z.number().nullable(),
  callId: z.string(),
  previousHash: z.string(),
  hash: z.string(),
});

/** The audit log. Appending locks the head row, so in one database appends follow each other. */
export function auditStore(session: Session): AuditLog {
  return {
    async append(entry) {
      const heads = await session.ask((queries) =>
        queries.select().from(auditHead).where(eq(auditHead.single, true)).for('update'),
      );
      const head = heads[0];
      if (head === undefined) throw new DatabaseError('fault', 'the audit log has lost its head row');
      const number = head.number + 1;
      const hash = hashOf(number, entry, head.hash);
      await session.ask((queries) =>
        queries.insert(auditLog).values({
          number,
          at: new Date(entry.atMs),
          actor: entry.actor.by,
          actorRole: entry.actor.role,
          action: entry.action,
          objectType: entry.object.type,
          objectId: entry.object.id,
          before: entry.before,
          after: entry.after,
          refused: entry.refused,
          revision: entry.revision ?? null,
          callId: entry.callId,
          previousHash: head.hash,
          hash,
        }),
      );
      await session.ask((queries) =>
        queries.update(auditHead).set({ number, hash }).where(eq(auditHead.single, true)),
      );
    },

    async list({ before, limit }) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(auditLog)
          .where(before === undefined ? undefined : lt(auditLog.number, before))
          .orderBy(desc(auditLog.number))
          .limit(limit),
      );
      return rows.map(readAuditRow);
    },

    async verify() {
      // The head first: rows that are appended meanwhile are not looked at.
      const heads = await session.ask((queries) => queries.select().from(auditHead));
      const head = heads[0] ?? { number: 0, hash: START };
      let number = 0;
      let previous = START;
      while (number < head.number) {
        const after = number;
        const rows = await session.ask((queries) =>
          queries
            .select()
            .from(auditLog)
            .where(and(gt(auditLog.number, after), lte(auditLog.number, head.number)))
            .orderBy(asc(auditLog.number))
            .limit(VERIFY_BATCH),
        );
        if (rows.length === 0) return { ok: false, number: number + 1, reason: 'the log has been cut off' };
        for (const entry of rows.map(readAuditRow)) {
          number += 1;
          if (entry.number !== number) return { ok: false, number, reason: 'the row is missing' };
          if (entry.previousHash !== previous || hashOf(number, entry, previous) !== entry.hash) {
            return { ok: false, number, reason: 'the row has been edited' };
          }
          previous = entry.hash;
        }
      }
      if (previous !== head.hash) return { ok: false, number, reason: 'the head does not fit the last row' };
      return { ok: true, count: number, head: previous };
    },
  };
}

function readAuditRow(row: unknown): StoredAuditEntry {
  const entry = read(auditRow, row, 'audit entry');
  return {
    number: entry.number,
    atMs: entry.at.getTime(),
    actor: { by: entry.actor, role: entry.actorRole },
    action: entry.action,
    object: { type: entry.objectType, id: entry.objectId },
    before: entry.before,
    after: entry.after,
    refused: entry.refused,
    ...(entry.revision === null ? {} : { revision: entry.revision }),
    callId: entry.callId,
    previousHash: entry.previousHash,
    hash: entry.hash,
  };
}

function hashOf(number: number, entry: AuditEntry, previous: string): string {
  const { atMs, actor, action, object, before, after, refused, revision, callId } = entry;
  const parts = [number, atMs, actor.by, actor.role, action, object.type, object.id, before, after, refused];
  // Only a row that has a revision counts it: older rows keep their hash.
  const taken = revision === undefined ? [] : [revision];
  return createHash('sha256')
    .update(canonical([...parts, ...taken, callId, previous]))
    .digest('hex');
}

/** JSON with sorted keys: jsonb does not keep the order in which members were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(
          Object.entries(member)
            .filter(([, inner]) => inner !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : member,
  );
}
