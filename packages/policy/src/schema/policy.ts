import { z } from 'zod';
import { conditionProblem } from '../condition.ts';
import { LIMITS } from '../limits.ts';
import { definitionLocationSchema, nameSchema } from './name.ts';

const guardrailNamesSchema = z
  .array(nameSchema)
  .max(LIMITS.guardrailsPerPolicy, `a policy names at most ${LIMITS.guardrailsPerPolicy} guardrails`);

const conditionTextSchema = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const problem = conditionProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const regexSchema = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const problem = conditionProblem(text, 'regex');
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const literalSchema = z
  .string()
  .min(1)
  .max(LIMITS.patternCharacters)
  .refine((text) => text.normalize('NFC') === text, 'a condition must be in Unicode normalisation form NFC');

/** `condition.model` (K1): a text, a list of texts, or exactly one of `exact`, `prefix`, `regex`. */
export const modelConditionSchema = z.union([
  conditionTextSchema,
  z.array(conditionTextSchema).min(1).max(LIMITS.guardrailsPerPolicy),
  z.strictObject({ exact: literalSchema }),
  z.strictObject({ prefix: literalSchema }),
  z.strictObject({ regex: regexSchema }),
]);
export type ModelCondition = z.infer<typeof modelConditionSchema>;

/** When a policy applies. An empty object means no condition (K3). */
export const conditionSchema = z.strictObject({ model: modelConditionSchema.optional() });
export type Condition = z.infer<typeof conditionSchema>;

export const STEP_ACTIONS = ['next', 'allow', 'block', 'modify_response'] as const;
export const stepActionSchema = z.enum(STEP_ACTIONS);
export type StepAction = z.infer<typeof stepActionSchema>;

/** One step of a pipeline (P1). Without `on_error` an error blocks. */
export const pipelineStepSchema = z.strictObject({
  guardrail: nameSchema,
  on_pass: stepActionSchema.default('allow'),
  on_fail: stepActionSchema.default('block'),
  on_error: stepActionSchema.nullable().default(null),
  pass_data: z.boolean().default(false),
  modify_response_message: z.string().max(LIMITS.messageCharacters).nullable().default(null),
});
export type PipelineStep = z.infer<typeof pipelineStepSchema>;

export const pipelineModeSchema = z.enum(['pre_call', 'post_call']);
export type PipelineMode = z.infer<typeof pipelineModeSchema>;

/** An ordered list of guardrails with an action for each outcome (P1-P7). */
export const pipelineSchema = z.strictObject({
  mode: pipelineModeSchema.default('pre_call'),
  steps: z
    .array(pipelineStepSchema)
    .min(1, 'a pipeline needs at least one step')
    .max(LIMITS.pipelineSteps, `a pipeline has at most ${LIMITS.pipelineSteps} steps`),
});
export type Pipeline = z.infer<typeof pipelineSchema>;

export const VERSION_STATUSES = ['draft', 'published', 'production'] as const;
export const versionStatusSchema = z.enum(VERSION_STATUSES);
export type VersionStatus = z.infer<typeof versionStatusSchema>;

/** Whether content a guardrail cannot read is let through or refused (E9). */
export const unscannedSchema = z.enum(['allow', 'block']);
export type Unscanned = z.infer<typeof unscannedSchema>;

/**
 * One version of a policy: WHAT runs. The same shape is the API's row, the compiler's input and the record's reference.
 * For a policy of the configuration file `policy_id` is its name.
 */
export const policySchema = z.strictObject({
  policy_id: z.string().min(1),
  policy_name: nameSchema,
  version_number: z.int().positive().default(1),
  version_status: versionStatusSchema.default('production'),
  definition_location: definitionLocationSchema.default('config'),
  inherit: nameSchema.nullable().default(null),
  description: z.string().max(LIMITS.descriptionCharacters).nullable().default(null),
  guardrails_add: guardrailNamesSchema.default([]),
  guardrails_remove: guardrailNamesSchema.default([]),
  guardrails_lock: guardrailNamesSchema.default([]),
  condition: conditionSchema.nullable().default(null),
  pipeline: pipelineSchema.nullable().default(null),
  unscanned: unscannedSchema.nullable().default(null),
});
export type Policy = z.infer<typeof policySchema>;

/** A policy as it is written in the configuration file: `policies: { <name>: <this> }`. A plain list means `add`. */
export const policyDefinitionSchema = z.strictObject({
  description: policySchema.shape.description,
  inherit: policySchema.shape.inherit,
  guardrails: z
    .union([
      guardrailNamesSchema,
      z.strictObject({
        add: guardrailNamesSchema.nullish(),
        remove: guardrailNamesSchema.nullish(),
        lock: guardrailNamesSchema.nullish(),
      }),
    ])
    .nullish(),
  condition: policySchema.shape.condition,
  pipeline: policySchema.shape.pipeline,
  unscanned: policySchema.shape.unscanned,
});
export type PolicyDefinition = z.infer<typeof policyDefinitionSchema>;

/** The row of a policy that is defined in the configuration file. */
export function policyFromDefinition(name: string, definition: PolicyDefinition): Policy {
  const { guardrails, ...rest } = definition;
  const lists = Array.isArray(guardrails) ? { add: guardrails } : (guardrails ?? {});
  return {
    ...rest,
    policy_id: name,
    policy_name: name,
    version_number: 1,
    version_status: 'production',
    definition_location: 'config',
    guardrails_add: lists.add ?? [],
    guardrails_remove: ('remove' in lists ? lists.remove : null) ?? [],
    guardrails_lock: ('lock' in lists ? lists.lock : null) ?? [],
  };
}
