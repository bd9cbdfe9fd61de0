import { z } from 'zod';
import { aliasSchema, flagSchema } from './keys.ts';
import { limitsShape } from './limits.ts';
import {
  metadataSchema,
  modelAliasesSchema,
  noSpend,
  protectionShape,
  resetSpend,
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
  ...limitsShape,
  model_aliases: modelAliasesSchema.nullish(),
};

const unsupportedShape = {
  budget_limits: unsupported(),
  budget_id: unsupported(),
  model_max_budget: unsupported(),
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
  spend: noSpend,
  ...unsupportedShape,
});
export type NewTeam = z.infer<typeof newTeamSchema>;

/** Body of `POST /team/update`: only given fields change, `null` clears. */
export const updateTeamSchema = z.strictObject({
  team_id: textSchema,
  ...settableShape,
  spend: resetSpend,
  ...unsupportedShape,
});
export type UpdateTeam = z.infer<typeof updateTeamSchema>;

/** Body of `PATCH /team/{team_id}`. */
export const patchTeamSchema = updateTeamSchema.omit({ team_id: true });
export type PatchTeam = z.infer<typeof patchTeamSchema>;

/** Body and query of `POST /team/delete`. */
export const deleteTeamsSchema = z.strictObject({ team_ids: z.array(textSchema).min(1).max(1_000) });
export type DeleteTeams = z.infer<typeof deleteTeamsSchema>;
export const forceQuerySchema = z.strictObject({ force: flagSchema.default(false) });
export type ForceQuery = z.infer<typeof forceQuerySchema>;

/** Body of `POST /team/model/add` and `/team/model/delete`. */
export const teamModelsSchema = z.strictObject({ team_id: textSchema, models: textListSchema.min(1) });
export type TeamModels = z.infer<typeof teamModelsSchema>;

/** Body of `POST /team/member_add`: `member` is one or, as the reference takes it, a list; so is `members`. */
export const addMembersSchema = z
  .strictObject({
    team_id: textSchema,
    member: z.union([teamMemberSchema, z.array(teamMemberSchema).max(1_000)]).optional(),
    members: z.array(teamMemberSchema).max(1_000).optional(),
    max_budget_in_team: unsupported(),
  })
  .refine((body) => body.member !== undefined || body.members !== undefined, {
    path: ['member'],
    message: 'give member or members',
  });
export type AddMembers = z.infer<typeof addMembersSchema>;

const namedMemberShape = {
  team_id: textSchema,
  user_id: textSchema.nullish(),
  user_email: textSchema.nullish(),
};

function namesMember(body: { readonly user_id?: unknown; readonly user_email?: unknown }): boolean {
  return typeof body.user_id === 'string' || typeof body.user_email === 'string';
}

const MEMBER_PROBLEM = { path: ['user_id'], message: 'give user_id or user_email' };

/** Body of `POST /team/member_update`. */
export const updateMemberSchema = z
  .strictObject({
    ...namedMemberShape,
    role: z.enum(['admin', 'user']),
    max_budget_in_team: unsupported(),
    tpm_limit: unsupported(),
    rpm_limit: unsupported(),
  })
  .refine(namesMember, MEMBER_PROBLEM);
export type UpdateMember = z.infer<typeof updateMemberSchema>;

/** Body of `POST /team/member_delete`. */
export const deleteMemberSchema = z.strictObject(namedMemberShape).refine(namesMember, MEMBER_PROBLEM);
export type DeleteMember = z.infer<typeof deleteMemberSchema>;

/** Query of `GET /v2/team/list`. */
export const teamPageQuerySchema = z.strictObject({
  user_id: textSchema.optional(),
  organization_id: textSchema.optional(),
  team_id: textSchema.optional(),
  team_alias: textSchema.optional(),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(10),
  sort_by: z.enum(['team_id', 'team_alias', 'created_at']).default('created_at'),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
});
export type TeamPageQuery = z.infer<typeof teamPageQuerySchema>;

/** Body of `POST /team/block` and `/team/unblock`. */
export const namedTeamSchema = z.strictObject({ team_id: textSchema });
export type NamedTeam = z.infer<typeof namedTeamSchema>;

/** Query of `GET /team/info`: without `team_id` the team of the caller's key. */
export const teamInfoQuerySchema = z.strictObject({ team_id: textSchema.optional() });
export type TeamInfoQuery = z.infer<typeof teamInfoQuerySchema>;

/** Query of `GET /team/policies`. */
export const teamPoliciesQuerySchema = z.strictObject({ team_id: textSchema });
export type TeamPoliciesQuery = z.infer<typeof teamPoliciesQuerySchema>;

/** Query of `GET /team/list`. */
export const teamListQuerySchema = z.strictObject({
  user_id: textSchema.optional(),
  organization_id: textSchema.optional(),
});
export type TeamListQuery = z.infer<typeof teamListQuerySchema>;
