import { z } from 'zod';
import { contentKindSchema, hookSchema } from './content.ts';
import { definitionLocationSchema, enforcementSchema, nameSchema } from './name.ts';
import { unscannedSchema } from './policy.ts';

const lowerCased = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), schema);

const hooksSchema = z.union([
  lowerCased(hookSchema).transform((hook) => [hook]),
  z.array(lowerCased(hookSchema)).min(1),
]);

/**
 * When a guardrail runs: hooks, or hooks selected by tag. A trusted tag selects its hooks instead of `default`; a
 * caller's tag only adds hooks (O5).
 */
export const modeSchema = z.union([
  hooksSchema,
  z.strictObject({
    tags: z.record(z.string(), hooksSchema),
    default: hooksSchema.nullish().transform((hooks) => hooks ?? []),
  }),
]);
export type Mode = z.infer<typeof modeSchema>;

/** Classes of technical failure (E1). */
export const ERROR_CLASSES = ['unreachable', 'fault', 'too_complex', 'undeliverable', 'unknown'] as const;
export const errorClassSchema = z.enum(ERROR_CLASSES);
export type ErrorClass = z.infer<typeof errorClassSchema>;

const blockOrAllow = z.enum(['block', 'allow']);

/** What to do when there is no verdict: one word for `unreachable` and `fault`, or one word for each class. */
export const onErrorSchema = z.union([
  blockOrAllow,
  z.strictObject({
    unreachable: blockOrAllow.optional(),
    fault: blockOrAllow.optional(),
    too_complex: blockOrAllow.optional(),
    undeliverable: blockOrAllow.optional(),
  }),
]);

/**
 * How the reference checks streams. It lets text out before it was looked at, which is never done here (E8): what asks
 * for a check of the whole answer holds it back, and everything else is the window, which is exact at every character.
 */
const STREAMING_OF_THE_REFERENCE = {
  streaming_buffer_until_moderated: z.boolean().nullish().describe('true is streaming_mode buffer'),
  streaming_end_of_stream_only: z
    .boolean()
    .nullish()
    .describe('true is streaming_mode buffer: one check of the whole answer, before it leaves'),
  streaming_transform_mode: z
    .enum(['block_only', 'incremental_diff'])
    .nullish()
    .describe('Without effect: masks are written into streams in either case'),
  streaming_sampling_rate: z.int().positive().nullish().describe('Without effect: everything is looked at'),
  stream_holdback_chars: z
    .int()
    .nonnegative()
    .nullish()
    .describe('Without effect: each guardrail knows how much it has to hold back'),
};

/** How streams are checked, in the words of this product or of the reference; null for the guardrail's own way. */
export function streamingModeOf(
  params: Pick<
    CommonParams,
    'streaming_mode' | 'streaming_buffer_until_moderated' | 'streaming_end_of_stream_only'
  >,
): CommonParams['streaming_mode'] {
  const { streaming_mode, streaming_buffer_until_moderated, streaming_end_of_stream_only } = params;
  if (streaming_mode !== null) return streaming_mode;
  return streaming_buffer_until_moderated === true || streaming_end_of_stream_only === true ? 'buffer' : null;
}

/** `litellm_params` that every detector shares. A detector's own schema extends this one, strictly. */
export const commonParamsSchema = z.object({
  guardrail: z.string().min(1).describe('Which kind of guardrail this is'),
  mode: modeSchema.describe('When it runs'),
  default_on: z.boolean().default(false).describe('Runs on every request'),
  opt_out: z.boolean().default(true).describe('Keys and teams may be exempted from default_on'),
  enforcement: enforcementSchema.default('enforce').describe('monitor only records what it would have done'),
  priority: z.int32().nullable().default(null).describe('Lower runs earlier; 0 when empty'),
  weight: z.number().positive().default(1).describe('Share among guardrails of one name'),
  scan: z
    .array(contentKindSchema)
    .min(1)
    .nullable()
    .default(null)
    .describe('Kinds of content it looks at; all it can read when empty'),
  unscanned: unscannedSchema
    .nullable()
    .default(null)
    .describe('What becomes of content it does not look at or cannot read'),
  request_params: z
    .array(z.string().min(1))
    .default([])
    .describe('Settings that a request may give for its own additional runs'),
  timeout: z.coerce
    .number()
    .positive()
    .max(600)
    .nullable()
    .default(null)
    .describe("Seconds one run may take; the kind's own default when empty"),
  on_error: onErrorSchema.nullable().default(null).describe('What to do when there is no verdict'),
  fail_on_error: z
    .boolean()
    .nullable()
    .default(null)
    .describe('false lets requests through when the guardrail fails or cannot be reached'),
  unreachable_fallback: lowerCased(z.enum(['fail_closed', 'fail_open']))
    .nullable()
    .default(null)
    .describe('fail_open lets requests through when the service cannot be reached'),
  alert_recipients: z
    .array(z.string().min(1).max(256))
    .max(50)
    .default([])
    .describe('Whom to alert; named in the record of each run'),
  streaming_mode: z
    .enum(['window', 'buffer', 'audit'])
    .nullable()
    .default(null)
    .describe('How streamed answers are checked'),
  ...STREAMING_OF_THE_REFERENCE,
});
export type CommonParams = z.infer<typeof commonParamsSchema>;

/** One configured guardrail. Several of one name are balanced by weight, so they must agree on what the engine sees. */
export const guardrailSchema = z.strictObject({
  guardrail_id: z.string().min(1),
  guardrail_name: nameSchema,
  litellm_params: z.looseObject(commonParamsSchema.shape),
  guardrail_info: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((info) => info ?? {}),
  policy_template: z.string().nullable().default(null),
  definition_location: definitionLocationSchema.default('config'),
});
export type Guardrail = z.infer<typeof guardrailSchema>;

/**
 * What the engine must know of a detector to refuse a configuration it cannot keep. Comes from the detector's own
 * declaration, evaluated for one configuration.
 */
export interface DetectorFacts {
  /** The hooks the detector can serve. */
  readonly hooks: readonly z.infer<typeof hookSchema>[];
  /** Whether this configuration can rewrite content. */
  readonly masks: boolean;
}

/** The classes of error that a guardrail lets through (E1). `unknown` can never be among them. */
export function allowedErrors(params: CommonParams): ReadonlySet<ErrorClass> {
  const allowed = new Set<ErrorClass>();
  if (params.unreachable_fallback === 'fail_open') allowed.add('unreachable');
  if (params.fail_on_error === false || params.on_error === 'allow') {
    allowed.add('unreachable').add('fault');
  }
  if (params.on_error !== null && typeof params.on_error === 'object') {
    for (const errorClass of ['unreachable', 'fault', 'too_complex', 'undeliverable'] as const) {
      const action = params.on_error[errorClass];
      if (action === 'allow') allowed.add(errorClass);
      if (action === 'block') allowed.delete(errorClass);
    }
  }
  if (params.on_error === 'block') allowed.clear();
  return allowed;
}
