import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TemplateShown } from '@portcullis/contract';
import { canonicalJson, hookSchema } from '@portcullis/policy';
import { z } from 'zod';

/**
 * The templates of this version. They are part of the program, one file each under `data/`: nothing is fetched, so nobody
 * can change them on the way, and `/enrich` works on the very ones that `GET` shows (D-64). `version` rises with every
 * change of one of them.
 */
const FILES = [
  'baseline-pii',
  'gdpr-pii',
  'uk-pii',
  'au-pii',
  'sg-pdpa',
  'uae-pii',
  'health-data',
  'payment-data',
  'credentials',
  'output-secrets',
  'prompt-injection-words',
  'sql-injection-words',
  'competitor-mentions',
] as const;

export type PolicyTemplate = TemplateShown;
export type TemplateDefinition = PolicyTemplate['guardrailDefinitions'][number];

const textSchema = z.string().min(1);

/** One file: the guardrails of a template without what follows from the rest. */
const fileSchema = z.strictObject({
  id: textSchema,
  version: z.int().positive(),
  title: textSchema,
  description: textSchema,
  region: textSchema,
  type: textSchema,
  icon: textSchema,
  iconColor: textSchema,
  iconBg: textSchema,
  complexity: z.enum(['Low', 'Medium', 'High']),
  definitions: z
    .array(
      z.strictObject({
        name: textSchema,
        description: textSchema,
        mode: z.array(hookSchema).min(1),
        params: z.record(z.string(), z.json()),
      }),
    )
    .min(1),
  /** Each of them is masked or blocked by the template. */
  example_sentences: z.array(textSchema).min(1),
  llm_enrichment: z.strictObject({ parameter: textSchema, prompt: textSchema }).optional(),
});

let loaded: readonly PolicyTemplate[] | null = null;

/** All templates; the files are read when somebody first asks for them. */
export function templates(): readonly PolicyTemplate[] {
  loaded ??= Object.freeze(FILES.map(read));
  return loaded;
}

/** The template of this id, or null. */
export function templateOf(id: string): PolicyTemplate | null {
  return templates().find((one) => one.id === id) ?? null;
}

function read(id: (typeof FILES)[number]): PolicyTemplate {
  const text = readFileSync(new URL(`data/${id}.json`, import.meta.url), 'utf8');
  const { definitions, ...head } = fileSchema.parse(JSON.parse(text));
  if (head.id !== id) throw new Error(`data/${id}.json calls itself ${head.id}`);
  const guardrails = definitions.map(({ name }) => name);
  const { llm_enrichment: enrichment, ...shown } = head;
  const whole = {
    ...shown,
    ...(enrichment === undefined ? {} : { llm_enrichment: enrichment }),
    guardrails,
    guardrailDefinitions: definitions.map(({ name, description, mode, params }) => ({
      guardrail_name: name,
      litellm_params: { guardrail: 'litellm_content_filter', mode, ...params },
      guardrail_info: { description },
      policy_template: `${head.id}@${head.version}`,
    })),
    templateData: {
      policy_name: head.id,
      description: head.description,
      guardrails_add: guardrails,
      guardrails_remove: [],
    },
  };
  return deepFreeze({ ...whole, digest: createHash('sha256').update(canonicalJson(whole)).digest('hex') });
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member as object);
  }
  return Object.freeze(value);
}
