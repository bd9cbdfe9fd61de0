import { definitionLocationSchema, HOOKS, hookSchema } from '@portcullis/policy';
import { z } from 'zod';
import * as wire from '../guardrails.ts';
import {
  actionSchema,
  usageDaySchema,
  usageFiguresShape,
  usageLogsQuerySchema,
  usageOverviewSchema,
  usageQuerySchema,
} from '../logs.ts';
import {
  freeAnswer,
  momentAnswer,
  momentOrNull,
  namesAnswer,
  type RouteContract,
  warningsAnswer,
} from './route.ts';

/** One guardrail, its secrets masked. */
export const guardrailRowSchema = z.object({
  guardrail_id: z.string(),
  guardrail_name: z.string(),
  /** The settings of its kind: `GET /guardrails/ui/provider_specific_params` describes them. */
  litellm_params: freeAnswer,
  guardrail_info: freeAnswer,
  policy_template: z.string().nullable(),
  guardrail_definition_location: definitionLocationSchema,
  created_at: momentOrNull,
  created_by: z.string().optional(),
  updated_at: momentOrNull,
  updated_by: z.string().optional(),
  /** Why it cannot run, for example a secret that cannot be opened. */
  problem: z.string().optional(),
  warnings: warningsAnswer,
});

const listedGuardrailSchema = guardrailRowSchema.extend({ in_force: z.boolean() });

const submissionSchema = z.object({
  guardrail_id: z.string(),
  guardrail_name: z.string(),
  status: z.enum(wire.SUBMISSION_STATUSES),
  team_id: z.string().nullable(),
  litellm_params: freeAnswer,
  guardrail_info: freeAnswer,
  submitted_at: momentAnswer,
  submitted_by: z.string(),
  reviewed_at: momentOrNull,
  reviewed_by: z.string().nullable(),
  review_reason: z.string().nullable(),
  problem: z.string().optional(),
  warnings: warningsAnswer,
});

/** Kinds and places of what was found, never the text itself. */
const detectionSchema = z.object({
  type: z.string(),
  action: z.enum(['BLOCK', 'MASK', 'LOG']),
  detection_method: z.string(),
  category: z.string().nullable(),
  severity: z.enum(['low', 'medium', 'high']).nullable(),
  score: z.number().nullable(),
  place: z.string().nullable(),
  start: z.int().nullable(),
  end: z.int().nullable(),
});

const appliedSchema = z.object({
  response_text: z.string(),
  response_messages: z.array(z.unknown()).optional(),
  action: z.string(),
  outcome: z.string(),
  reason: z.string().nullable(),
  guardrail_name: z.string(),
  guardrail_mode: hookSchema,
  enforcement: z.enum(['enforce', 'monitor']),
  detections: z.array(detectionSchema),
  masked_entity_count: z.record(z.string(), z.int()),
  latency_ms: z.number(),
  failed_open: z.boolean(),
  unscanned: z.array(z.object({ kind: z.string(), setting: z.string(), reason: z.string() })),
  ignored_fields: namesAnswer.optional(),
});

const formSettingsSchema = z.object({
  supported_entities: namesAnswer,
  supported_actions: namesAnswer,
  supported_modes: z.array(z.enum(HOOKS)),
  pii_entity_categories: z.array(z.object({ category: z.string(), entities: namesAnswer })),
  content_filter_settings: z.object({
    prebuilt_patterns: z.array(
      z.object({
        name: z.string(),
        display_name: z.string(),
        category: z.string(),
        description: z.string(),
        action: z.string(),
      }),
    ),
    pattern_categories: namesAnswer,
    supported_actions: namesAnswer,
    content_categories: z.array(
      z.object({
        name: z.string(),
        display_name: z.string(),
        group: z.string(),
        description: z.string(),
        default_action: z.string(),
      }),
    ),
  }),
});

