import { z } from 'zod';
import { textSchema } from './protection.ts';

/** `litellm_params` as they are written: their meaning is checked as in the configuration file. */
const paramsSchema = z.record(z.string(), z.unknown());
const infoSchema = z.looseObject({ id: textSchema.nullish() });

/** Body of `POST /model/new`: one deployment; those with one `model_name` form a group. */
export const newModelSchema = z.strictObject({
  model_name: textSchema,
  litellm_params: paramsSchema,
  model_info: infoSchema.nullish(),
});
export type NewModel = z.infer<typeof newModelSchema>;

/**
 * Body of `POST /model/update`: `model_id`, or `model_info.id` as in the reference, says which. Only given fields change; of
 * `litellm_params` only given settings, where `null` takes one away and a masked secret stays what it is.
 */
export const updateModelSchema = z
  .strictObject({
    model_id: textSchema.optional(),
    model_name: textSchema.nullish(),
    litellm_params: paramsSchema.nullish(),
    model_info: infoSchema.nullish(),
  })
  .refine((body) => body.model_id !== undefined || typeof body.model_info?.id === 'string', {
    path: ['model_id'],
    message: 'give model_id, or model_info.id',
  });
export type UpdateModel = z.infer<typeof updateModelSchema>;

/** Body of `POST /model/delete`. */
export const deleteModelSchema = z.strictObject({ id: textSchema });
export type DeleteModel = z.infer<typeof deleteModelSchema>;

/** Query of `GET /model/info`. */
export const modelInfoQuerySchema = z.strictObject({ litellm_model_id: textSchema.optional() });
export type ModelInfoQuery = z.infer<typeof modelInfoQuerySchema>;
