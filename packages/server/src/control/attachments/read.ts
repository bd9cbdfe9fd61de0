import { type AttachmentListQuery, attachmentListQuerySchema, PortcullisError } from '@portcullis/contract';
import { configuredOf } from '../changes/documents.ts';
import { attachmentRow, configAttachmentRow } from '../changes/rows.ts';
import type { ControlContext } from '../context.ts';
import { pageOf } from '../pages.ts';
import type { Route } from '../route.ts';

/** `GET /policies/attachments/list`: those of the database, newest first, then those of the configuration file. */
export function listAttachmentsRoute({
  database,
  engine,
}: ControlContext): Route<unknown, AttachmentListQuery> {
  return {
    method: 'GET',
    path: '/policies/attachments/list',
    permission: 'admin_viewer',
    query: attachmentListQuerySchema,
    async handler({ query }) {
      const { policies: store } = database.stores;
      const { policy_name: policyName } = query;
      const filter = policyName === undefined ? {} : { policyName };
      const configured = configuredOf(engine).attachments.filter(
        ({ policy_name }) => policyName === undefined || policy_name === policyName,
      );
      const page = await pageOf(query, {
        stored: (limit, after) =>
          store.attachments({
            ...filter,
            ...(limit === undefined ? {} : { limit }),
            ...(after === undefined ? {} : { after }),
          }),
        placeOf: ({ createdAtMs, attachment }) => ({ createdAtMs, id: attachment.attachment_id }),
        storedRow: attachmentRow,
        configRows: configured.map(configAttachmentRow),
      });
      const total = (await store.countAttachments(filter)) + configured.length;
      return { body: { attachments: page.rows, total_count: total, next: page.next } };
    },
  };
}

/** `GET /policies/attachments/{attachment_id}`. */
export function getAttachmentRoute({ database, engine }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/policies/attachments/:attachment_id',
    permission: 'admin_viewer',
    async handler({ params }) {
      const id = params['attachment_id'] ?? '';
      const stored = await database.stores.policies.attachment(id);
      if (stored !== null) return { body: attachmentRow(stored) };
      const configured = configuredOf(engine).attachments.find(({ attachment_id }) => attachment_id === id);
      if (configured === undefined) throw attachmentNotFound(id);
      return { body: configAttachmentRow(configured) };
    },
  };
}

export function attachmentNotFound(attachmentId: string): PortcullisError {
  return new PortcullisError('not_found', `Attachment with ID ${attachmentId} not found`, {
    param: 'attachment_id',
  });
}
