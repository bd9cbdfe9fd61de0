import { attachmentSchema, guardrailSchema, policySchema } from '@portcullis/policy';
import { z } from 'zod';
import {
  type StoredAttachment,
  type StoredDelta,
  type StoredGuardrail,
  type StoredModel,
  type StoredObjectType,
  type StoredPolicy,
  type UnreadableRow,
  UnreadableRowsError,
} from '../ports/policy-store.ts';

/**
 * Rows of policies, attachments and guardrails, read and never cast. One that cannot be read is named by its id, together
 * with all others of the same reading, and nothing is returned: a list with a hole would be a list without a protection.
 */

const name = z.string().nullable();
const moment = z.date();
const written = { createdAt: moment, createdBy: name, updatedAt: moment, updatedBy: name };
const content = z.record(z.string(), z.unknown());

const policyRow = z.object({
  policyId: z.string(),
  policyName: z.string(),
  versionNumber: z.number(),
  versionStatus: z.string(),
  parentVersionId: name,
  content,
  note: name,
  publishedAt: moment.nullable(),
  productionAt: moment.nullable(),
  ...written,
});

const attachmentRow = z.object({ attachmentId: z.string(), policyName: z.string(), content, ...written });
const guardrailRow = z.object({ guardrailId: z.string(), guardrailName: z.string(), content, ...written });

const modelRow = z.object({ modelId: z.string(), modelName: z.string(), content, ...written });

const modelSchema = z.strictObject({
  model_id: z.string().min(1),
  model_name: z.string().min(1),
  provider_model: z.string().min(1),
  guardrails: z.array(z.string()),
  sealed_params: z.string(),
  model_info: content,
});

type Read<T> = { readonly value: T } | { readonly fields: readonly string[] };

/** A row of the table of versions. */
export function readPolicyRow(row: unknown): Read<StoredPolicy> {
  const columns = policyRow.safeParse(row);
  if (!columns.success) return atFault(columns.error);
  const { data } = columns;
  const policy = policySchema.safeParse({
    ...data.content,
    policy_id: data.policyId,
    policy_name: data.policyName,
    version_number: data.versionNumber,
    version_status: data.versionStatus,
    definition_location: 'db',
  });
  if (!policy.success) return atFault(policy.error);
  return {
    value: {
      policy: policy.data,
      parentVersionId: data.parentVersionId,
      note: data.note,
      publishedAtMs: data.publishedAt?.getTime() ?? null,
      productionAtMs: data.productionAt?.getTime() ?? null,
      ...whoAndWhen(data),
    },
  };
}

/** A row of the table of attachments. */
export function readAttachmentRow(row: unknown): Read<StoredAttachment> {
  const columns = attachmentRow.safeParse(row);
  if (!columns.success) return atFault(columns.error);
  const { data } = columns;
  const attachment = attachmentSchema.safeParse({
    ...data.content,
    attachment_id: data.attachmentId,
    policy_name: data.policyName,
    definition_location: 'db',
  });
  if (!attachment.success) return atFault(attachment.error);
  return { value: { attachment: attachment.data, ...whoAndWhen(data) } };
}

/** A row of the table of guardrails. */
export function readGuardrailRow(row: unknown): Read<StoredGuardrail> {
  const columns = guardrailRow.safeParse(row);
  if (!columns.success) return atFault(columns.error);
  const { data } = columns;
  const guardrail = guardrailSchema.safeParse({
    ...data.content,
    guardrail_id: data.guardrailId,
    guardrail_name: data.guardrailName,
    definition_location: 'db',
  });
  if (!guardrail.success) return atFault(guardrail.error);
  return { value: { guardrail: guardrail.data, ...whoAndWhen(data) } };
}

/** A row of the table of models. */
export function readModelRow(row: unknown): Read<StoredModel> {
  const columns = modelRow.safeParse(row);
  if (!columns.success) return atFault(columns.error);
  const { data } = columns;
  const model = modelSchema.safeParse({
    ...data.content,
    model_id: data.modelId,
    model_name: data.modelName,
  });
  if (!model.success) return atFault(model.error);
  return { value: { model: model.data, ...whoAndWhen(data) } };
}

function whoAndWhen(row: {
  createdAt: Date;
  createdBy: string | null;
  updatedAt: Date;
  updatedBy: string | null;
}): Pick<StoredPolicy, 'createdAtMs' | 'createdBy' | 'updatedAtMs' | 'updatedBy'> {
  const { createdAt, createdBy, updatedAt, updatedBy } = row;
  return { createdAtMs: createdAt.getTime(), createdBy, updatedAtMs: updatedAt.getTime(), updatedBy };
}

