import { type AuditLogQuery, auditLogQuerySchema } from '@portcullis/contract';
import type { StoredAuditEntry } from '../../ports/audit.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';

/** The audit log (V10): to read, and to prove that nobody has edited it. */
export function auditRoutes(context: ControlContext): readonly Route[] {
  return [auditLogRoute(context), auditVerifyRoute(context)];
}

/** `GET /audit/log`: newest first, in pages that what is written meanwhile does not move. */
function auditLogRoute({ database }: ControlContext): Route<unknown, AuditLogQuery> {
  return {
    method: 'GET',
    path: '/audit/log',
    permission: 'admin_viewer',
    query: auditLogQuerySchema,
    async handler({ query: { before, limit } }) {
      // One more than asked for says whether there is another page.
      const found = await database.stores.audit.list({
        limit: limit + 1,
        ...(before === undefined ? {} : { before }),
      });
      const entries = found.slice(0, limit);
      const next = found.length > limit ? (entries.at(-1)?.number ?? null) : null;
      return { body: { entries: entries.map(entryRow), next } };
    },
  };
}

/**
 * `GET /audit/verify`: recomputes the hash of every row. A log that was edited is a finding, not a failure of the
 * request, so the answer is 200 with `ok: false`, the first number that does not fit, and the reason.
 */
function auditVerifyRoute({ database }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/audit/verify',
    permission: 'admin_viewer',
    async handler() {
      return { body: await database.stores.audit.verify() };
    },
  };
}

function entryRow(entry: StoredAuditEntry): Readonly<Record<string, unknown>> {
  const { number, atMs, actor, action, object, before, after, refused, revision, callId } = entry;
  return {
    number,
    at: new Date(atMs).toISOString(),
    actor: actor.by,
    actor_role: actor.role,
    action,
    object_type: object.type,
    object_id: object.id,
    before,
    after,
    refused,
    revision: revision ?? null,
    call_id: callId,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  };
}
