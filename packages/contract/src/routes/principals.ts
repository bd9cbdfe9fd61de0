import { z } from 'zod';
import * as keys from '../keys.ts';
import * as tags from '../tags.ts';
import * as teams from '../teams.ts';
import * as users from '../users.ts';
import {
  emptyAnswer,
  freeAnswer,
  messageAnswer,
  momentAnswer,
  momentOrNull,
  namesAnswer,
  type RouteContract,
} from './route.ts';

/** Limits and what was spent, in dollars. */
const limitsShape = {
  spend: z.number(),
  max_budget: z.number().nullable(),
  soft_budget: z.number().nullable(),
  budget_duration: z.string().nullable(),
  budget_reset_at: momentOrNull,
  max_parallel_requests: z.number().nullable(),
  tpm_limit: z.number().nullable(),
  rpm_limit: z.number().nullable(),
};

/** Who has set each protection field, and when; null for what was there before anybody kept that. */
const provenanceSchema = z.record(
  z.string(),
  z.object({ set_by: z.string(), role: z.string(), set_at: momentAnswer }).nullable(),
);

const stampShape = {
  created_at: momentAnswer,
  created_by: z.string(),
  updated_at: momentAnswer,
  updated_by: z.string(),
};

const protectionShape = {
  provenance: provenanceSchema,
  /** Stored values that are malformed and therefore ignored (O3). */
  ignored_values: namesAnswer.optional(),
};

/** A key as it is stored: everything but what it could be found or used with. */
const keyInfoSchema = z.object({
  key_name: z.string(),
  key_alias: z.string().nullable(),
  expires: momentOrNull,
  models: namesAnswer,
  aliases: z.record(z.string(), z.string()),
  user_id: z.string().nullable(),
  team_id: z.string().nullable(),
  organization_id: z.string().nullable(),
  permissions: freeAnswer,
  metadata: freeAnswer,
  blocked: z.boolean(),
  key_type: z.enum(['default', 'llm_api', 'management', 'read_only']).nullable(),
  ...limitsShape,
  model_rpm_limit: z.record(z.string(), z.number()),
  model_tpm_limit: z.record(z.string(), z.number()),
  temp_budget_increase: z.number().optional(),
  temp_budget_expiry: momentAnswer.optional(),
  config: emptyAnswer,
  model_max_budget: emptyAnswer,
  model_spend: emptyAnswer,
  allowed_routes: namesAnswer,
  allowed_cache_controls: namesAnswer,
  litellm_budget_table: z.null(),
  ...stampShape,
  ...protectionShape,
});

/** `token` is the hash of the key. */
const keyRowSchema = z.object({ token: z.string(), ...keyInfoSchema.shape });

const writtenKeySchema = z.object({
  token: z.string(),
  token_id: z.string(),
  ...keyInfoSchema.shape,
  tags: namesAnswer,
  guardrails: namesAnswer,
  policies: namesAnswer,
});

/** The only answers that show the key itself. */
const newKeySchema = writtenKeySchema.extend({ key: z.string() });

const memberSchema = z.object({
  user_id: z.string().nullable(),
  user_email: z.string().nullable(),
  role: z.enum(['admin', 'user']),
});

const teamRowSchema = z.object({
  team_id: z.string(),
  team_alias: z.string().nullable(),
  organization_id: z.string().nullable(),
  members_with_roles: z.array(memberSchema),
  metadata: freeAnswer,
  permissions: freeAnswer,
  model_aliases: z.record(z.string(), z.string()),
  models: namesAnswer,
  blocked: z.boolean(),
  ...limitsShape,
  admins: namesAnswer,
  members: namesAnswer,
  litellm_model_table: z.null(),
  ...stampShape,
  ...protectionShape,
});

const listedTeamSchema = teamRowSchema.extend({
  keys: z.array(keyRowSchema),
  team_memberships: z.array(z.unknown()),
});

const changedTeamSchema = z.object({ team_id: z.string(), data: teamRowSchema });

const userRowSchema = z.object({
  user_id: z.string(),
  user_email: z.string().nullable(),
  user_alias: z.string().nullable(),
  user_role: z.enum(['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer']),
  models: namesAnswer,
  metadata: freeAnswer,
  has_password: z.boolean(),
  ...limitsShape,
  ...stampShape,
});

const tagRowSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  models: namesAnswer,
  model_info: emptyAnswer,
  created_at: momentAnswer,
  updated_at: momentAnswer,
  created_by: z.string(),
});

const tagAnswerSchema = z.object({ message: z.string(), tag: tagRowSchema });

const pageShape = { total: z.int(), page: z.int(), page_size: z.int(), total_pages: z.int() };

