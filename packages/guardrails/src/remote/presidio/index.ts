import { commonParamsSchema, type Edit, type Hook, HOOKS } from '@portcullis/policy';
import { z } from 'zod';
import type { WordsFolder } from '../../content-filter/folder-file.ts';
import type { Detection, DetectorDefinition, Inspection, Subject } from '../../guardrail.ts';
import { restoreParams } from '../../restore/params.ts';
import { defineService } from '../service/define.ts';
import { CodePoints, type Document, documentsOf, placesIn, withoutOverlaps } from '../service/documents.ts';
import { CLEAN, finding, flagged, together } from '../service/inspection.ts';
import { type Line, readJson } from '../service/line.ts';
import { headerName, headerValue, lineShape, optional, serviceUrl } from '../service/settings.ts';
import { type Found, replacementsOf } from './anonymize.ts';
import { recognizersOf, recognizersSchema } from './recognizers.ts';

const entity = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/u, 'this is no entity such as EMAIL_ADDRESS');
const score = z.coerce.number().min(0).max(1);
const language = z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z]{2,8})?$/u, 'this is no language such as en');

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  ...lineShape(1),
  ...restoreParams,
  presidio_analyzer_api_base: serviceUrl('Where the analyzer answers /analyze'),
  presidio_anonymizer_api_base: optional(
    serviceUrl('Where the anonymizer answers /anonymize; without it what is found becomes <ENTITY>'),
  ),
  presidio_language: language.default('en').describe('Language of the texts'),
  presidio_filter_scope: z
    .enum(['input', 'output', 'both'])
    .default('both')
    .describe('Whether requests, answers or both are looked at'),
  pii_entities_config: z
    .record(entity, z.preprocess(upperCased, z.enum(['MASK', 'BLOCK'])))
    .default({})
    .describe('By entity: MASK or BLOCK; every entity is masked when empty'),
  presidio_score_thresholds: z
    .record(entity, score)
    .default({})
    .describe('By entity, or for ALL: the score from which a finding counts'),
  presidio_entities_deny_list: z.array(entity).default([]).describe('Entities that are ignored'),
  presidio_ad_hoc_recognizers: recognizersSchema
    .nullish()
    .describe('Recognizers sent with every question: a list, or a JSON file beside the configuration'),
  mask_pii_fail_closed: z
    .literal(true)
    .nullish()
    .describe('Always so here; what happens without a verdict is said by on_error'),
  headers: z.record(headerName, headerValue).default({}).meta({
    description: 'Sent with every request, such as those of a proxy before the services',
    secret: true,
  }),
});
type Config = z.infer<typeof configSchema>;

function upperCased(value: unknown): unknown {
  return typeof value === 'string' ? value.toUpperCase() : value;
}

const analysisSchema = z.array(
  z.object({ entity_type: z.string(), start: z.int(), end: z.int(), score: z.number() }),
);

const LIMITS = { maxChars: 20_000, overlap: 200 };
const HOOKS_OF: Readonly<Record<Config['presidio_filter_scope'], readonly Hook[]>> = {
  both: HOOKS,
  input: HOOKS.filter((hook) => hook !== 'post_call'),
  output: ['post_call', 'logging_only'],
};

/**
 * Microsoft Presidio by its two services: the analyzer finds personal data, the anonymizer replaces it.
 *
 * @param folder where a file of recognizers is read from; null refuses the name of a file
 */
export function presidioWith(folder: WordsFolder | null): DetectorDefinition<Config> {
  return defineService<Config>({
    ids: ['presidio'],
    title: 'Presidio',
    configSchema,
    timeoutMs: 10_000,
    hooks: (config) => HOOKS_OF[config.presidio_filter_scope],
    masks: ({ pii_entities_config: entities }) => {
      const actions = Object.values(entities);
      return actions.length === 0 || actions.includes('MASK');
    },
    connect(config, _ports, line, name) {
      const analyzer = new Analyzer(config, line, recognizersOf(config.presidio_ad_hoc_recognizers, folder));
      return async (subject, signal) => {
        const documents = documentsOf(subject, LIMITS);
        const found = await together(documents, signal, async (document, stop) => ({
          document,
          list: await analyzer.analyze(document.text, subject, stop),
        }));
        const blocked = found.flatMap(({ list }) => list).find((one) => analyzer.blocks(one, subject));
        if (blocked !== undefined) return refusal(found, blocked, analyzer, subject, name);
        const replaced = await together(found, signal, async ({ document, list }, stop) => ({
          document,
          list: list.length === 0 ? [] : await analyzer.replace(document.text, list, stop),
        }));
        return maskedBy(replaced, config.output_parse_pii);
      };
    },
  });
}

