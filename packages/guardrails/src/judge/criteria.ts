import { z } from 'zod';
import { CLEAN, finding, flagged } from '../remote/service/inspection.ts';
import { defineJudge, judgeShape } from './define.ts';

const percent = z.coerce.number().min(0).max(100);

const configSchema = z.strictObject({
  ...judgeShape,
  criteria: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[\w -]{1,64}$/u, 'has letters, digits, spaces, _ and - only'),
        weight: z.coerce.number().positive().max(1_000).default(1).describe('Share of the overall score'),
        description: z.string().min(1).max(2_000).describe('What the score says of the content'),
      }),
    )
    .min(1)
    .max(20)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names must differ')
    .describe('What the content is scored for, from 0 (fails) to 100 (fulfils)'),
  overall_threshold: percent.default(80).describe('The weighted score below which content fails'),
  on_failure: z
    .enum(['block', 'respond', 'log'])
    .default('block')
    .describe('block refuses, respond answers with the message instead, log only records'),
});
type Config = z.infer<typeof configSchema>;

type Verdict = Readonly<Record<string, { readonly score: number }>>;

/** A model of the gateway scores content by criteria. The threshold decides, and not what the model thinks of it. */
export const criteriaJudge = defineJudge<Config, Verdict>({
  ids: ['llm_as_a_judge'],
  title: 'Judgement by a model (LLM as a judge)',
  configSchema,
  task: ({ criteria }) =>
    [
      'You are a strict and fair judge of texts. Score the content for each of these criteria from 0, which means that it',
      'fails it entirely, to 100, which means that it fulfils it entirely:',
      ...criteria.map(({ name, description }) => `- ${name}: ${description}`),
    ].join('\n'),
  // No place for reasons: what a model writes about content may quote it.
  verdictSchema: ({ criteria }) =>
    z.strictObject(
      Object.fromEntries(
        criteria.map(({ name }) => [name, z.strictObject({ score: z.number().min(0).max(100) })]),
      ),
    ),
  read(config, verdict) {
    const total = config.criteria.reduce((sum, { weight }) => sum + weight, 0);
    const scores = config.criteria.map(({ name, weight }) => ({
      name,
      weight,
      score: verdict[name]?.score ?? 0,
    }));
    const overall = scores.reduce((sum, { weight, score }) => sum + (weight * score) / total, 0);
    const response = {
      overall_score: Math.round(overall * 10) / 10,
      threshold: config.overall_threshold,
      scores: Object.fromEntries(scores.map(({ name, score }) => [name, score])),
    };
    const trace = { guardrail_response: response, confidence_score: Math.min(Math.max(overall / 100, 0), 1) };
    if (overall >= config.overall_threshold) return { ...CLEAN, trace };
    const setting = config.on_failure === 'log' ? 'monitor' : config.on_failure;
    const action = setting === 'monitor' ? 'LOG' : 'BLOCK';
    // Named are the criteria below the threshold; there is one, or the overall score would not be.
    const detections = scores
      .filter(({ score }) => score < config.overall_threshold)
      .map(({ name, score }) =>
        finding(name, action, { score: score / 100, category: 'judge', method: 'model' }),
      );
    return flagged(setting, config.violation_message, detections, {
      ...trace,
      provider_fields: { error: config.violation_message, eval_information: response },
    });
  },
});
