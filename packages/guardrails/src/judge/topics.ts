import { z } from 'zod';
import { CLEAN, finding, flagged } from '../remote/service/inspection.ts';
import { defineJudge, judgeShape } from './define.ts';

const topic = z.strictObject({
  name: z.string().regex(/^[\w -]{1,64}$/u, 'has letters, digits, spaces, _ and - only'),
  description: z.string().min(1).max(2_000).describe('What belongs to it'),
});

const configSchema = z.strictObject({
  ...judgeShape,
  allowed_topics: z
    .array(topic)
    .max(50)
    .default([])
    .describe('Content about nothing else passes; empty for any'),
  denied_topics: z.array(topic).max(50).default([]).describe('Content about any of these does not pass'),
  confidence_threshold: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('How sure the model has to be that content is about a topic'),
  on_failure: z
    .enum(['block', 'respond', 'log'])
    .default('block')
    .describe('block refuses, respond answers with the message instead, log only records'),
});
type Config = z.infer<typeof configSchema>;

/** Content that is about none of the allowed topics. */
const OTHER = 'off_topic';

interface Verdict {
  readonly topics: Readonly<Record<string, number>>;
}

/** A model of the gateway says which of the named topics content is about. */
export const topicJudge = defineJudge<Config, Verdict>({
  ids: ['topical_judge'],
  title: 'Topics by a model',
  configSchema,
  task: ({ allowed_topics: allowed, denied_topics: denied }) =>
    [
      'You sort texts by topic. For each of these topics, say from 0 (certainly not) to 1 (certainly) whether the content',
      'asks for it, answers it or is about it. Small talk and courtesies count for a topic only when they are part of it:',
      ...[...allowed, ...denied].map(({ name, description }) => `- ${name}: ${description}`),
    ].join('\n'),
  verdictSchema: ({ allowed_topics: allowed, denied_topics: denied }) =>
    z.strictObject({
      topics: z.strictObject(
        Object.fromEntries([...allowed, ...denied].map(({ name }) => [name, z.number().min(0).max(1)])),
      ),
    }),
  check(config) {
    const names = [...config.allowed_topics, ...config.denied_topics].map(({ name }) => name);
    if (names.length === 0) return { path: ['denied_topics'], message: 'name a topic to allow or to deny' };
    if (new Set(names).size === names.length) return null;
    return { path: ['denied_topics'], message: 'the names of all topics must differ' };
  },
  read(config, { topics }) {
    const sure = ({ name }: { readonly name: string }) => (topics[name] ?? 0) >= config.confidence_threshold;
    const setting = config.on_failure === 'log' ? 'monitor' : config.on_failure;
    const action = setting === 'monitor' ? 'LOG' : 'BLOCK';
    const found = config.denied_topics
      .filter(sure)
      .map(({ name }) =>
        finding(name, action, { score: topics[name] ?? null, category: 'topic', method: 'model' }),
      );
    const isOff = config.allowed_topics.length > 0 && !config.allowed_topics.some(sure);
    const detections = isOff
      ? [...found, finding(OTHER, action, { category: 'topic', method: 'model' })]
      : found;
    const trace = { guardrail_response: { topics } };
    if (detections.length === 0) return { ...CLEAN, trace };
    return flagged(setting, config.violation_message, detections, {
      ...trace,
      provider_fields: { error: config.violation_message, topics: detections.map(({ type }) => type) },
    });
  },
});
