import { z } from 'zod';
import { auditLogQuerySchema } from '../audit.ts';
import {
  spendLogPageQuerySchema,
  spendLogQuerySchema,
  spendLogRowSchema,
  spendLogsQuerySchema,
  usageOverviewSchema,
  usageQuerySchema,
} from '../logs.ts';
import { testPipelineSchema, testPoliciesSchema } from '../trials.ts';
import { freeAnswer, momentAnswer, namesAnswer, type RouteContract } from './route.ts';

/** The sums of one day; besides, one member for each key hash with what that key has spent. */
const spendDaySchema = z
  .object({
    startTime: z.string(),
    spend: z.number(),
    users: z.record(z.string(), z.number()),
    models: z.record(z.string(), z.number()),
    requests: z.int(),
    total_tokens: z.number(),
    cost_known: z.boolean(),
  })
  .catchall(z.number());

const spendPageSchema = z.object({
  data: z.array(spendLogRowSchema),
  total: z.int(),
  page: z.int(),
  page_size: z.int(),
  total_pages: z.int(),
});

const stepResultSchema = z.object({
  guardrail_name: z.string(),
  outcome: z.enum(['pass', 'fail', 'error', 'skip']),
  action_taken: z.string(),
  modified_data: z.null(),
  error_detail: z.string().nullable(),
  duration_seconds: z.number(),
  masked_entity_count: z.record(z.string(), z.int()),
  detections: z.array(
    z.object({
      type: z.string(),
      action: z.enum(['BLOCK', 'MASK', 'LOG']),
      place: z.string().nullable(),
      start: z.int().nullable(),
      end: z.int().nullable(),
    }),
  ),
});

/** Logs, sums, the audit log and trials. */
export const recordRoutes = {
  'GET /spend/logs': {
    query: spendLogsQuerySchema,
    answer: z.union([z.array(spendLogRowSchema), z.array(spendDaySchema)]),
  },
  'GET /spend/logs/ui': { query: spendLogPageQuerySchema, answer: spendPageSchema },
  'GET /spend/logs/v2': { query: spendLogPageQuerySchema, answer: spendPageSchema },
  'GET /spend/logs/ui/:request_id': {
    query: spendLogQuerySchema,
    answer: spendLogRowSchema.extend({
      /** Each `{}` when it was not stored. */
      messages: z.unknown(),
      response: z.unknown(),
      /** Why prompt and answer were not stored although that was asked for. */
      withheld: z.string().nullable(),
    }),
  },
  'GET /policies/usage/overview': { query: usageQuerySchema, answer: usageOverviewSchema },
  'GET /audit/log': {
    query: auditLogQuerySchema,
    answer: z.object({
      entries: z.array(
        z.object({
          number: z.int(),
          at: momentAnswer,
          actor: z.string(),
          actor_role: z.string(),
          action: z.string(),
          object_type: z.string(),
          object_id: z.string(),
          before: freeAnswer.nullable(),
          after: freeAnswer.nullable(),
          refused: z.string().nullable(),
          revision: z.int().nullable(),
          call_id: z.string(),
          previous_hash: z.string(),
          hash: z.string(),
        }),
      ),
      next: z.int().nullable(),
    }),
  },
  'GET /audit/verify': {
    answer: z.union([
      z.object({ ok: z.literal(true), count: z.int(), head: z.string() }),
      z.object({ ok: z.literal(false), number: z.int(), reason: z.string() }),
    ]),
  },
  'POST /policies/test-pipeline': {
    body: testPipelineSchema,
    answer: z.object({
      terminal_action: z.enum(['allow', 'block', 'modify_response']),
      step_results: z.array(stepResultSchema),
      modified_data: freeAnswer.nullable(),
      error_message: z.string().nullable(),
      modify_response_message: z.string().nullable(),
      test: z.literal(true),
      call_id: z.string(),
      mode: z.enum(['pre_call', 'post_call']),
      dry_run: z.boolean(),
    }),
  },
  'POST /utils/test_policies_and_guardrails': {
    body: testPoliciesSchema,
    answer: z.object({
      results: z.array(
        z.object({
          inputs: z.object({ texts: namesAnswer }),
          guardrail_errors: z.array(
            z.object({
              guardrail_name: z.string(),
              message: z.string(),
              policy_name: z.string().optional(),
              /** With every reason but `blocked` nothing was proved about the input. */
              reason: z.enum(['blocked', 'error', 'not_run', 'unknown', 'refused']),
            }),
          ),
        }),
      ),
      not_applied: z.array(z.object({ policy_name: z.string(), reason: z.string() })),
      test: z.literal(true),
      call_id: z.string(),
    }),
  },
} as const satisfies Record<string, RouteContract>;