const moments = {
  createdAtMs: z.number(),
  createdBy: name,
  updatedAtMs: z.number(),
  updatedBy: name,
};

/** Documents of the history, which are the stored objects as they were. */
const HISTORY = {
  policy: z.object({
    policy: policySchema,
    parentVersionId: name,
    note: name,
    publishedAtMs: z.number().nullable(),
    productionAtMs: z.number().nullable(),
    ...moments,
  }),
  attachment: z.object({ attachment: attachmentSchema, ...moments }),
  guardrail: z.object({ guardrail: guardrailSchema, ...moments }),
  model: z.object({ model: modelSchema, ...moments }),
} satisfies Record<StoredObjectType, z.ZodType>;

export type HistoryObject =
  | { readonly object: 'policy'; readonly stored: StoredPolicy }
  | { readonly object: 'attachment'; readonly stored: StoredAttachment }
  | { readonly object: 'guardrail'; readonly stored: StoredGuardrail }
  | { readonly object: 'model'; readonly stored: StoredModel };

/** A document of the history, or the fields that are at fault. */
function readHistoryDocument(object: string, document: unknown): Read<HistoryObject> {
  switch (object) {
    case 'policy': {
      const parsed = HISTORY.policy.safeParse(document);
      return parsed.success ? { value: { object, stored: parsed.data } } : atFault(parsed.error);
    }
    case 'attachment': {
      const parsed = HISTORY.attachment.safeParse(document);
      return parsed.success ? { value: { object, stored: parsed.data } } : atFault(parsed.error);
    }
    case 'guardrail': {
      const parsed = HISTORY.guardrail.safeParse(document);
      return parsed.success ? { value: { object, stored: parsed.data } } : atFault(parsed.error);
    }
    case 'model': {
      const parsed = HISTORY.model.safeParse(document);
      return parsed.success ? { value: { object, stored: parsed.data } } : atFault(parsed.error);
    }
    default:
      return { fields: ['object_type'] };
  }
}

function atFault(error: z.ZodError): { fields: readonly string[] } {
  const fields = error.issues.flatMap(({ path, ...issue }) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => [...path, key].join('.'))
      : [path.join('.') || 'row'],
  );
  return { fields: [...new Set(fields)] };
}

/** Reads rows one after the other and remembers what was at fault. */
class RowReader {
  readonly #unreadable: UnreadableRow[] = [];

  /** The value, or null for a row that {@link check} will name. */
  read<T>(object: StoredObjectType, id: string, result: Read<T>): T | null {
    if ('value' in result) return result.value;
    this.#unreadable.push({ object, id, fields: result.fields });
    return null;
  }

  /** @throws UnreadableRowsError when a row could not be read. */
  check(): void {
    if (this.#unreadable.length > 0) throw new UnreadableRowsError(this.#unreadable);
  }
}

/** Reads all rows of one table. @throws UnreadableRowsError naming every malformed one. */
export function readAll<Row, T>(
  object: StoredObjectType,
  rows: readonly Row[],
  idOf: (row: Row) => string,
  readOne: (row: Row) => Read<T>,
): readonly T[] {
  const reader = new RowReader();
  const values: T[] = [];
  for (const row of rows) {
    const value = reader.read(object, idOf(row), readOne(row));
    if (value !== null) values.push(value);
  }
  reader.check();
  return values;
}

/** Documents of the history, sorted into their kinds. */
export class SortedDocuments {
  readonly #reader = new RowReader();
  readonly #policies: StoredPolicy[] = [];
  readonly #attachments: StoredAttachment[] = [];
  readonly #guardrails: StoredGuardrail[] = [];
  readonly #models: StoredModel[] = [];

  add(object: StoredObjectType, id: string, document: unknown): void {
    const read = this.#reader.read(object, id, readHistoryDocument(object, document));
    if (read?.object === 'policy') this.#policies.push(read.stored);
    else if (read?.object === 'attachment') this.#attachments.push(read.stored);
    else if (read?.object === 'guardrail') this.#guardrails.push(read.stored);
    else if (read?.object === 'model') this.#models.push(read.stored);
  }

  /** @throws UnreadableRowsError when a document could not be read. */
  objects(): Pick<StoredDelta, 'policies' | 'attachments' | 'guardrails' | 'models'> {
    this.#reader.check();
    return {
      policies: this.#policies,
      attachments: this.#attachments,
      guardrails: this.#guardrails,
      models: this.#models,
    };
  }
}
