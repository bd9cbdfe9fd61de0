import { z } from 'zod';
import * as wire from '../models.ts';
import { freeAnswer, momentAnswer, type RouteContract } from './route.ts';

const shownSchema = z.object({
  model_name: z.string(),
  /** Secrets are masked; others than administrators see the provider alone. */
  litellm_params: freeAnswer,
  /** `id`, and `db_model`: whether it was made with the API or stands in the configuration file. */
  model_info: freeAnswer,
});

const storedSchema = shownSchema.extend({
  model_id: z.string(),
  created_at: momentAnswer,
  created_by: z.string().nullable(),
  updated_at: momentAnswer,
  updated_by: z.string().nullable(),
  /** Settings that have no effect here. */
  ignored_settings: z.array(z.string()).optional(),
  warnings: z.array(z.unknown()).optional(),
});

const listSchema = z.object({ data: z.array(shownSchema) });

/** Models of the database, merged with those of the configuration file. */
export const modelRoutes = {
  'GET /model/info': { query: wire.modelInfoQuerySchema, answer: listSchema },
  'GET /v1/model/info': { query: wire.modelInfoQuerySchema, answer: listSchema },
  'POST /model/new': { body: wire.newModelSchema, answer: storedSchema },
  'POST /model/update': { body: wire.updateModelSchema, answer: storedSchema },
  'POST /model/delete': {
    body: wire.deleteModelSchema,
    answer: z.object({ message: z.string(), warnings: z.array(z.unknown()).optional() }),
  },
} as const satisfies Record<string, RouteContract>;
