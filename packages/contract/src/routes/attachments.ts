import {
  definitionLocationSchema,
  enforcementSchema,
  HOOKS,
  modelConditionSchema,
  pipelineModeSchema,
  pipelineStepSchema,
  tagSelectorSchema,
} from '@portcullis/policy';
import { z } from 'zod';
import * as wire from '../policies.ts';
import {
  freeAnswer,
  messageAnswer,
  momentOrNull,
  namesAnswer,
  type RouteContract,
  warningsAnswer,
} from './route.ts';

/** One attachment (api 4.2). `tags` has the form in which it was written (M5). */
const attachmentRowSchema = z.object({
  attachment_id: z.string(),
  policy_name: z.string(),
  definition_location: definitionLocationSchema,
  scope: z.literal('*').nullable(),
  teams: namesAnswer,
  keys: namesAnswer,
  models: namesAnswer,
  tags: tagSelectorSchema,
  priority: z.int().nullable(),
  default: z.boolean(),
  enforcement: enforcementSchema,
  created_at: momentOrNull,
  created_by: z.string().nullable(),
  updated_at: momentOrNull,
  updated_by: z.string().nullable(),
});

const doubtSchema = z.object({
  code: z.string(),
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])),
});

export const writtenAttachmentSchema = attachmentRowSchema.extend({
  doubts: z.array(doubtSchema).optional(),
  warnings: warningsAnswer,
});

const impactSchema = z.object({
  affected_keys_count: z.int(),
  affected_teams_count: z.int(),
  unnamed_keys_count: z.int(),
  unnamed_teams_count: z.int(),
  sample_keys: z.array(z.string().nullable()),
  sample_teams: namesAnswer,
  is_global: z.boolean(),
  scope: z.enum(['global', 'specific']),
  total_keys: z.int(),
  total_teams: z.int(),
  teams_of_affected_keys_count: z.int(),
  caller_tags_counted: z.boolean(),
  traffic_24h: z.object({
    total_requests: z.number().nullable(),
    affected_requests: z.number().nullable(),
    /** From 0 to 1; null without traffic. */
    share: z.number().nullable(),
    problem: z.string().optional(),
  }),
  guardrails: z.object({
    gained: namesAnswer,
    lost: namesAnswer,
    decided: z.object({ callers: z.int(), requests: z.int(), keys_in_groups: z.int() }),
    problem: z.string().optional(),
  }),
  notes: namesAnswer,
});

// ── What the engine says of a request ───────────────────────────────────────────────────────────────────────────────

const demandSchema = z.object({
  source: z.enum(['attachment', 'default', 'key', 'team', 'project', 'model', 'request', 'global']),
  policy_name: z.string().optional(),
  policy_id: z.string().optional(),
  version_number: z.int().optional(),
  attachment_id: z.string().optional(),
});

const plannedShape = {
  name: z.string(),
  enforcement: enforcementSchema,
  trusted: z.boolean(),
  priority: z.int(),
  demanded_by: z.array(demandSchema),
};

const plannedRunSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('guardrail'), ...plannedShape, params: freeAnswer.nullable() }),
  z.object({
    kind: z.literal('pipeline'),
    ...plannedShape,
    policy_id: z.string(),
    version_number: z.int(),
    mode: pipelineModeSchema,
    steps: z.array(pipelineStepSchema.extend({ monitored: z.boolean() })),
  }),
]);

const hooksSchema = z.object(
  Object.fromEntries(HOOKS.map((hook) => [hook, z.array(plannedRunSchema)])) as Record<
    (typeof HOOKS)[number],
    z.ZodArray<typeof plannedRunSchema>
  >,
);

const appliedPolicySchema = z.object({
  policy_name: z.string(),
  policy_id: z.string(),
  version_number: z.int(),
  override: z.boolean(),
  enforcement: enforcementSchema,
  selections: z.array(
    z.object({
      source: z.enum(['attachment', 'default', 'key', 'team', 'project', 'request']),
      attachment_id: z.string().nullable(),
      trusted: z.boolean(),
      enforcement: enforcementSchema,
      priority: z.int(),
    }),
  ),
  guardrails: namesAnswer,
  replaced_by: namesAnswer,
});