/** Guardrails, submissions of teams, and what guardrails did. */
export const guardrailRoutes = {
  'GET /guardrails/list': {
    answer: z.object({
      guardrails: z.array(
        guardrailRowSchema.pick({ guardrail_name: true, litellm_params: true, guardrail_info: true }),
      ),
    }),
  },
  'GET /v2/guardrails/list': { answer: z.object({ guardrails: z.array(listedGuardrailSchema) }) },
  'POST /guardrails': { body: wire.writeGuardrailSchema, answer: guardrailRowSchema },
  'GET /guardrails/:guardrail_id': { answer: listedGuardrailSchema },
  'GET /guardrails/:guardrail_id/info': { answer: listedGuardrailSchema },
  'PUT /guardrails/:guardrail_id': { body: wire.writeGuardrailSchema, answer: guardrailRowSchema },
  'PATCH /guardrails/:guardrail_id': { body: wire.patchGuardrailSchema, answer: guardrailRowSchema },
  'DELETE /guardrails/:guardrail_id': {
    query: wire.deleteGuardrailQuerySchema,
    answer: z.object({
      message: z.string(),
      removed: z.array(freeAnswer).optional(),
      warnings: warningsAnswer,
    }),
  },
  'POST /guardrails/apply_guardrail': { body: wire.applyGuardrailSchema, answer: appliedSchema },
  'POST /apply_guardrail': { body: wire.applyGuardrailSchema, answer: appliedSchema },
  'POST /guardrails/test_custom_code': {
    body: wire.testCustomCodeSchema,
    answer: z.union([
      z.object({
        success: z.literal(true),
        result: z.object({
          action: z.enum(['allow', 'block', 'modify']),
          reason: z.string().nullable(),
          texts: z.array(z.string()),
        }),
      }),
      z.object({
        success: z.literal(false),
        error: z.string(),
        error_type: z.enum(['compilation', 'execution']),
      }),
    ]),
  },
  'POST /guardrails/validate_blocked_words_file': {
    body: wire.blockedWordsFileSchema,
    answer: z.union([
      z.object({ valid: z.literal(true), message: z.string() }),
      z.object({ valid: z.literal(false), error: z.string(), errors: namesAnswer }),
    ]),
  },
  'POST /guardrails/register': { body: wire.registerGuardrailSchema, answer: submissionSchema },
  'GET /guardrails/submissions': {
    query: wire.submissionsQuerySchema,
    answer: z.object({
      submissions: z.array(submissionSchema),
      summary: z.object({
        total: z.int(),
        pending_review: z.int(),
        active: z.int(),
        rejected: z.int(),
      }),
    }),
  },
  'GET /guardrails/submissions/:guardrail_id': { answer: submissionSchema },
  'POST /guardrails/submissions/:guardrail_id/approve': {
    body: wire.reviewSubmissionSchema,
    answer: submissionSchema,
  },
  'POST /guardrails/submissions/:guardrail_id/reject': {
    body: wire.reviewSubmissionSchema,
    answer: submissionSchema,
  },
  'GET /guardrails/ui/add_guardrail_settings': { answer: formSettingsSchema },
  'GET /guardrails/ui/provider_specific_params': {
    /** By kind: its title, whether it asks a service, and one field of a form for each setting. */
    answer: z.record(z.string(), freeAnswer),
  },
  'GET /guardrails/ui/category_yaml/:category_name': {
    answer: z.object({
      category_name: z.string(),
      yaml_content: z.string(),
      file_type: z.literal('yaml'),
    }),
  },
  'GET /guardrails/usage/overview': { query: usageQuerySchema, answer: usageOverviewSchema },
  'GET /guardrails/usage/detail/:id': {
    query: usageQuerySchema,
    answer: z.object({
      id: z.string(),
      name: z.string(),
      guardrail_id: z.string(),
      guardrail_name: z.string(),
      type: z.literal('Guardrail'),
      provider: z.string(),
      mode: z.unknown(),
      description: z.string().nullable(),
      ...usageFiguresShape,
      time_series: z.array(usageDaySchema),
    }),
  },
  'GET /guardrails/usage/logs': {
    query: usageLogsQuerySchema,
    answer: z.object({
      logs: z.array(
        z.object({
          id: z.string(),
          timestamp: momentAnswer,
          action: actionSchema,
          score: z.number().nullable(),
          latency_ms: z.number().nullable(),
          model: z.string().nullable(),
          input_snippet: z.string().nullable(),
          output_snippet: z.string().nullable(),
          reason: z.string().nullable(),
        }),
      ),
      total: z.int(),
      page: z.int(),
      page_size: z.int(),
    }),
  },
} as const satisfies Record<string, RouteContract>;
