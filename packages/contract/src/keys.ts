import { hasIdForm } from '@portcullis/policy';
import { z } from 'zod';
import {
  metadataSchema,
  modelAliasesSchema,
  noSpend,
  PROTECTION_FIELDS,
  protectionShape,
  textListSchema,
  textSchema,
  unsupported,
} from './protection.ts';

/** An alias in the form of an id could pose as one in a selector (M9). */
export const aliasSchema = textSchema.refine(
  (alias) => !hasIdForm(alias),
  'must not have the form of an id or token hash',
);

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DURATION = /^([1-9]\d{0,8})([smhdw])$/u;

/** A length of time as the reference writes it, in milliseconds; `null` when the text is none. */
export function durationMs(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const unit = match[2] as keyof typeof UNIT_MS;
  return Number(match[1]) * UNIT_MS[unit];
}

const LONGEST_MS = 3_650 * UNIT_MS.d;

const durationSchema = z.string().refine((text) => {
  const ms = durationMs(text);
  return ms !== null && ms <= LONGEST_MS;
}, 'is a number and a unit (30s, 30m, 30h, 30d, 4w), at most 3650d');

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

const settableShape = {
  key_alias: aliasSchema.nullish(),
  user_id: textSchema.nullish(),
  team_id: textSchema.nullish(),
  organization_id: textSchema.nullish(),
  models: textListSchema.nullish(),
  duration: durationSchema.nullish(),
  blocked: z.boolean().nullish(),
  metadata: metadataSchema.nullish(),
  ...protectionShape,
  aliases: modelAliasesSchema.nullish(),
  allow_policy_versions: PROTECTION_FIELDS.allow_policy_versions.nullish(),
};

const unsupportedShape = {
  key_type: z
    .string()
    .refine((type) => type === 'default', 'is not supported yet: only "default" is taken')
    .nullish(),
  project_id: unsupported(),
  agent_id: unsupported(),
  send_invite_email: unsupported(),
  auto_rotate: unsupported(),
  rotation_interval: unsupported(),
  config: unsupported(),
  router_settings: unsupported(),
  spend: noSpend,
  max_budget: unsupported(),
  soft_budget: unsupported(),
  budget_duration: unsupported(),
  budget_limits: unsupported(),
  budget_id: unsupported(),
  model_max_budget: unsupported(),
  temp_budget_increase: unsupported(),
  temp_budget_expiry: unsupported(),
  max_parallel_requests: unsupported(),
  tpm_limit: unsupported(),
  rpm_limit: unsupported(),
  model_tpm_limit: unsupported(),
  model_rpm_limit: unsupported(),
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
  ...unsupportedShape,
});
export type GenerateKey = z.infer<typeof generateKeySchema>;

/** Body of `POST /key/update`: `key`, or else `key_alias`, says which; only given fields change, `null` clears. */
export const updateKeySchema = z
  .strictObject({ key: keyReferenceSchema.optional(), ...settableShape, ...unsupportedShape })
  .refine((body) => body.key !== undefined || typeof body.key_alias === 'string', {
    path: ['key'],
    message: 'give key (or its token hash), or key_alias',
  });
export type UpdateKey = z.infer<typeof updateKeySchema>;

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

const flag = z
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
  return_full_object: flag.default(false),
  include_team_keys: flag.default(false),
  sort_by: z
    .enum(['created_at', 'updated_at', 'key_alias', 'expires', 'team_id', 'user_id', 'token'])
    .default('created_at'),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
});
export type KeyListQuery = z.infer<typeof keyListQuerySchema>;
