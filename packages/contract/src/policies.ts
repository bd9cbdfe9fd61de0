import {
  conditionSchema,
  enforcementSchema,
  nameSchema,
  patternListSchema,
  pipelineSchema,
  policySchema,
  resolveQuestionSchema,
  selectorProblem,
  tagSelectorSchema,
  unscannedSchema,
  versionStatusSchema,
} from '@portcullis/policy';
import { z } from 'zod';
import { textSchema } from './protection.ts';

/** The wire of policies and attachments: what the reference takes, with the same field rules as the YAML file (D-92). */

const noteSchema = z.string().max(10_000, 'has at most 10000 characters');
const namesSchema = policySchema.shape.guardrails_add.unwrap();
const descriptionSchema = policySchema.shape.description.unwrap();

/**
 * What a version says. `null` clears `inherit`, `description`, `condition`, `pipeline`, `unscanned` and `note` (V4); for a
 * list it means "not given", as in the reference: an empty list clears it.
 */
const contentShape = {
  inherit: nameSchema.nullish(),
  description: descriptionSchema.optional(),
  guardrails_add: namesSchema.nullish(),
  guardrails_remove: namesSchema.nullish(),
  guardrails_lock: namesSchema.nullish(),
  condition: conditionSchema.nullish(),
  pipeline: pipelineSchema.nullish(),
  unscanned: unscannedSchema.nullish(),
  note: noteSchema.nullish(),
};

/** Body of `POST /policies`. Without `version_status` the setting `policy_engine.create_as` decides (V3). */
export const createPolicySchema = z.strictObject({
  policy_name: nameSchema,
  ...contentShape,
  version_status: z.enum(['draft', 'production']).nullish(),
});
export type CreatePolicy = z.infer<typeof createPolicySchema>;

/** Body of `PUT /policies/{policy_id}`: only given fields change. A name may be repeated, not changed (V5). */
export const updatePolicySchema = z.strictObject({
  policy_name: nameSchema.nullish(),
  ...contentShape,
});
export type UpdatePolicy = z.infer<typeof updatePolicySchema>;

/** Body of `POST /policies/name/{policy_name}/versions`: without a source the production version is copied. */
export const newVersionSchema = z.strictObject({
  source_policy_id: z.string().min(1).max(256).nullish(),
  note: noteSchema.nullish(),
});
export type NewVersion = z.infer<typeof newVersionSchema>;

/** Body of `PUT /policies/{policy_id}/status`. Any text is taken here, because the refusal has a text of its own. */
export const policyStatusSchema = z.strictObject({
  version_status: z.string().max(64),
  note: noteSchema.nullish(),
});
export type PolicyStatus = z.infer<typeof policyStatusSchema>;

/** Body of `POST /policies/name/{policy_name}/rename`. */
export const renamePolicySchema = z.strictObject({ new_name: nameSchema });
export type RenamePolicy = z.infer<typeof renamePolicySchema>;

/** Body of `POST /policies/name/{policy_name}/rollback`; may be left out. */
export const rollbackPolicySchema = z
  .strictObject({ note: noteSchema.nullish() })
  .optional()
  .transform((body) => body ?? {});
export type RollbackPolicy = z.infer<typeof rollbackPolicySchema>;

const flag = z
  .enum(['true', 'false', 'True', 'False', '1', '0'])
  .transform((value) => ['true', 'True', '1'].includes(value));

const pageShape = {
  /** At most so many objects; without it all of them. */
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
  /** `next` of the page before. */
  after: z.string().max(1_000).optional(),
};

/** Query of `GET /policies/list`. */
export const policyListQuerySchema = z.strictObject({
  version_status: versionStatusSchema.optional(),
  ...pageShape,
});
export type PolicyListQuery = z.infer<typeof policyListQuerySchema>;

/** Query of `GET /policies/compare`. */
export const comparePoliciesQuerySchema = z.strictObject({
  version_a: z.string().min(1),
  version_b: z.string().min(1),
});
export type ComparePoliciesQuery = z.infer<typeof comparePoliciesQuerySchema>;

/** Query of deletions: `force` removes the dependents too; `dry_run` only says what would be removed (V6, D-72). */
export const deletePolicyQuerySchema = z.strictObject({
  force: flag.default(false),
  dry_run: flag.default(false),
});
export type DeletePolicyQuery = z.infer<typeof deletePolicyQuerySchema>;

/** Query of `GET /policies/revision`: `since` lists the changes after a revision. */
export const revisionQuerySchema = z.strictObject({
  since: z.coerce.number().int().min(0).optional(),
});
export type RevisionQuery = z.infer<typeof revisionQuerySchema>;

const attachmentShape = {
  teams: patternListSchema.nullish(),
  keys: patternListSchema.nullish(),
  models: patternListSchema.nullish(),
  tags: tagSelectorSchema.nullish(),
  scope: z.literal('*', 'scope has no other value than "*"').nullish(),
  priority: z.int32().nullish(),
  default: z.boolean().nullish(),
  enforcement: enforcementSchema.nullish(),
};

function checkSelectors(
  { scope, teams, keys, models, tags }: z.infer<typeof attachmentFields>,
  context: z.RefinementCtx,
): void {
  const problem = selectorProblem({
    scope: scope ?? null,
    teams: teams ?? [],
    keys: keys ?? [],
    models: models ?? [],
    tags: tags ?? [],
  });
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
}

const attachmentFields = z.strictObject(attachmentShape);

/** Where something is to apply: `scope: "*"` or at least one selector, never neither (M6). */
export const attachmentFieldsSchema = attachmentFields.superRefine(checkSelectors);

/** Body of `POST /policies/attachments`. */
export const createAttachmentSchema = z
  .strictObject({ policy_name: nameSchema, ...attachmentShape })
  .superRefine(checkSelectors);
export type CreateAttachment = z.infer<typeof createAttachmentSchema>;

/** Body of `PUT /policies/attachments/{attachment_id}`: only given fields change, `null` clears. */
export const updateAttachmentSchema = z.strictObject({
  policy_name: nameSchema.optional(),
  ...attachmentShape,
});
export type UpdateAttachment = z.infer<typeof updateAttachmentSchema>;

/** Query of `GET /policies/attachments/list`. */
export const attachmentListQuerySchema = z.strictObject({
  policy_name: textSchema.optional(),
  ...pageShape,
});
export type AttachmentListQuery = z.infer<typeof attachmentListQuerySchema>;

/** Query of `POST /policies/resolve`. */
export const resolveQuerySchema = z.strictObject({ force_sync: flag.default(false) });
export type ResolveQuery = z.infer<typeof resolveQuerySchema>;

/** Body of `POST /policies/resolve`; nothing at all asks for a request without a name. */
export const resolveBodySchema = resolveQuestionSchema.optional().transform((question) => question ?? {});
export type ResolveBody = z.infer<typeof resolveBodySchema>;

/** Body of `POST /policy/test`. */
export const testContextSchema = z.strictObject({
  team_alias: z.string().nullish(),
  key_alias: z.string().nullish(),
  model: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
});
export type TestContext = z.infer<typeof testContextSchema>;

/** Body of `POST /policy/validate`: definitions as the YAML file has them. What is wrong with one is part of the answer. */
export const validatePoliciesSchema = z.strictObject({ policies: z.record(z.string(), z.unknown()) });
export type ValidatePolicies = z.infer<typeof validatePoliciesSchema>;
