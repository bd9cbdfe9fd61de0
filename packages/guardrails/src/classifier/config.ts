import { commonParamsSchema } from '@portcullis/policy';
import { z } from 'zod';
import { FALSE_POSITIVE_RATES, LABELS } from './labels.ts';

const labelSchema = z.enum(LABELS);

/** `litellm_params` of the local model. Unknown keys are errors. */
export const classifierSchema = z.strictObject({
  ...commonParamsSchema.shape,
  labels: z
    .array(labelSchema)
    .min(1)
    .nullable()
    .default(null)
    .describe('What to look for; everything the model knows when empty'),
  false_positive_rate: z
    .literal(FALSE_POSITIVE_RATES)
    .default(0.001)
    .describe('Share of ordinary texts that may be flagged; sets the threshold of each label'),
  thresholds: z
    .partialRecord(labelSchema, z.number().min(0).max(1))
    .default({})
    .describe('Scores from 0 to 1 from which on a label counts, in place of those of the rate'),
  action: z
    .preprocess(
      (value) => (typeof value === 'string' ? value.toUpperCase() : value),
      z.enum(['BLOCK', 'LOG']),
    )
    .default('BLOCK')
    .describe('What happens when a label counts. A model judges whole texts, so there is nothing to mask'),
});
export type ClassifierConfig = z.infer<typeof classifierSchema>;
