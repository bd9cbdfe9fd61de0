import {
  conditionSchema,
  definitionLocationSchema,
  pipelineSchema,
  unscannedSchema,
  versionStatusSchema,
} from '@portcullis/policy';
import { z } from 'zod';
import * as wire from '../policies.ts';
import {
  freeAnswer,
  momentAnswer,
  momentOrNull,
  namesAnswer,
  type RouteContract,
  warningsAnswer,
} from './route.ts';

/** One version of a policy (api 4.1). */
const policyRowSchema = z.object({
  policy_id: z.string(),
  policy_name: z.string(),
  version_number: z.int(),
  version_status: versionStatusSchema,
  definition_location: definitionLocationSchema,
  inherit: z.string().nullable(),
  description: z.string().nullable(),
  guardrails_add: namesAnswer,
  guardrails_remove: namesAnswer,
  guardrails_lock: namesAnswer,
  condition: conditionSchema.nullable(),
  pipeline: pipelineSchema.nullable(),
  unscanned: unscannedSchema.nullable(),
  parent_version_id: z.string().nullable(),
  is_latest: z.boolean(),
  published_at: momentOrNull,
  production_at: momentOrNull,
  created_at: momentOrNull,
  created_by: z.string().nullable(),
  updated_at: momentOrNull,
  updated_by: z.string().nullable(),
  note: z.string().nullable(),
  /** A policy of the configuration file of the same name waits behind this version (S7). */
  shadows_config: z.literal(true).optional(),
  /** The version of the database that stands before this policy of the configuration file. */
  shadowed_by: z.string().optional(),
});

/** The answer to a write: the version, and doubts about the whole. */
export const writtenPolicySchema = policyRowSchema.extend({ warnings: warningsAnswer });

const versionNameSchema = policyRowSchema.pick({
  policy_id: true,
  policy_name: true,
  version_number: true,
  version_status: true,
  definition_location: true,
});

const removedSchema = z.object({
  policies: z.array(versionNameSchema),
  attachments: namesAnswer,
  /** Hashes of keys. */
  keys: namesAnswer,
  teams: namesAnswer,
});

const deletedPolicySchema = z.object({
  message: z.string(),
  warning: z.string().optional(),
  dry_run: z.literal(true).optional(),
  would_remove: removedSchema.optional(),
  removed: removedSchema.optional(),
  warnings: warningsAnswer,
});

const changeEntrySchema = z.object({
  revision: z.int(),
  at: momentAnswer,
  by: z.string(),
  call_id: z.string(),
  objects: z.array(
    z.object({
      object: z.string(),
      id: z.string(),
      name: z.string().nullable(),
      change: z.enum(['created', 'changed', 'deleted']),
    }),
  ),
});

const diffSchema = z.object({ version_a: z.unknown(), version_b: z.unknown() });

const replicaSchema = z.object({
  replica_id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  started_at: momentAnswer,
  heartbeat_at: momentAnswer,
  heartbeat_age_ms: z.number(),
  alive: z.boolean(),
  state: z.string(),
  revision: z.int().nullable(),
  lag: z.int().nullable(),
  config_digest: z.string().nullable(),
  rejected_revision: z.int().nullable(),
  problem: z.string().nullable(),
  problem_since: momentOrNull,
});

const problemSchema = z.object({
  policy_name: z.string(),
  error_type: z.string(),
  message: z.string(),
  field: z.string().optional(),
  code: z.string().optional(),
});

const summarySchema = z.object({
  inherit: z.string().nullable(),
  scope: z.object({ teams: namesAnswer, keys: namesAnswer, models: namesAnswer, tags: namesAnswer }),
  guardrails: z.object({ add: namesAnswer, remove: namesAnswer }),
  resolved_guardrails: namesAnswer,
  /** From the policy itself to its root. */
  inheritance_chain: namesAnswer,
  definition_location: definitionLocationSchema,
  version_number: z.int(),
  attachments: namesAnswer,
});

