import { z } from 'zod';
import { durationMs } from './durations.ts';
import { textSchema } from './protection.ts';

/** Limits and budgets as keys, teams and users have them. `null` takes one away. */

const MODELS = 1_000;

const count = z.int('is a whole number').min(0).max(1_000_000_000_000);
const dollars = z.number('is a number of dollars').min(0).max(1_000_000_000_000);
const perModel = z
  .record(textSchema, count)
  .refine((limits) => Object.keys(limits).length <= MODELS, `has at most ${MODELS} models`);

const LONGEST_MS = 3_650 * 86_400_000;

export const durationSchema = z.string().refine((text) => {
  const ms = durationMs(text);
  return ms !== null && ms <= LONGEST_MS;
}, 'is a number and a unit (30s, 30m, 30h, 30d, 4w), at most 3650d');

export const limitsShape = {
  rpm_limit: count.nullish(),
  tpm_limit: count.nullish(),
  max_parallel_requests: count.nullish(),
  max_budget: dollars.nullish(),
  soft_budget: dollars.nullish(),
  budget_duration: durationSchema.nullish(),
};

/** Keys only. */
export const modelLimitsShape = {
  model_rpm_limit: perModel.nullish(),
  model_tpm_limit: perModel.nullish(),
};

/** `/key/update` only: a budget that is higher for a while. */
export const temporaryBudgetShape = {
  temp_budget_increase: dollars.nullish(),
  temp_budget_expiry: z.iso
    .datetime({ offset: true, error: 'is a moment with its offset, such as 2026-01-31T12:00:00Z' })
    .nullish(),
};

/** What of a body is about limits. */
export type LimitsRequest = z.infer<z.ZodObject<typeof limitsShape>>;
export type KeyLimitsRequest = LimitsRequest &
  z.infer<z.ZodObject<typeof modelLimitsShape & typeof temporaryBudgetShape>>;
