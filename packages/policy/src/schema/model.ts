import { z } from 'zod';
import { nameSchema } from './name.ts';

/** One deployment of a model group, as far as the engine needs it. `model` is `provider/name`, as routed to. */
export const modelDeploymentSchema = z.strictObject({
  model: z.string().min(1),
  guardrails: z.array(nameSchema).default([]),
});

/** A model group: what callers ask for. A name ending in `*` serves every name with that prefix (M8). */
export const modelGroupSchema = z.strictObject({
  model_name: z.string().min(1),
  deployments: z.array(modelDeploymentSchema).min(1),
});
export type ModelGroup = z.infer<typeof modelGroupSchema>;

/** The names one request's model is known by (M8). `group` is null when no group serves the requested name. */
export interface ModelNames {
  readonly requested: string;
  readonly group: string | null;
  /** `provider/model` of every deployment eligible in that group. */
  readonly deployments: readonly string[];
}
