import { hasIdForm } from '@portcullis/policy';
import { z } from 'zod';
import { durationSchema, limitsShape, modelLimitsShape, temporaryBudgetShape } from './limits.ts';
import {
  metadataSchema,
  modelAliasesSchema,
  noSpend,
  PROTECTION_FIELDS,
  protectionShape,
  resetSpend,
  textListSchema,
  textSchema,
  unsupported,
} from './protection.ts';

/** An alias in the form of an id could pose as one in a selector (M9). */
export const aliasSchema = textSchema.refine(
  (alias) => !hasIdForm(alias),
  'must not have the form of an id or token hash',
);

/** A bearer key: `sk-` and visible ASCII characters. */
export const secretSchema = z
  .string()
  .regex(/^sk-[\u0021-\u007e]+$/u, 'must begin with "sk-" and hold visible ASCII characters only')
  .max(256, 'has at most 256 characters');

const TOKEN_HASH = /^[0-9a-f]{64}$/u;

/** A key as management routes take it: the key itself or its token hash. */
export const keyReferenceSchema = z
  .string()
  .refine(
    (text) => TOKEN_HASH.test(text) || secretSchema.safeParse(text).success,
    'is a key (sk-...) or a token hash (64 hexadecimal digits)',
  );

/** What a key may be used for: everything, calls of models, management, or reading management. */
const KEY_TYPES = ['default', 'llm_api', 'management', 'read_only'] as const;

const settableShape = {
  key_alias: aliasSchema.nullish(),
  user_id: textSchema.nullish(),
  team_id: textSchema.nullish(),
  organization_id: textSchema.nullish(),
  models: textListSchema.nullish(),
  duration: durationSchema.nullish(),
  blocked: z.boolean().nullish(),
  key_type: z.enum(KEY_TYPES).nullish(),
  metadata: metadataSchema.nullish(),
  ...protectionShape,
  ...limitsShape,
  ...modelLimitsShape,
  aliases: modelAliasesSchema.nullish(),
  allow_policy_versions: PROTECTION_FIELDS.allow_policy_versions.nullish(),
};

const unsupportedShape = {
  project_id: unsupported(),
  agent_id: unsupported(),
  send_invite_email: unsupported(),
  auto_rotate: unsupported(),
  rotation_interval: unsupported(),
  config: unsupported(),
  router_settings: unsupported(),
  budget_limits: unsupported(),
  budget_id: unsupported(),
  model_max_budget: unsupported(),
  tag_rpm_limit: unsupported(),
  tpm_limit_type: unsupported(),
  rpm_limit_type: unsupported(),
  prompts: unsupported(),
  enforced_params: unsupported(),
  allowed_routes: unsupported(),
  allowed_passthrough_routes: unsupported(),
  allowed_cache_controls: unsupported(),
  allowed_vector_store_indexes: unsupported(),
  object_permission: unsupported(),
};

/** Body of `POST /key/generate`. */
export const generateKeySchema = z.strictObject({
  key: secretSchema.nullish(),
  ...settableShape,
  spend: noSpend,
  ...unsupportedShape,
});
export type GenerateKey = z.infer<typeof generateKeySchema>;

/** Body of `POST /key/service-account/generate`: a key that belongs to a team and to no user. */
export const serviceAccountKeySchema = generateKeySchema
  .omit({ user_id: true })
  .extend({ team_id: textSchema });
export type ServiceAccountKey = z.infer<typeof serviceAccountKeySchema>;

const changeableShape = {
  ...settableShape,
  ...temporaryBudgetShape,
  spend: resetSpend,
  ...unsupportedShape,
};

/** Both or none: an increase without an end would be a budget, an end without an increase nothing. */
function isWholeIncrease(body: {
  readonly temp_budget_increase?: unknown;
  readonly temp_budget_expiry?: unknown;
}) {
  return typeof body.temp_budget_increase !== 'number' || typeof body.temp_budget_expiry === 'string';
}

const INCREASE_PROBLEM = {
  path: ['temp_budget_expiry'],
  message: 'say until when temp_budget_increase lasts',
};

/** Body of `POST /key/update`: `key`, or else `key_alias`, says which; only given fields change, `null` clears. */
export const updateKeySchema = z
  .strictObject({ key: keyReferenceSchema.optional(), ...changeableShape })
  .refine(isWholeIncrease, INCREASE_PROBLEM)
  .refine((body) => body.key !== undefined || typeof body.key_alias === 'string', {
    path: ['key'],
    message: 'give key (or its token hash), or key_alias',
  });
export type UpdateKey = z.infer<typeof updateKeySchema>;

/**
 * Body of `POST /key/regenerate` and `/key/{key}/regenerate`: what may be updated may be updated at the same time. Until
 * `grace_period` is over the old key still opens.
 */
export const regenerateKeySchema = z
  .strictObject({
    key: keyReferenceSchema.optional(),
    new_key: secretSchema.nullish(),
    grace_period: durationSchema.nullish(),
    ...changeableShape,
  })
  .refine(isWholeIncrease, INCREASE_PROBLEM)
  // Without a body nothing but the key itself changes.
  .prefault({});
export type RegenerateKey = z.infer<typeof regenerateKeySchema>;

/** Body of `POST /key/delete`. */
export const deleteKeysSchema = z
  .strictObject({
    keys: z.array(keyReferenceSchema).max(1_000).nullish(),
    key_aliases: z.array(textSchema).max(1_000).nullish(),
  })
  .refine((body) => (body.keys ?? []).length + (body.key_aliases ?? []).length > 0, {
    path: ['keys'],
    message: 'give keys or key_aliases',
  });
export type DeleteKeys = z.infer<typeof deleteKeysSchema>;

/** Body of `POST /key/block` and `/key/unblock`. */
export const namedKeySchema = z.strictObject({ key: keyReferenceSchema });
export type NamedKey = z.infer<typeof namedKeySchema>;

/** Query of `GET /key/info`: without `key` the caller's own. */
export const keyInfoQuerySchema = z.strictObject({ key: keyReferenceSchema.optional() });
export type KeyInfoQuery = z.infer<typeof keyInfoQuerySchema>;

/** A switch in a query. */
export const flagSchema = z
  .enum(['true', 'false', 'True', 'False', '1', '0'])
  .transform((value) => ['true', 'True', '1'].includes(value));

const pageShape = {
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  size: z.coerce.number().int().min(1).max(100).default(10),
};

/** Query of `GET /key/list`. */
export const keyListQuerySchema = z.strictObject({
  ...pageShape,
  user_id: textSchema.optional(),
  team_id: textSchema.optional(),
  organization_id: textSchema.optional(),
  key_hash: z.string().regex(TOKEN_HASH, 'is a token hash (64 hexadecimal digits)').optional(),
  key_alias: textSchema.optional(),
  return_full_object: flagSchema.default(false),
  include_team_keys: flagSchema.default(false),
  sort_by: z
    .enum(['created_at', 'updated_at', 'key_alias', 'expires', 'team_id', 'user_id', 'token'])
    .default('created_at'),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
});
export type KeyListQuery = z.infer<typeof keyListQuerySchema>;
