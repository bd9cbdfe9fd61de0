import { z } from 'zod';
import { isStorable, textListSchema, textSchema } from './protection.ts';

/** Wire shapes of the guardrail routes. What a kind of guardrail takes is checked by the kind itself. */

const NAME_LIMIT = 256;
const TEXT_LIMIT = 1_000_000;
const INFO_LIMIT = 65_536;
const FILE_LIMIT = 10 * 1024 * 1024;

const UNSTORABLE = 'holds a character that cannot be stored: U+0000 or half a surrogate pair';
const paramsSchema = z.record(z.string(), z.unknown()).refine(isStorable, UNSTORABLE);
const infoSchema = z
  .record(z.string(), z.json())
  .refine(isStorable, UNSTORABLE)
  .refine(
    (info) => JSON.stringify(info).length <= INFO_LIMIT,
    `has at most ${INFO_LIMIT} characters as JSON`,
  );
const templateSchema = z.string().max(NAME_LIMIT);

/** What rows hold besides: a client may send a row back as it got it. */
const readOnlyShape = {
  created_at: z.unknown().optional(),
  created_by: z.unknown().optional(),
  updated_at: z.unknown().optional(),
  updated_by: z.unknown().optional(),
  guardrail_definition_location: z.unknown().optional(),
  in_force: z.unknown().optional(),
  problem: z.unknown().optional(),
};

const guardrailFieldsSchema = z.strictObject({
  guardrail_id: textSchema.nullish(),
  guardrail_name: z.string(),
  litellm_params: paramsSchema,
  guardrail_info: infoSchema.nullish(),
  policy_template: templateSchema.nullish(),
  ...readOnlyShape,
});

/** Body of `POST /guardrails` and `PUT /guardrails/{id}`: the whole guardrail. */
export const writeGuardrailSchema = z.strictObject({ guardrail: guardrailFieldsSchema });
export type WriteGuardrail = z.infer<typeof writeGuardrailSchema>;

/**
 * Body of `PATCH /guardrails/{id}`: only given fields change. Of `litellm_params` only given settings change, and `null`
 * takes one away.
 */
export const patchGuardrailSchema = z.strictObject({
  guardrail_name: z.string().optional(),
  litellm_params: paramsSchema.optional(),
  guardrail_info: infoSchema.nullish(),
  policy_template: templateSchema.nullish(),
});
export type PatchGuardrail = z.infer<typeof patchGuardrailSchema>;

/** Query of `DELETE /guardrails/{id}`. */
export const deleteGuardrailQuerySchema = z.strictObject({
  force: z
    .enum(['true', 'false'])
    .optional()
    .transform((force) => force === 'true'),
});
export type DeleteGuardrailQuery = z.infer<typeof deleteGuardrailQuerySchema>;

/** Body of `POST /guardrails/apply_guardrail`. Everything below `messages` says for whom the text is judged. */
export const applyGuardrailSchema = z.strictObject({
  guardrail_name: z.string().min(1),
  text: z.string().max(TEXT_LIMIT, `has at most ${TEXT_LIMIT} characters`),
  /** Settings of one provider of the reference; the detectors here have no use for them. */
  language: z.string().nullish(),
  entities: z.array(z.string()).nullish(),
  input_type: z.enum(['request', 'response']).nullish(),
  /** The conversation around the text; it is scanned too. */
  messages: z
    .array(z.looseObject({ role: z.string() }))
    .max(10_000)
    .nullish(),
  model: textSchema.nullish(),
  team_id: textSchema.nullish(),
  team_alias: textSchema.nullish(),
  key_alias: textSchema.nullish(),
  user_id: textSchema.nullish(),
  tags: textListSchema.nullish(),
});
export type ApplyGuardrail = z.infer<typeof applyGuardrailSchema>;

/** Body of `POST /guardrails/test_custom_code`. */
export const testCustomCodeSchema = z.strictObject({
  custom_code: z.string().min(1).max(65_536),
  /** What the function gets as `inputs`. */
  test_input: z
    .looseObject({ texts: z.array(z.string().max(TEXT_LIMIT)).max(1_000).default([]) })
    .default({ texts: [] }),
  input_type: z.enum(['request', 'response']).default('request'),
  request_data: z.record(z.string(), z.unknown()).default({}),
  /** Hosts that the code may ask; none when empty. */
  allowed_hosts: z.array(z.string().max(NAME_LIMIT)).max(50).default([]),
});
export type TestCustomCode = z.infer<typeof testCustomCodeSchema>;

/** Body of `POST /guardrails/validate_blocked_words_file`. */
export const blockedWordsFileSchema = z.strictObject({
  file_content: z.string().max(FILE_LIMIT, `has at most ${FILE_LIMIT} characters`),
});
export type BlockedWordsFile = z.infer<typeof blockedWordsFileSchema>;

/** Body of `POST /guardrails/register`: a team brings a guardrail of its own, which runs when it was approved. */
export const registerGuardrailSchema = z.strictObject({
  guardrail_name: z.string(),
  litellm_params: paramsSchema,
  guardrail_info: infoSchema.nullish(),
  /** For administrators, who belong to no team; everybody else registers for the team of the key. */
  team_id: textSchema.nullish(),
});
export type RegisterGuardrail = z.infer<typeof registerGuardrailSchema>;

/** Body of `POST /guardrails/submissions/{id}/approve` and `/reject`; none at all is fine too. */
export const reviewSubmissionSchema = z
  .strictObject({ reason: z.string().max(NAME_LIMIT).nullish() })
  .nullish();
export type ReviewSubmission = z.infer<typeof reviewSubmissionSchema>;

export const SUBMISSION_STATUSES = ['pending_review', 'active', 'rejected'] as const;

/** Query of `GET /guardrails/submissions`. */
export const submissionsQuerySchema = z.strictObject({
  status: z.enum(SUBMISSION_STATUSES).optional(),
  team_id: textSchema.optional(),
  search: z.string().max(NAME_LIMIT).optional(),
});
export type SubmissionsQuery = z.infer<typeof submissionsQuerySchema>;
