import { nameSchema } from '@portcullis/policy';
import { z } from 'zod';

/**
 * Fields that keys and teams share: what protects (M9), what this gateway does not have yet, and what describes. A field
 * that would limit or protect is honoured or refused, never dropped.
 */

const LIST_LIMIT = 1_000;
const TEXT_LIMIT = 256;
const METADATA_LIMIT = 65_536;

// oxlint-disable-next-line no-control-regex -- control characters are exactly what must not be stored
const CONTROL = /[\u0000-\u001f\u007f]/u;

const text = z
  .string()
  .min(1, 'must not be empty')
  .max(TEXT_LIMIT, `has at most ${TEXT_LIMIT} characters`)
  .refine((value) => !CONTROL.test(value), 'must not contain control characters')
  .refine(isStorable, 'must be well-formed Unicode')
  .refine((value) => value.normalize('NFC') === value, 'must be in Unicode normalisation form NFC');

/** An id, an alias or a user's name. */
export const textSchema = text;

/** Model names, ids and the like. */
export const textListSchema = z.array(text).max(LIST_LIMIT, `has at most ${LIST_LIMIT} entries`);

const nameListSchema = z.array(nameSchema).max(LIST_LIMIT, `has at most ${LIST_LIMIT} entries`);

/** What a request of this key or team may ask for (O5, A4). */
export const permissionsSchema = z.strictObject({
  client_guardrails: z.boolean().optional(),
  client_policies: z.boolean().optional(),
});

/** Model names that stand for other names (M8). */
export const modelAliasesSchema = z
  .record(text, text)
  .refine((aliases) => Object.keys(aliases).length <= LIST_LIMIT, `has at most ${LIST_LIMIT} entries`);

/**
 * The protection fields by the name they have on the wire; the same schemas check their twins inside
 * `metadata`.
 */
export const PROTECTION_FIELDS = {
  tags: textListSchema,
  guardrails: nameListSchema,
  policies: nameListSchema,
  opted_out_global_guardrails: nameListSchema,
  disable_global_guardrails: z.boolean(),
  permissions: permissionsSchema,
  allow_policy_versions: z.boolean(),
  model_aliases: modelAliasesSchema,
} as const;

export const protectionShape = {
  tags: PROTECTION_FIELDS.tags.nullish(),
  guardrails: PROTECTION_FIELDS.guardrails.nullish(),
  policies: PROTECTION_FIELDS.policies.nullish(),
  opted_out_global_guardrails: PROTECTION_FIELDS.opted_out_global_guardrails.nullish(),
  disable_global_guardrails: PROTECTION_FIELDS.disable_global_guardrails.nullish(),
  /** The older spelling (D-69). */
  disable_global_guardrail: PROTECTION_FIELDS.disable_global_guardrails.nullish(),
  permissions: PROTECTION_FIELDS.permissions.nullish(),
};

/** Free data. Protection fields written here are taken out and stored as what they are. */
export const metadataSchema = z
  .record(z.string(), z.json())
  .refine(
    (metadata) => JSON.stringify(metadata).length <= METADATA_LIMIT,
    `has at most ${METADATA_LIMIT} characters as JSON`,
  )
  .refine(isStorable, 'must not contain U+0000 or half of a surrogate pair');

/** Fields of the reference inside `metadata` that limit or protect and that this gateway does not have yet. */
export const UNSUPPORTED_METADATA: readonly string[] = [
  'allowed_passthrough_routes',
  'tag_rpm_limit',
  'prompts',
  'enforced_params',
  'team_member_budget_id',
];

/** A field of the reference that limits or protects and that this gateway does not have yet: only "nothing" is taken. */
export function unsupported(): z.ZodOptional<z.ZodUnknown> {
  return z
    .unknown()
    .refine(isNothing, 'is not supported yet; leave it out, because it would not take effect')
    .describe('Not supported yet: only nothing is taken')
    .optional();
}

/** `spend` counts what was used; a new object has used nothing. */
export const noSpend = z
  .unknown()
  .refine((value) => isNothing(value) || value === 0, 'cannot be set; only 0 is taken')
  .optional();

/** `spend` of an object that exists: 0 begins to count anew. */
export const resetSpend = z.literal(0, 'is counted by the gateway; only 0 is taken, to begin anew').nullish();

/** Limits that the reference keeps inside `metadata`; here they stand beside it, where they are checked. */
export const MISPLACED_METADATA: readonly string[] = [
  'model_rpm_limit',
  'model_tpm_limit',
  'temp_budget_increase',
  'temp_budget_expiry',
];

/** Whether a value says nothing: clients of the reference send `null`, `[]`, `{}`, `""` and `false` for unused fields. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

// oxlint-disable-next-line no-control-regex -- the one character that PostgreSQL cannot keep
const UNSTORABLE = /[\u0000\p{Surrogate}]/u;

/** Whether every text in a value can be kept in a database as it is. */
export function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !UNSTORABLE.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => !UNSTORABLE.test(name) && isStorable(member));
}