/** Keys, teams, users and tags. */
export const principalRoutes = {
  'POST /key/generate': { body: keys.generateKeySchema, answer: newKeySchema },
  'POST /key/service-account/generate': { body: keys.serviceAccountKeySchema, answer: newKeySchema },
  'POST /key/regenerate': { body: keys.regenerateKeySchema, answer: newKeySchema },
  'POST /key/:key/regenerate': { body: keys.regenerateKeySchema, answer: newKeySchema },
  'POST /key/health': { answer: z.object({ key: z.literal('healthy'), logging_callbacks: z.null() }) },
  'GET /key/info': {
    query: keys.keyInfoQuerySchema,
    answer: z.object({ key: z.string(), info: keyInfoSchema }),
  },
  'GET /key/list': {
    query: keys.keyListQuerySchema,
    answer: z.object({
      /** Hashes, or rows with `return_full_object`. */
      keys: z.array(z.union([z.string(), keyRowSchema])),
      total_count: z.int(),
      current_page: z.int(),
      total_pages: z.int(),
    }),
  },
  'POST /key/update': { body: keys.updateKeySchema, answer: writtenKeySchema },
  'POST /key/delete': { body: keys.deleteKeysSchema, answer: z.object({ deleted_keys: namesAnswer }) },
  'POST /key/block': { body: keys.namedKeySchema, answer: writtenKeySchema },
  'POST /key/unblock': { body: keys.namedKeySchema, answer: writtenKeySchema },
  'POST /team/new': { body: teams.newTeamSchema, answer: teamRowSchema },
  'GET /team/policies': {
    query: teams.teamPoliciesQuerySchema,
    answer: z.object({
      team_id: z.string(),
      revision: z.number(),
      attachments: z.array(
        z.object({
          attachment_id: z.string(),
          policy_name: z.string(),
          scope: z.string().nullable(),
          /** Only the patterns that select this team, and keys of it. */
          teams: namesAnswer,
          keys: namesAnswer,
          models: namesAnswer,
          tags: z.unknown(),
          enforcement: z.string(),
        }),
      ),
      /** Policies that the team itself names. */
      team_policies: namesAnswer,
      policies: z.array(
        z.object({
          policy_id: z.string(),
          policy_name: z.string(),
          version_number: z.number(),
          description: z.string().nullable(),
          definition_location: z.string(),
          resolved_guardrails: namesAnswer,
        }),
      ),
      /** What runs for every request of the team, whatever its key, model and tags. */
      effective_guardrails: namesAnswer,
    }),
  },
  'GET /team/info': {
    query: teams.teamInfoQuerySchema,
    answer: z.object({
      team_id: z.string(),
      team_info: teamRowSchema,
      keys: z.array(keyRowSchema),
      team_memberships: z.array(z.unknown()),
    }),
  },
  'GET /team/list': { query: teams.teamListQuerySchema, answer: z.array(listedTeamSchema) },
  'GET /v2/team/list': {
    query: teams.teamPageQuerySchema,
    answer: z.object({ teams: z.array(listedTeamSchema), ...pageShape }),
  },
  'POST /team/update': { body: teams.updateTeamSchema, answer: changedTeamSchema },
  'PATCH /team/:team_id': { body: teams.patchTeamSchema, answer: changedTeamSchema },
  'POST /team/block': { body: teams.namedTeamSchema, answer: teamRowSchema },
  'POST /team/unblock': { body: teams.namedTeamSchema, answer: teamRowSchema },
  'POST /team/delete': {
    body: teams.deleteTeamsSchema,
    query: teams.forceQuerySchema,
    answer: z.object({ deleted_teams: namesAnswer, deleted_keys: namesAnswer }),
  },
  'POST /team/member_add': {
    body: teams.addMembersSchema,
    answer: teamRowSchema.extend({
      updated_users: z.array(z.unknown()),
      updated_team_memberships: z.array(z.unknown()),
    }),
  },
  'POST /team/member_update': {
    body: teams.updateMemberSchema,
    answer: memberSchema.extend({ team_id: z.string(), max_budget_in_team: z.null() }),
  },
  'POST /team/member_delete': {
    body: teams.deleteMemberSchema,
    answer: teamRowSchema.extend({ deleted_keys: namesAnswer }),
  },
  'POST /team/model/add': { body: teams.teamModelsSchema, answer: changedTeamSchema },
  'POST /team/model/delete': { body: teams.teamModelsSchema, answer: changedTeamSchema },
  'POST /user/new': {
    body: users.newUserSchema,
    answer: userRowSchema.extend({
      teams: namesAnswer,
      key: z.string().nullable(),
      token: z.string().nullable(),
      key_alias: z.string().nullable(),
      expires: momentOrNull,
    }),
  },
  'GET /user/info': {
    query: users.userInfoQuerySchema,
    answer: z.object({
      user_id: z.string(),
      /** Null for a user whom keys or teams name and nobody has registered. */
      user_info: userRowSchema.nullable(),
      keys: z.array(keyRowSchema),
      teams: z.array(teamRowSchema),
    }),
  },
  'GET /user/list': {
    query: users.userListQuerySchema,
    answer: z.object({ users: z.array(userRowSchema), ...pageShape }),
  },
  'POST /user/update': {
    body: users.updateUserSchema,
    answer: z.object({ user_id: z.string(), data: userRowSchema }),
  },
  'POST /user/delete': {
    body: users.deleteUsersSchema,
    answer: z.object({ deleted_users: namesAnswer, deleted_keys: namesAnswer }),
  },
  'GET /user/available_roles': {
    answer: z.record(z.string(), z.object({ description: z.string(), ui_label: z.string() })),
  },
  'POST /tag/new': { body: tags.tagSchema, answer: tagAnswerSchema },
  'POST /tag/update': { body: tags.tagSchema, answer: tagAnswerSchema },
  'POST /tag/info': { body: tags.tagInfoSchema, answer: z.record(z.string(), tagRowSchema) },
  'GET /tag/list': { answer: z.array(tagRowSchema) },
  'POST /tag/delete': { body: tags.namedTagSchema, answer: messageAnswer },
} as const satisfies Record<string, RouteContract>;
