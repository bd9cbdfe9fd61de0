import { resolveQuestionSchema } from '@portcullis/policy';
import { z } from 'zod';
import { textListSchema, textSchema } from './protection.ts';

/** The wire of trials: guardrails, pipelines and policies run on made-up content, outside any request. */

const MESSAGES_LIMIT = 100;
const INPUTS_LIMIT = 100;
const TEXTS_LIMIT = 100;
const CHARACTERS_LIMIT = 1_000_000;

const textBody = z.string().max(CHARACTERS_LIMIT, `has at most ${CHARACTERS_LIMIT} characters`);

/** Multi-part content is as good as a text (D-88); what a message may hold is the dialect's matter. */
const messageSchema = z.looseObject({ role: z.string().min(1).max(64) });

/** Who is said to ask, as in `POST /policies/resolve`. */
const trialContextSchema = resolveQuestionSchema.pick({
  team_alias: true,
  team_id: true,
  key_alias: true,
  key_hash: true,
  model: true,
  tags: true,
  caller_tags: true,
});

/** Body of `POST /policies/test-pipeline`. The pipeline is read by the handler, because its refusal has words of its own. */
export const testPipelineSchema = z.strictObject({
  pipeline: z.record(z.string(), z.unknown()),
  test_messages: z
    .array(messageSchema)
    .min(1, 'send at least one message')
    .max(MESSAGES_LIMIT, `has at most ${MESSAGES_LIMIT} messages`),
  context: trialContextSchema.nullish(),
  /** What a post_call pipeline judges: an answer of the model, or its text. */
  response: z.union([textBody, z.looseObject({ choices: z.array(z.unknown()).min(1) })]).nullish(),
  /** The same as a text in `response`. */
  mock_response: textBody.nullish(),
  /** Services outside are not called: their steps are skipped and say so. */
  dry_run: z.boolean().nullish(),
});
export type TestPipeline = z.infer<typeof testPipelineSchema>;

/** Body of `POST /utils/test_policies_and_guardrails`. */
export const testPoliciesSchema = z.strictObject({
  policy_names: textListSchema.nullish(),
  guardrail_names: textListSchema.nullish(),
  inputs_list: z
    .array(
      z.strictObject({
        texts: z.array(textBody).min(1).max(TEXTS_LIMIT, `has at most ${TEXTS_LIMIT} texts`),
      }),
    )
    .max(INPUTS_LIMIT, `has at most ${INPUTS_LIMIT} inputs`)
    .default([]),
  /** `model` and `metadata.tags` of the request that the inputs are said to come from; conditions look at the model. */
  request_data: z
    .looseObject({
      model: textSchema.nullish(),
      metadata: z.looseObject({ tags: textListSchema.nullish() }).nullish(),
    })
    .default({}),
  input_type: z.enum(['request', 'response']).default('request'),
  agent_id: z
    .null(
      'agents are not called here: leave agent_id out and test with input_type "response" what one has answered',
    )
    .optional(),
});
export type TestPolicies = z.infer<typeof testPoliciesSchema>;
