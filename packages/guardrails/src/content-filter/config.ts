import { commonParamsSchema } from '@portcullis/policy';
import { z } from 'zod';
import { restoreParams } from '../restore/params.ts';
import { competitorIntentSchema } from './competitor-intent.ts';
import { KEYWORD_CHARACTERS } from './program.ts';

/** Most patterns, blocked words and categories written in the configuration itself, of one guardrail. */
const CONFIG_LIMITS = { patterns: 1_000, blockedWords: 50_000, categories: 200 } as const;

const actionSchema = z.preprocess(
  (value) => (typeof value === 'string' ? value.toUpperCase() : value),
  z.enum(['BLOCK', 'MASK', 'LOG']),
);
export const severitySchema = z.preprocess(
  (value) => (typeof value === 'string' ? value.toLowerCase() : value),
  z.enum(['low', 'medium', 'high']),
);

/** `patterns[]`: a shipped pattern by name, or a regular expression for the linear-time engine. */
const patternEntrySchema = z.discriminatedUnion('pattern_type', [
  z.strictObject({
    pattern_type: z.literal('prebuilt'),
    pattern_name: z.string().min(1),
    /** Without one: the action suggested by the pattern. */
    action: actionSchema.nullish(),
  }),
  z.strictObject({
    pattern_type: z.literal('regex'),
    pattern: z.string().min(1),
    name: z.string().min(1).max(256),
    action: actionSchema,
  }),
]);

/** `blocked_words[]`, also the entries of a blocked words file. */
export const blockedWordSchema = z.strictObject({
  keyword: z.string().min(1).max(KEYWORD_CHARACTERS),
  action: actionSchema,
  description: z.string().max(1_000).nullish(),
});
export type BlockedWord = z.infer<typeof blockedWordSchema>;

/** `categories[]`: a shipped category by name, or one of your own in a file. */
const categoryEntrySchema = z.strictObject({
  category: z.string().min(1).max(256),
  enabled: z.boolean().default(true),
  /** Without one: the action suggested by the category. */
  action: actionSchema.nullish(),
  /** Without one: that of the guardrail. */
  severity_threshold: severitySchema.nullish(),
  /** A YAML file with a category, in the folder of the configuration. */
  category_file: z.string().min(1).nullish(),
});
export type CategoryEntry = z.infer<typeof categoryEntrySchema>;

/** `litellm_params` of the built-in content filter. Unknown keys are errors. */
export const contentFilterSchema = z.strictObject({
  ...commonParamsSchema.shape,
  patterns: z
    .array(patternEntrySchema)
    .max(CONFIG_LIMITS.patterns)
    .default([])
    .describe('Prebuilt patterns by name, and regular expressions'),
  blocked_words: z
    .array(blockedWordSchema)
    .max(CONFIG_LIMITS.blockedWords)
    .default([])
    .describe('Words and phrases to block, mask or report'),
  blocked_words_file: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('A YAML file with blocked_words, in the folder of the configuration'),
  severity_threshold: severitySchema
    .default('medium')
    .describe('Lowest severity at which a word of a category counts'),
  pattern_redaction_format: z
    .string()
    .max(256)
    .default('[{pattern_name}_REDACTED]')
    .describe('Takes the place of what a pattern masks'),
  keyword_redaction_tag: z
    .string()
    .max(256)
    .default('[KEYWORD_REDACTED]')
    .describe('Takes the place of a masked word'),
  ...restoreParams,
  categories: z
    .array(categoryEntrySchema)
    .max(CONFIG_LIMITS.categories)
    .nullish()
    .describe('Shipped categories by name, and categories in files'),
  deobfuscate: z
    .enum(['off', 'standard', 'deep'])
    .default('standard')
    .describe(
      'Whether values and words in disguise are found, too: encoded, spelled with other letters, pulled apart; deep: also words in ROT13 or backwards',
    ),
  image_model: z.string().nullish().describe('Not available yet'),
  competitor_intent_config: competitorIntentSchema
    .nullish()
    .describe('Questions that compare with competitors, or ask for a ranking'),
});
export type ContentFilterConfig = z.infer<typeof contentFilterSchema>;
