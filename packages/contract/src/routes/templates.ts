import { z } from 'zod';
import * as wire from '../templates.ts';
import { writtenAttachmentSchema } from './attachments.ts';
import { guardrailRowSchema } from './guardrails.ts';
import { writtenPolicySchema } from './policies.ts';
import { namesAnswer, type RouteContract, warningsAnswer } from './route.ts';

const triedSchema = z.enum(['passed', 'unsupported', 'error', 'masked', 'blocked']);

/** Templates of policies (api 5.24 to 5.28). */
export const templateRoutes = {
  'GET /policy/templates': { answer: z.array(wire.templateShownSchema) },
  'POST /policy/templates/test': {
    body: wire.testTemplateSchema,
    answer: z.object({
      overall_action: triedSchema,
      results: z.array(
        z.object({
          guardrail_name: z.string(),
          action: triedSchema,
          output_text: z.string(),
          details: z.string(),
        }),
      ),
    }),
  },
  'POST /policy/templates/suggest': {
    body: wire.suggestTemplatesSchema,
    answer: z.object({
      selected_templates: z.array(z.object({ template_id: z.string(), reason: z.string() })),
      explanation: z.string(),
    }),
  },
  'POST /policy/templates/enrich': {
    body: wire.enrichTemplateSchema,
    answer: wire.enrichedTemplateSchema,
  },
  'POST /policy/templates/enrich/stream': {
    body: wire.enrichTemplateSchema,
    answer: wire.enrichEventSchema,
    isEventStream: true,
  },
  'POST /policy/templates/apply': {
    body: wire.applyTemplateSchema,
    answer: z.object({
      template: z.string(),
      dry_run: z.boolean(),
      guardrails: z.array(guardrailRowSchema),
      policy: writtenPolicySchema,
      attachment: writtenAttachmentSchema.nullable(),
      /** What an undo has to delete, in this order. */
      made: z.object({ attachments: namesAnswer, policies: namesAnswer, guardrails: namesAnswer }),
      warnings: warningsAnswer,
    }),
  },
} as const satisfies Record<string, RouteContract>;
