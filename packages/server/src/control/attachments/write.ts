import { randomUUID } from 'node:crypto';
import {
  type CreateAttachment,
  createAttachmentSchema,
  FieldsError,
  PortcullisError,
  type UpdateAttachment,
  updateAttachmentSchema,
} from '@portcullis/contract';
import { type Attachment, selectorProblem } from '@portcullis/policy';
import type { StoredAttachment } from '../../ports/policy-store.ts';
import { definedInConfig, type PolicyChange } from '../changes/change.ts';
import { attachmentRow } from '../changes/rows.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { Route } from '../route.ts';
import { modelGroupsOf } from '../changes/documents.ts';
import { aliasDoubt, requireExisting } from './existing.ts';
import { attachmentNotFound } from './read.ts';

type Row = Readonly<Record<string, unknown>>;

/** `POST /policies/attachments`: checked and inserted in one transaction (D-28), and only once (D-29). */
export function createAttachmentRoute(changes: ChangeMaker): Route<CreateAttachment> {
  return {
    method: 'POST',
    path: '/policies/attachments',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: createAttachmentSchema,
    handler: (input) =>
      changes.change(input, 'attachment.create', (change) => putAttachment(change, input.body)),
  };
}

/** Puts a new attachment, as one part of a change. @throws PortcullisError for what cannot be attached. */
export function putAttachment(change: PolicyChange, body: CreateAttachment): Promise<Row> {
  const { nowMs, actor } = change;
  return put(change, {
    attachment: attachmentOf(body, randomUUID()),
    createdAtMs: nowMs,
    createdBy: actor.by,
    updatedAtMs: nowMs,
    updatedBy: actor.by,
  });
}

/** `PUT /policies/attachments/{attachment_id}`: in place, so that there is no moment without it (D-29). */
export function updateAttachmentRoute(changes: ChangeMaker): Route<UpdateAttachment> {
  return {
    method: 'PUT',
    path: '/policies/attachments/:attachment_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: updateAttachmentSchema,
    handler: (input) =>
      changes.change(input, 'attachment.update', async (change) => {
        const { body } = input;
        const stored = requireAttachment(change, input.params['attachment_id'] ?? '', 'changed');
        const { attachment } = stored;
        const edited: Attachment = {
          ...attachment,
          ...givenFields(body),
          policy_name: body.policy_name ?? attachment.policy_name,
        };
        const problem = selectorProblem(edited);
        if (problem !== null) throw new FieldsError([{ loc: ['body'], msg: problem, type: 'custom' }]);
        return put(change, {
          ...stored,
          attachment: edited,
          updatedAtMs: change.nowMs,
          updatedBy: change.actor.by,
        });
      }),
  };
}

/** `DELETE /policies/attachments/{attachment_id}`. */
export function deleteAttachmentRoute(changes: ChangeMaker): Route {
  return {
    method: 'DELETE',
    path: '/policies/attachments/:attachment_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    handler: (input) =>
      changes.change(input, 'attachment.delete', async (change) => {
        const id = input.params['attachment_id'] ?? '';
        requireAttachment(change, id, 'removed');
        change.deleteAttachment(id);
        return { message: `Attachment ${id} deleted successfully` };
      }),
  };
}

async function put(change: PolicyChange, stored: StoredAttachment): Promise<Row> {
  const { attachment } = stored;
  const { attachment_id, policy_name } = attachment;
  change.subject = { section: 'attachments', name: attachment_id };
  if (!change.isInProduction(policy_name)) throw notAttachable(change, policy_name);
  await requireExisting(attachment, change.stores, {
    modelGroups: modelGroupsOf(change.configured, change.objects),
    modelAliases: change.configured.modelAliases,
  });
  const twin = await change.stores.policies.sameAttachment(attachment);
  if (twin !== null && twin !== attachment_id) {
    throw new PortcullisError(
      'name_taken',
      `Attachment ${twin} attaches policy '${policy_name}' to the same already; change that one instead.`,
      { fields: { attachment_id: twin } },
    );
  }
  change.putAttachment(stored);
  const doubt = await aliasDoubt(attachment, change.stores);
  return { ...attachmentRow(stored), ...(doubt === null ? {} : { doubts: [doubt] }) };
}

/** The real cause: a policy that only has drafts is there, and still cannot be attached (D-80). */
function notAttachable(change: PolicyChange, policyName: string): PortcullisError {
  const message =
    change.versions(policyName).length === 0
      ? `Policy '${policyName}' not found. Create the policy first.`
      : `Policy '${policyName}' has no production version. Promote a version first.`;
  return new PortcullisError('not_found', message, { param: 'policy_name' });
}

function requireAttachment(
  change: PolicyChange,
  attachmentId: string,
  verb: 'changed' | 'removed',
): StoredAttachment {
  const stored = change.attachment(attachmentId);
  if (stored !== null) return stored;
  const isConfigured = change.configured.attachments.some(
    ({ attachment_id }) => attachment_id === attachmentId,
  );
  if (isConfigured) throw definedInConfig('Attachment', attachmentId, verb);
  throw attachmentNotFound(attachmentId);
}

type Fields = Omit<Attachment, 'attachment_id' | 'policy_name' | 'definition_location'>;

const EMPTY: Fields = {
  scope: null,
  teams: [],
  keys: [],
  models: [],
  tags: [],
  priority: null,
  default: false,
  enforcement: 'enforce',
};

/** The attachment that a body describes. */
export function attachmentOf(body: CreateAttachment, attachmentId: string): Attachment {
  return {
    ...EMPTY,
    ...givenFields(body),
    policy_name: body.policy_name,
    attachment_id: attachmentId,
    definition_location: 'db',
  };
}

/** The fields that a body gives; `null` clears one. */
function givenFields(body: UpdateAttachment): Partial<Fields> {
  const given: Record<string, unknown> = {};
  for (const field of Object.keys(EMPTY) as (keyof Fields)[]) {
    const value = body[field];
    if (value !== undefined) given[field] = value ?? EMPTY[field];
  }
  return given;
}
