import { z } from 'zod';
import { aliasSchema } from './keys.ts';
import { durationSchema, limitsShape } from './limits.ts';
import {
  metadataSchema,
  noSpend,
  resetSpend,
  textListSchema,
  textSchema,
  unsupported,
} from './protection.ts';

/** Roles that a user may have, with what the reference says of them. */
export const USER_ROLES = {
  proxy_admin: {
    description: 'admin over this gateway, has all permissions',
    ui_label: 'Admin (All Permissions)',
  },
  proxy_admin_viewer: {
    description: 'view all keys, view all spend',
    ui_label: 'Admin (View Only)',
  },
  internal_user: {
    description: 'view, create and delete the own keys, view the own spend',
    ui_label: 'Internal User (Create/Delete/View)',
  },
  internal_user_viewer: {
    description: 'view the own keys, view the own spend',
    ui_label: 'Internal Viewer (View Only)',
  },
} as const;
export type UserRole = keyof typeof USER_ROLES;

const roleSchema = z.enum(Object.keys(USER_ROLES) as [UserRole, ...UserRole[]]);

/** Addresses are compared in lower case. */
const emailSchema = textSchema.refine((text) => /^[^\s@]+@[^\s@]+$/u.test(text), 'is no e-mail address');

/** A password that somebody chooses. */
export const passwordSchema = z
  .string()
  .min(8, 'has at least 8 characters')
  .max(256, 'has at most 256 characters');

const settableShape = {
  user_email: emailSchema.nullish(),
  user_alias: textSchema.nullish(),
  user_role: roleSchema.nullish(),
  models: textListSchema.nullish(),
  metadata: metadataSchema.nullish(),
  password: passwordSchema.nullish(),
  ...limitsShape,
};

/** Protection fields stand on keys and teams: here they would be stored and protect nothing (D-84). */
const unsupportedShape = {
  policies: unsupported(),
  guardrails: unsupported(),
  prompts: unsupported(),
  permissions: unsupported(),
  aliases: unsupported(),
  config: unsupported(),
  organizations: unsupported(),
  organization_id: unsupported(),
  budget_id: unsupported(),
  model_max_budget: unsupported(),
  model_rpm_limit: unsupported(),
  model_tpm_limit: unsupported(),
  allowed_cache_controls: unsupported(),
  object_permission: unsupported(),
  send_invite_email: unsupported(),
  sso_user_id: unsupported(),
};

/** Body of `POST /user/new`. */
export const newUserSchema = z.strictObject({
  user_id: textSchema.nullish(),
  ...settableShape,
  spend: noSpend,
  teams: z
    .array(
      z.union([
        textSchema,
        z.strictObject({
          team_id: textSchema,
          user_role: z.enum(['admin', 'user']).default('user'),
          max_budget_in_team: unsupported(),
        }),
      ]),
    )
    .max(1_000)
    .nullish(),
  team_id: textSchema.nullish(),
  auto_create_key: z.boolean().default(true),
  key_alias: aliasSchema.nullish(),
  duration: durationSchema.nullish(),
  ...unsupportedShape,
});
export type NewUser = z.infer<typeof newUserSchema>;

/** Body of `POST /user/update`: `user_id`, or else `user_email`, says who; only given fields change, `null` clears. */
export const updateUserSchema = z
  .strictObject({ user_id: textSchema.optional(), ...settableShape, spend: resetSpend, ...unsupportedShape })
  .refine((body) => body.user_id !== undefined || typeof body.user_email === 'string', {
    path: ['user_id'],
    message: 'give user_id, or user_email',
  });
export type UpdateUser = z.infer<typeof updateUserSchema>;

/** Body of `POST /user/delete`. */
export const deleteUsersSchema = z.strictObject({ user_ids: z.array(textSchema).min(1).max(1_000) });
export type DeleteUsers = z.infer<typeof deleteUsersSchema>;

/** Query of `GET /user/info`: without `user_id` the caller. */
export const userInfoQuerySchema = z.strictObject({ user_id: textSchema.optional() });
export type UserInfoQuery = z.infer<typeof userInfoQuerySchema>;

/** Query of `GET /user/list`. `user_ids` is separated by commas; `user_email` is a part, in any case. */
export const userListQuerySchema = z.strictObject({
  role: roleSchema.optional(),
  user_ids: z
    .string()
    .max(10_000)
    .transform((text) => text.split(',').map((id) => id.trim()))
    .optional(),
  user_email: textSchema.optional(),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(25),
  sort_by: z.enum(['created_at', 'user_id', 'user_email', 'user_alias', 'user_role']).default('created_at'),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
});
export type UserListQuery = z.infer<typeof userListQuerySchema>;
