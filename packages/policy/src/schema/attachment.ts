import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { definitionLocationSchema, enforcementSchema, nameSchema, patternListSchema } from './name.ts';

const tagPartSchema = patternListSchema.min(1, 'an empty tag list is refused: leave it out instead');

/**
 * The `tags` selector (M5): a plain list means `any`. The written form is kept, because answers echo it.
 * An empty plain list is the same as no selector.
 */
export const tagSelectorSchema = z.union([
  patternListSchema,
  z
    .strictObject({
      any: tagPartSchema.optional(),
      all: tagPartSchema.optional(),
      none: tagPartSchema.optional(),
    })
    .refine((tags) => tags.any ?? tags.all ?? tags.none, 'tags needs one of any, all, none'),
]);
export type TagSelector = z.infer<typeof tagSelectorSchema>;

/** The three parts of a tag selector, whatever form it was written in. */
export function tagParts(tags: TagSelector): { any: string[]; all: string[]; none: string[] } {
  if (Array.isArray(tags)) return { any: tags, all: [], none: [] };
  return { any: tags.any ?? [], all: tags.all ?? [], none: tags.none ?? [] };
}

const selectorFields = {
  scope: z.literal('*', 'scope has no other value than "*"').nullable().default(null),
  teams: patternListSchema.nullish().transform((list) => list ?? []),
  keys: patternListSchema.nullish().transform((list) => list ?? []),
  models: patternListSchema.nullish().transform((list) => list ?? []),
  tags: tagSelectorSchema.nullish().transform((tags): TagSelector => tags ?? []),
  priority: z.int32().nullable().default(null),
  default: z.boolean().default(false),
  enforcement: enforcementSchema.default('enforce'),
};

interface Selectors {
  readonly scope: '*' | null;
  readonly teams: readonly string[];
  readonly keys: readonly string[];
  readonly models: readonly string[];
  readonly tags: TagSelector;
}

/** Why a set of selectors is refused (M5, M6), or `null`. An empty set is refused: it never means "everything". */
export function selectorProblem(attachment: Selectors): string | null {
  const tags = tagParts(attachment.tags);
  const selectsByTag = tags.any.length + tags.all.length > 0;
  const selects =
    selectsByTag || attachment.teams.length + attachment.keys.length + attachment.models.length > 0;
  const patterns =
    attachment.teams.length +
    attachment.keys.length +
    attachment.models.length +
    tags.any.length +
    tags.all.length +
    tags.none.length;
  if (patterns > LIMITS.patternsPerAttachment) {
    return `an attachment has at most ${LIMITS.patternsPerAttachment} patterns`;
  }
  if (attachment.scope === '*') {
    return selects
      ? 'scope "*" and selectors exclude each other: remove one of them (only tags.none may accompany it)'
      : null;
  }
  if (selects) return null;
  if (tags.none.length > 0) return 'tags.none alone selects nothing: add another selector or scope "*"';
  return 'an attachment needs scope "*" or at least one non-empty selector of teams, keys, models, tags';
}

function checkSelectors(attachment: Selectors, context: z.RefinementCtx): void {
  const problem = selectorProblem(attachment);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
}

/** One attachment: WHERE a policy applies. `priority: null` counts as 0; lower runs first (C5). */
export const attachmentSchema = z
  .strictObject({
    attachment_id: z.string().min(1),
    policy_name: nameSchema,
    definition_location: definitionLocationSchema.default('config'),
    ...selectorFields,
  })
  .superRefine(checkSelectors);
export type Attachment = z.infer<typeof attachmentSchema>;

/** An attachment as it is written in the configuration file: `policy_attachments: [<this>]`. */
export const attachmentDefinitionSchema = z
  .strictObject({ policy: nameSchema, ...selectorFields })
  .superRefine(checkSelectors);
export type AttachmentDefinition = z.infer<typeof attachmentDefinitionSchema>;

/** The row of an attachment that is defined in the configuration file, at `index` of its list. */
export function attachmentFromDefinition(index: number, definition: AttachmentDefinition): Attachment {
  const { policy, ...rest } = definition;
  return { ...rest, attachment_id: `config-${index}`, policy_name: policy, definition_location: 'config' };
}