class Analyzer {
  readonly #config: Config;
  readonly #line: Line;
  readonly #recognizers: readonly unknown[];
  readonly #headers: Readonly<Record<string, string>>;

  constructor(config: Config, line: Line, recognizers: readonly unknown[]) {
    this.#config = config;
    this.#line = line;
    this.#recognizers = recognizers;
    this.#headers = { ...config.headers, 'content-type': 'application/json' };
  }

  async analyze(text: string, subject: Subject, signal: AbortSignal): Promise<readonly Found[]> {
    const config = this.#config;
    const asked = language.safeParse(subject.params?.['language']);
    const entities = Object.keys(config.pii_entities_config);
    const body = JSON.stringify({
      text,
      language: asked.success ? asked.data : config.presidio_language,
      ...(entities.length === 0 ? {} : { entities }),
      ...(this.#recognizers.length === 0 ? {} : { ad_hoc_recognizers: this.#recognizers }),
    });
    const url = `${config.presidio_analyzer_api_base.replace(/\/+$/u, '')}/analyze`;
    const answer = await this.#line.ask({ url, headers: this.#headers, body }, signal);
    const points = new CodePoints(text);
    return readJson(answer.body, analysisSchema)
      .filter((one) => this.#counts(one))
      .map((one) => ({
        entity: one.entity_type,
        score: one.score,
        start: points.utf16(one.start),
        end: points.utf16(one.end),
      }));
  }

  #counts({
    entity_type: type,
    score: given,
  }: {
    readonly entity_type: string;
    readonly score: number;
  }): boolean {
    const { presidio_score_thresholds: thresholds, presidio_entities_deny_list: ignored } = this.#config;
    return !ignored.includes(type) && given >= (thresholds[type] ?? thresholds['ALL'] ?? 0);
  }

  /** In during_call nothing can be masked (P7), so that what would be is a reason to block. */
  blocks({ entity: type }: Found, { hook }: Subject): boolean {
    return this.#config.pii_entities_config[type] === 'BLOCK' || hook === 'during_call';
  }

  replace(text: string, list: readonly Found[], signal: AbortSignal) {
    const base = this.#config.presidio_anonymizer_api_base;
    const url = base == null ? null : `${base.replace(/\/+$/u, '')}/anonymize`;
    return replacementsOf(text, list, async (question) => {
      if (url === null) return null;
      const body = JSON.stringify(question);
      return (await this.#line.ask({ url, headers: this.#headers, body }, signal)).body;
    });
  }
}

interface InDocument<T> {
  readonly document: Document;
  readonly list: readonly T[];
}

function refusal(
  found: readonly InDocument<Found>[],
  blocked: Found,
  analyzer: Analyzer,
  subject: Subject,
  name: string,
): Inspection {
  const detections = found.flatMap(({ document, list }) =>
    list.flatMap((one) => {
      const action = analyzer.blocks(one, subject) ? 'BLOCK' : 'LOG';
      return placesIn(document, one.start, one.end).map((span) =>
        detectionOf(one.entity, action, span, one.score),
      );
    }),
  );
  const message = `Blocked PII entity detected: ${blocked.entity} by Guardrail: ${name}.`;
  return flagged('block', message, detections, {
    provider_fields: { error: message, entity_type: blocked.entity },
  });
}

function maskedBy(
  replaced: readonly InDocument<Found & { readonly text: string }>[],
  restores: boolean,
): Inspection {
  const edits: Edit[] = [];
  const detections: Detection[] = [];
  for (const { document, list } of replaced) {
    for (const one of list) {
      for (const span of placesIn(document, one.start, one.end)) {
        const edit = { ...span, replacement: one.text };
        edits.push(restores ? { ...edit, restore: { type: one.entity } } : edit);
        detections.push(detectionOf(one.entity, 'MASK', span, one.score));
      }
    }
  }
  if (edits.length === 0) return CLEAN;
  return { ...CLEAN, outcome: { outcome: 'masked' }, edits: withoutOverlaps(edits), detections };
}

const detectionOf = (
  type: string,
  action: Detection['action'],
  span: NonNullable<Detection['span']>,
  given: number | null,
): Detection => finding(type, action, { span, score: given, category: 'pii' });