/** Policies and their versions (api 5.1 to 5.11, 5.20 to 5.23). */
export const policyRoutes = {
  'GET /policies/list': {
    query: wire.policyListQuerySchema,
    answer: z.object({
      policies: z.array(policyRowSchema),
      total_count: z.int(),
      next: z.string().nullable(),
    }),
  },
  'POST /policies': { body: wire.createPolicySchema, answer: writtenPolicySchema },
  'GET /policies/compare': {
    query: wire.comparePoliciesQuerySchema,
    answer: z.object({
      version_a: policyRowSchema,
      version_b: policyRowSchema,
      /** Only fields that differ. */
      field_diffs: z.record(z.string(), diffSchema),
      resolved_guardrails: z.object({
        version_a: namesAnswer.nullable(),
        version_b: namesAnswer.nullable(),
        only_a: namesAnswer,
        only_b: namesAnswer,
      }),
    }),
  },
  'GET /policies/revision': {
    query: wire.revisionQuerySchema,
    answer: z.object({
      revision: z.int(),
      config_digest: z.string().nullable(),
      in_force: z.int().nullable(),
      changes: z.array(changeEntrySchema).optional(),
    }),
  },
  'GET /policies/fleet': {
    answer: z.object({
      revision: z.int(),
      config_digest: z.string().nullable(),
      replicas: z.array(replicaSchema),
    }),
  },
  'GET /policies/documents': {
    answer: z.object({
      revision: z.int(),
      /** As the schemas of the policy engine read them; of guardrails what the engine needs. */
      documents: freeAnswer,
      /** The hooks that the detectors of each guardrail can serve. */
      served_hooks: z.record(z.string(), namesAnswer),
    }),
  },
  'GET /policies/name/:policy_name/versions': {
    answer: z.object({
      policy_name: z.string(),
      versions: z.array(policyRowSchema),
      total_count: z.int(),
    }),
  },
  'POST /policies/name/:policy_name/versions': {
    body: wire.newVersionSchema,
    answer: writtenPolicySchema,
  },
  'POST /policies/name/:policy_name/rename': {
    body: wire.renamePolicySchema,
    answer: z.object({
      policy_name: z.string(),
      former_name: z.string(),
      versions: z.array(policyRowSchema),
      renamed: z.object({
        versions: z.int(),
        children: namesAnswer,
        attachments: namesAnswer,
        keys: namesAnswer,
        teams: namesAnswer,
      }),
      warning: z.string().optional(),
      warnings: warningsAnswer,
    }),
  },
  'POST /policies/name/:policy_name/rollback': {
    body: wire.rollbackPolicySchema,
    answer: writtenPolicySchema.extend({
      rolled_back_from: versionNameSchema.nullable(),
      rolled_back_to: versionNameSchema,
    }),
  },
  'DELETE /policies/name/:policy_name/all-versions': {
    query: wire.deletePolicyQuerySchema,
    answer: deletedPolicySchema.extend({ deleted_versions: z.int() }),
  },
  'GET /policies/:policy_id': { answer: policyRowSchema },
  'PUT /policies/:policy_id': { body: wire.updatePolicySchema, answer: writtenPolicySchema },
  'DELETE /policies/:policy_id': { query: wire.deletePolicyQuerySchema, answer: deletedPolicySchema },
  'PUT /policies/:policy_id/status': {
    body: wire.policyStatusSchema,
    answer: writtenPolicySchema.extend({
      warning: z.string().optional(),
      attachments_without_effect: namesAnswer.optional(),
    }),
  },
  'GET /policies/:policy_id/resolved-guardrails': {
    answer: z.object({
      policy_id: z.string(),
      policy_name: z.string(),
      resolved_guardrails: namesAnswer,
      version_number: z.int(),
    }),
  },
  'POST /policy/validate': {
    body: wire.validatePoliciesSchema,
    answer: z.object({
      valid: z.boolean(),
      errors: z.array(problemSchema),
      warnings: z.array(problemSchema),
    }),
  },
  'GET /policy/list': {
    answer: z.object({ policies: z.record(z.string(), summarySchema), total_count: z.int() }),
  },
  'GET /policy/info/:policy_name': { answer: summarySchema.extend({ policy_name: z.string() }) },
  'POST /policy/test': {
    body: wire.testContextSchema,
    answer: z.object({
      context: z.object({
        team_alias: z.string().nullable(),
        key_alias: z.string().nullable(),
        model: z.string().nullable(),
        tags: namesAnswer.nullable(),
      }),
      matching_policies: namesAnswer,
      resolved_guardrails: namesAnswer,
      message: z.string().optional(),
    }),
  },
} as const satisfies Record<string, RouteContract>;
