// A small detector for tests of the configuration reader: the shape of a real one, without its patterns.
import { ConfigProblem, type DetectorDefinition } from '@portcullis/guardrails';
import { CONTENT_KINDS, commonParamsSchema } from '@portcullis/policy';
import { z } from 'zod';

const action = z.enum(['BLOCK', 'MASK']);
const PREBUILT = ['email', 'us_ssn', 'credit_card'];

const configSchema = commonParamsSchema
  .extend({
    patterns: z
      .array(
        z.discriminatedUnion('pattern_type', [
          z.strictObject({ pattern_type: z.literal('prebuilt'), pattern_name: z.string(), action }),
          z.strictObject({ pattern_type: z.literal('regex'), pattern: z.string(), name: z.string(), action }),
        ]),
      )
      .default([]),
    blocked_words: z.array(z.strictObject({ keyword: z.string(), action })).default([]),
    api_key: z.string().nullish(),
    api_base: z.url().nullish(),
  })
  .strict();
type Config = z.infer<typeof configSchema>;

const filter: DetectorDefinition<Config> = {
  ids: ['litellm_content_filter'],
  title: 'Content filter',
  configSchema,
  facts: (config) => ({
    hooks: ['pre_call', 'during_call', 'post_call'],
    masks: [...config.patterns, ...config.blocked_words].some((rule) => rule.action === 'MASK'),
  }),
  reads: () => new Set(CONTENT_KINDS),
  deterministic: 'segment',
  timeoutMs: 1000,
  create(config) {
    for (const [index, pattern] of config.patterns.entries()) {
      if (pattern.pattern_type === 'prebuilt' && !PREBUILT.includes(pattern.pattern_name)) {
        throw new ConfigProblem(
          ['patterns', index, 'pattern_name'],
          'there is no prebuilt pattern of this name',
        );
      }
    }
    return {
      inspect: () => ({ outcome: { outcome: 'clean' }, edits: [], detections: [], unread: [], trace: {} }),
    };
  },
};

export const testDetectors = [filter] as unknown as readonly DetectorDefinition[];
