import { z } from 'zod';
import { defineService } from '../service/define.ts';
import { documentsOf } from '../service/documents.ts';
import { actionOf, CLEAN, finding, flagged, together } from '../service/inspection.ts';
import { readJson } from '../service/line.ts';
import { azureShape, endpoint, LIMITS } from './shared.ts';

const CATEGORIES = ['Hate', 'SelfHarm', 'Sexual', 'Violence'] as const;
const category = z.enum(CATEGORIES);
const severity = z.coerce.number().int().min(0).max(7);

const configSchema = z.strictObject({
  ...azureShape,
  severity_threshold: severity.default(2).describe('Severity, from 0 to 7, from which a category counts'),
  severity_threshold_by_category: z
    .partialRecord(category, severity)
    .default({})
    .describe('The same by category'),
  categories: z
    .array(category)
    .min(1)
    .default([...CATEGORIES])
    .describe('Categories that are judged'),
  blocklistNames: z.array(z.string().min(1)).default([]).describe('Blocklists of the resource'),
  haltOnBlocklistHit: z.boolean().default(false).describe('A hit in a blocklist ends the judgement'),
  outputType: z
    .enum(['FourSeverityLevels', 'EightSeverityLevels'])
    .default('FourSeverityLevels')
    .describe('Four levels are 0, 2, 4 and 6; eight are 0 to 7'),
});
type Config = z.infer<typeof configSchema>;

const answerSchema = z.object({
  categoriesAnalysis: z.array(z.object({ category: z.string(), severity: z.number().nullish() })),
  blocklistsMatch: z.array(z.object({ blocklistName: z.string() })).nullish(),
});
type Answer = z.infer<typeof answerSchema>;

/** Azure AI Content Safety, text analysis: hate, self-harm, sexual content and violence by severity. */
export const azureTextModerations = defineService<Config>({
  ids: ['azure/text_moderations'],
  title: 'Azure Content Safety: text moderation',
  configSchema,
  timeoutMs: 10_000,
  masks: () => false,
  connect: (config, _ports, line) => {
    const at = endpoint(config, 'text:analyze');
    return async (subject, signal) => {
      const answers = await together(documentsOf(subject, LIMITS), signal, async ({ text }, stop) => {
        const body = JSON.stringify({
          text,
          categories: config.categories,
          blocklistNames: config.blocklistNames,
          haltOnBlocklistHit: config.haltOnBlocklistHit,
          outputType: config.outputType,
        });
        return readJson((await line.ask({ ...at, body }, stop)).body, answerSchema);
      });
      const detections = answers.flatMap((answer) => detectionsOf(config, answer));
      if (detections.length === 0) return CLEAN;
      const types = [...new Set(detections.map(({ type }) => type))];
      return flagged(config.on_violation, config.violation_message, detections, {
        provider_fields: { error: config.violation_message, violated_categories: types },
        guardrail_response: { violated_categories: types },
      });
    };
  },
});

const LEVELS = [
  [6, 'high'],
  [4, 'medium'],
  [0, 'low'],
] as const;

function detectionsOf(config: Config, { categoriesAnalysis, blocklistsMatch }: Answer) {
  const action = actionOf(config.on_violation);
  const found = categoriesAnalysis.flatMap(({ category: name, severity: level }) => {
    const own = CATEGORIES.find((one) => one === name);
    const threshold = (own && config.severity_threshold_by_category[own]) ?? config.severity_threshold;
    // A text without harm has severity 0, whatever the threshold.
    if (level == null || level === 0 || level < threshold) return [];
    const word = LEVELS.find(([from]) => level >= from)?.[1] ?? null;
    return [finding(name, action, { score: level, category: name, severity: word, method: 'model' })];
  });
  const lists = new Set((blocklistsMatch ?? []).map(({ blocklistName }) => blocklistName));
  return [...found, ...[...lists].map((list) => finding(`blocklist:${list}`, action, { method: 'keyword' }))];
}
