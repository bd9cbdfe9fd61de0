import { z } from 'zod';
import { textListSchema, textSchema, unsupported } from './protection.ts';

/** Tags that an administrator describes. A tag need not be described to be used in selectors. */

const settableShape = {
  description: z.string().max(4_096, 'has at most 4096 characters').nullish(),
  models: textListSchema.nullish(),
  budget_id: unsupported(),
  max_budget: unsupported(),
  soft_budget: unsupported(),
  tpm_limit: unsupported(),
  rpm_limit: unsupported(),
  max_parallel_requests: unsupported(),
  budget_duration: unsupported(),
  model_max_budget: unsupported(),
};

/** Body of `POST /tag/new` and `/tag/update`. */
export const tagSchema = z.strictObject({ name: textSchema, ...settableShape });
export type Tag = z.infer<typeof tagSchema>;

/** Body of `POST /tag/info`. */
export const tagInfoSchema = z.strictObject({ names: z.array(textSchema).max(1_000) });
export type TagInfo = z.infer<typeof tagInfoSchema>;

/** Body of `POST /tag/delete`. */
export const namedTagSchema = z.strictObject({ name: textSchema });
export type NamedTag = z.infer<typeof namedTagSchema>;