const dimensionSchema = z.object({
  dimension: z.enum(['scope', 'teams', 'keys', 'models', 'tags.any', 'tags.all', 'tags.none', 'condition']),
  constraint: z.union([namesAnswer, modelConditionSchema]),
  actual: z.array(z.object({ value: z.string(), source: z.string(), trusted: z.boolean() })),
  passes: z.boolean(),
  passes_trusted: z.boolean(),
});

const matchedPolicySchema = z.object({
  policy_name: z.string(),
  matched_via: z.string(),
  guardrails_added: namesAnswer,
});

const marksShape = {
  /** A name that no stored key or team has. */
  hypothetical: z.literal(true).optional(),
  stored_lookup: z.literal('unavailable').optional(),
};

const briefSchema = z.object({
  effective_guardrails: namesAnswer,
  matched_policies: z.array(matchedPolicySchema),
  ...marksShape,
});

/** With `explain: true` (Q1). */
const explanationSchema = briefSchema.extend({
  revision: z.int(),
  plan_hash: z.string().nullable(),
  applied_policies: z.array(appliedPolicySchema),
  key: z.string(),
  team: z.string(),
  /** What the engine was asked: with it and `GET /policies/documents` anybody can ask it again. */
  context: freeAnswer,
  refusals: z.array(
    z.object({
      code: z.string(),
      names: namesAnswer,
      source: z.enum(['request', 'key', 'team', 'project']),
    }),
  ),
  hooks: hooksSchema.nullable(),
  model: z
    .object({ requested: z.string(), group: z.string().nullable(), deployments: namesAnswer })
    .nullable(),
  attachments: z.array(
    z.object({
      attachment_id: z.string(),
      policy_name: z.string(),
      enforcement: enforcementSchema,
      effect: z.enum([
        'applies',
        'does_not_match',
        'condition_false',
        'no_production_version',
        'default_not_needed',
      ]),
      trusted: z.boolean(),
      dimensions: z.array(dimensionSchema),
    }),
  ),
  removed: z.array(z.object({ policy_name: z.string(), removed_by: namesAnswer, guardrails: namesAnswer })),
  opt_outs: z.array(
    z.object({
      guardrail: z.string(),
      source: z.enum(['key', 'team', 'project']),
      setting: z.enum(['opted_out_global_guardrails', 'disable_global_guardrails']),
      effective: z.boolean(),
    }),
  ),
  near_misses: z.array(
    z.object({ attachment_id: z.string(), policy_name: z.string(), failed: dimensionSchema }),
  ),
  missing_context: z.array(z.enum(['team', 'key', 'model', 'tags'])),
  notes: z.array(z.object({ note: z.string(), names: namesAnswer })),
});

/** Where policies apply, and what that means for a request (api 5.13 to 5.18). */
export const attachmentRoutes = {
  'GET /policies/attachments/list': {
    query: wire.attachmentListQuerySchema,
    answer: z.object({
      attachments: z.array(attachmentRowSchema),
      total_count: z.int(),
      next: z.string().nullable(),
    }),
  },
  'POST /policies/attachments': { body: wire.createAttachmentSchema, answer: writtenAttachmentSchema },
  'GET /policies/attachments/:attachment_id': { answer: attachmentRowSchema },
  'PUT /policies/attachments/:attachment_id': {
    body: wire.updateAttachmentSchema,
    answer: writtenAttachmentSchema,
  },
  'DELETE /policies/attachments/:attachment_id': {
    answer: messageAnswer.extend({ warnings: warningsAnswer }),
  },
  'POST /policies/attachments/estimate-impact': {
    body: wire.createAttachmentSchema,
    answer: impactSchema,
  },
  'POST /policies/resolve': {
    body: wire.resolveBodySchema,
    query: wire.resolveQuerySchema,
    answer: z.union([explanationSchema, briefSchema]),
  },
} as const satisfies Record<string, RouteContract>;
