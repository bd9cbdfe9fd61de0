import type { ContentKind } from '@portcullis/policy';
import { z } from 'zod';
import type { Detection, Inspection, Subject } from '../../guardrail.ts';
import { defineService } from '../service/define.ts';
import { type Document, documentsOf, placesIn, TEXT_KINDS, TooMuch } from '../service/documents.ts';
import { actionOf, CLEAN, fault, finding, flagged, together } from '../service/inspection.ts';
import { readJson } from '../service/line.ts';
import { flaggingShape, secretValue, serviceUrl } from '../service/settings.ts';

const score = z.coerce.number().min(0).max(1);

const configSchema = z.strictObject({
  ...flaggingShape,
  api_key: secretValue('Key of the OpenAI platform'),
  api_base: serviceUrl('Where /moderations is').default('https://api.openai.com/v1'),
  model: z.string().min(1).default('omni-moderation-latest').describe('Moderation model'),
  categories: z
    .array(z.string().min(1))
    .min(1)
    .nullable()
    .default(null)
    .describe('Categories that count, such as violence or self-harm/intent; all when empty'),
  category_thresholds: z
    .record(z.string(), score)
    .default({})
    .describe("By category: the score from which it counts, instead of the model's own judgement"),
});
type Config = z.infer<typeof configSchema>;

const answerSchema = z.object({
  results: z
    .array(
      z.object({
        flagged: z.boolean(),
        categories: z.record(z.string(), z.boolean().nullable()),
        category_scores: z.record(z.string(), z.number().nullable()),
      }),
    )
    .min(1),
});
type Result = z.infer<typeof answerSchema>['results'][number];

/** Images that one run may ask about, each with a question of its own. */
const MAX_IMAGES = 16;
/** The models read 32,768 tokens; half as many characters fit in any script. */
const LIMITS = { maxChars: 16_000, overlap: 400 };

const READS: ReadonlySet<ContentKind> = new Set([...TEXT_KINDS, 'images']);

/** The moderation endpoint of OpenAI, and of what speaks like it. Images are judged by the omni models alone. */
export const openAiModeration = defineService<Config>({
  ids: ['openai_moderation'],
  title: 'OpenAI moderation',
  configSchema,
  timeoutMs: 10_000,
  reads: ({ model }) => (model.startsWith('omni-') ? READS : TEXT_KINDS),
  masks: () => false,
  connect: (config, _ports, line) => {
    const url = `${config.api_base.replace(/\/+$/u, '')}/moderations`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${config.api_key}` };
    return async (subject, signal) => {
      const inputs = inputsOf(subject);
      const found = await together(inputs, signal, async ({ input, count, places }, stop) => {
        const body = JSON.stringify({ model: config.model, input });
        const answer = await line.ask({ url, headers, body }, stop);
        const { results } = readJson(answer.body, answerSchema);
        if (results.length !== count) throw fault(`the service gave ${results.length} verdicts for ${count}`);
        return results.flatMap((result, index) => detectionsOf(config, result, places[index] ?? null));
      });
      const detections = found.flat();
      const unread = unreadImages(subject);
      if (detections.length === 0) return { ...CLEAN, unread };
      const kinds = [...new Set(detections.map(({ type }) => type))];
      const verdict = flagged(config.on_violation, config.violation_message, detections, {
        provider_fields: { error: config.violation_message, violated_categories: kinds },
        guardrail_response: { violated_categories: kinds },
        confidence_score: Math.max(...detections.map((one) => one.score ?? 0)),
      });
      return { ...verdict, unread };
    };
  },
});

interface Input {
  readonly input: unknown;
  /** Verdicts to expect. */
  readonly count: number;
  readonly places: readonly Detection['span'][];
}

/** One question for all texts, and one for each image. */
function inputsOf(subject: Subject): readonly Input[] {
  const documents = documentsOf(subject, LIMITS);
  const inputs: Input[] = [];
  if (documents.length > 0) {
    const places = documents.map(wholeOf);
    inputs.push({ input: documents.map(({ text }) => text), count: documents.length, places });
  }
  const images = subject.segments.flatMap(({ kind, text }, segment) =>
    kind === 'images' && isAddress(text) ? [{ segment, text }] : [],
  );
  if (images.length > MAX_IMAGES) throw new TooMuch();
  for (const { segment, text } of images) {
    inputs.push({
      input: [{ type: 'image_url', image_url: { url: text } }],
      count: 1,
      places: [{ segment, start: 0, end: text.length }],
    });
  }
  return inputs;
}

const isAddress = (text: string): boolean => /^(?:https?:\/\/|data:image\/)/iu.test(text);

/** Beside the image itself, its part of a message has small leaves such as `detail`. */
const SMALL_CHARS = 32;

/** Images in a form that cannot be put before the service (E9). */
function unreadImages(subject: Subject): Inspection['unread'] {
  return subject.segments.flatMap(({ kind, text }, segment) =>
    kind === 'images' && text.length > SMALL_CHARS && !isAddress(text)
      ? [{ segment, reason: 'an image that is neither an address nor a data URL' }]
      : [],
  );
}

/** The place of a document that holds one segment alone. */
function wholeOf(document: Document): Detection['span'] {
  const places = placesIn(document, 0, document.text.length);
  return places.length === 1 ? (places[0] ?? null) : null;
}

function detectionsOf(config: Config, result: Result, span: Detection['span']): readonly Detection[] {
  const names = new Set([...Object.keys(result.categories), ...Object.keys(result.category_scores)]);
  const found = [...names].flatMap((name) => {
    if (config.categories !== null && !config.categories.includes(name)) return [];
    const scored = result.category_scores[name] ?? 0;
    const threshold = config.category_thresholds[name];
    const counts = threshold === undefined ? result.categories[name] === true : scored >= threshold;
    return counts
      ? [
          finding(name, actionOf(config.on_violation), {
            span,
            score: scored,
            category: name,
            method: 'model',
          }),
        ]
      : [];
  });
  // A verdict without a category is one all the same, unless somebody chose what counts.
  const chosen = config.categories !== null || Object.keys(config.category_thresholds).length > 0;
  if (found.length > 0 || !result.flagged || chosen) return found;
  return [finding('flagged', actionOf(config.on_violation), { span, method: 'model' })];
}
