import { z } from 'zod';
import { aliasSchema } from './keys.ts';
import {
  metadataSchema,
  modelAliasesSchema,
  noSpend,
  protectionShape,
  textListSchema,
  textSchema,
  unsupported,
} from './protection.ts';

/** A member as the reference writes it: by id or by address. */
export const teamMemberSchema = z
  .strictObject({
    role: z.enum(['admin', 'user']),
    user_id: textSchema.nullish(),
    user_email: textSchema.nullish(),
  })
  .refine((member) => typeof member.user_id === 'string' || typeof member.user_email === 'string', {
    path: ['user_id'],
    message: 'give user_id or user_email',
  });

const settableShape = {
  team_alias: aliasSchema.nullish(),
  organization_id: textSchema.nullish(),
  members_with_roles: z.array(teamMemberSchema).max(10_000).nullish(),
  models: textListSchema.nullish(),
  blocked: z.boolean().nullish(),
  metadata: metadataSchema.nullish(),
  ...protectionShape,
  model_aliases: modelAliasesSchema.nullish(),
};

const unsupportedShape = {
  spend: noSpend,
  max_budget: unsupported(),
  soft_budget: unsupported(),
  budget_duration: unsupported(),
  budget_limits: unsupported(),
  budget_id: unsupported(),
  model_max_budget: unsupported(),
  max_parallel_requests: unsupported(),
  tpm_limit: unsupported(),
  rpm_limit: unsupported(),
  model_tpm_limit: unsupported(),
  model_rpm_limit: unsupported(),
  tag_rpm_limit: unsupported(),
  tpm_limit_type: unsupported(),
  rpm_limit_type: unsupported(),
  team_member_budget: unsupported(),
  team_member_budget_duration: unsupported(),
  team_member_key_duration: unsupported(),
  team_member_rpm_limit: unsupported(),
  team_member_tpm_limit: unsupported(),
  team_member_permissions: unsupported(),
  prompts: unsupported(),
  object_permission: unsupported(),
  allowed_passthrough_routes: unsupported(),
  allowed_vector_store_indexes: unsupported(),
  router_settings: unsupported(),
};

/** Body of `POST /team/new`. */
export const newTeamSchema = z.strictObject({
  team_id: textSchema.nullish(),
  ...settableShape,
  ...unsupportedShape,
});
export type NewTeam = z.infer<typeof newTeamSchema>;

/** Body of `POST /team/update`: only given fields change, `null` clears. */
export const updateTeamSchema = z.strictObject({
  team_id: textSchema,
  ...settableShape,
  ...unsupportedShape,
});
export type UpdateTeam = z.infer<typeof updateTeamSchema>;

/** Body of `POST /team/block` and `/team/unblock`. */
export const namedTeamSchema = z.strictObject({ team_id: textSchema });
export type NamedTeam = z.infer<typeof namedTeamSchema>;

/** Query of `GET /team/info`: without `team_id` the team of the caller's key. */
export const teamInfoQuerySchema = z.strictObject({ team_id: textSchema.optional() });
export type TeamInfoQuery = z.infer<typeof teamInfoQuerySchema>;

/** Query of `GET /team/list`. */
export const teamListQuerySchema = z.strictObject({
  user_id: textSchema.optional(),
  organization_id: textSchema.optional(),
});
export type TeamListQuery = z.infer<typeof teamListQuerySchema>;
