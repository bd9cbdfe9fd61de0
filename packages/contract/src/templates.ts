import { nameSchema } from '@portcullis/policy';
import { z } from 'zod';
import { attachmentFieldsSchema } from './policies.ts';
import { textSchema } from './protection.ts';

/** The wire of policy templates. */

const EXAMPLES_LIMIT = 20;
const TERMS_LIMIT = 100;
const EXAMPLE_CHARACTERS = 2_000;
const TEXT_CHARACTERS = 100_000;
const DEFINITIONS_LIMIT = 20;

const shortText = z.string().max(EXAMPLE_CHARACTERS, `has at most ${EXAMPLE_CHARACTERS} characters`);

/** Body of `POST /policy/templates/test`. What is wrong with a definition is part of the answer. */
export const testTemplateSchema = z.strictObject({
  guardrail_definitions: z
    .array(z.record(z.string(), z.unknown()))
    .min(1, 'send at least one definition')
    .max(DEFINITIONS_LIMIT, `has at most ${DEFINITIONS_LIMIT} definitions`),
  text: z.string().max(TEXT_CHARACTERS, `has at most ${TEXT_CHARACTERS} characters`),
});
export type TestTemplate = z.infer<typeof testTemplateSchema>;

/** Body of `POST /policy/templates/suggest`. */
export const suggestTemplatesSchema = z
  .strictObject({
    attack_examples: z
      .array(shortText)
      .max(EXAMPLES_LIMIT, `has at most ${EXAMPLES_LIMIT} examples`)
      .default([]),
    description: shortText.default(''),
    model: textSchema.nullish(),
  })
  .refine(
    ({ attack_examples, description }) => attack_examples.length > 0 || description.trim() !== '',
    'describe what to protect against, or give an example',
  );
export type SuggestTemplates = z.infer<typeof suggestTemplatesSchema>;

/** Body of `POST /policy/templates/enrich`. The limit of `competitors` has words of its own, so the handler checks it. */
export const enrichTemplateSchema = z.strictObject({
  template_id: textSchema,
  parameters: z.record(z.string(), shortText).default({}),
  model: textSchema.nullish(),
  competitors: z.array(textSchema).nullish(),
  instruction: shortText.nullish(),
});
export type EnrichTemplate = z.infer<typeof enrichTemplateSchema>;

/** Most terms that a template is enriched with. */
export const ENRICH_LIMIT = TERMS_LIMIT;

/**
 * Body of `POST /policy/templates/apply`: makes the guardrails and the policy of a template, and an attachment when one is
 * given, all of them or nothing.
 */
export const applyTemplateSchema = z.strictObject({
  template_id: textSchema,
  /** The template's own name when it is not given. */
  policy_name: nameSchema.nullish(),
  description: shortText.nullish(),
  inherit: nameSchema.nullish(),
  /** A draft cannot be attached. */
  version_status: z.enum(['draft', 'production']).nullish(),
  /** The definitions as a person has edited or confirmed them; those of the template when they are not given. */
  guardrail_definitions: z
    .array(
      z.looseObject({
        guardrail_name: nameSchema,
        litellm_params: z.record(z.string(), z.unknown()),
        guardrail_info: z.record(z.string(), z.json()).nullish(),
      }),
    )
    .min(1, 'a template without guardrails is none')
    .max(DEFINITIONS_LIMIT, `has at most ${DEFINITIONS_LIMIT} definitions`)
    .nullish(),
  attachment: attachmentFieldsSchema.nullish(),
  /** Checks everything and makes nothing. */
  dry_run: z.boolean().nullish(),
});
export type ApplyTemplate = z.infer<typeof applyTemplateSchema>;

const definitionSchema = z.object({
  guardrail_name: z.string(),
  litellm_params: z.record(z.string(), z.unknown()),
  guardrail_info: z.record(z.string(), z.unknown()),
  /** What a guardrail made of it is said to come from: `<template>@<version>` (D-98). */
  policy_template: z.string(),
});

/** A template as `GET /policy/templates` shows it (api 5.24). */
export const templateShownSchema = z.object({
  id: z.string(),
  version: z.int(),
  title: z.string(),
  description: z.string(),
  region: z.string(),
  type: z.string(),
  icon: z.string(),
  iconColor: z.string(),
  iconBg: z.string(),
  complexity: z.enum(['Low', 'Medium', 'High']),
  guardrails: z.array(z.string()),
  guardrailDefinitions: z.array(definitionSchema),
  templateData: z.object({
    policy_name: z.string(),
    description: z.string(),
    guardrails_add: z.array(z.string()),
    guardrails_remove: z.array(z.string()),
  }),
  /** Each of them is masked or blocked by the template. */
  example_sentences: z.array(z.string()),
  llm_enrichment: z.object({ parameter: z.string(), prompt: z.string() }).optional(),
  /** SHA-256 of everything else, as canonical JSON. */
  digest: z.string(),
});
export type TemplateShown = z.infer<typeof templateShownSchema>;

/** Answer of `POST /policy/templates/enrich`. The words wait for a person when a model has proposed some (D-65). */
export const enrichedTemplateSchema = z.object({
  guardrailDefinitions: z.array(definitionSchema),
  competitors: z.array(z.string()),
  competitor_variations: z.record(z.string(), z.array(z.string())),
  proposed_by_model: z.array(z.string()),
  needs_confirmation: z.boolean(),
});
export type EnrichedTemplate = z.infer<typeof enrichedTemplateSchema>;

/** One event of `POST /policy/templates/enrich/stream`, as the data of a server-sent event (api 5.26). */
export const enrichEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('competitor'), name: z.string() }),
  z.object({ type: z.literal('status'), message: z.string() }),
  z.object({ type: z.literal('error'), message: z.string(), code: z.string() }),
  z.object({ type: z.literal('done'), ...enrichedTemplateSchema.shape }),
]);
export type EnrichEvent = z.infer<typeof enrichEventSchema>;
