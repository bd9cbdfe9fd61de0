import { commonParamsSchema, type CommonParams, HOOKS } from '@portcullis/policy';
import { z } from 'zod';
import {
  ConfigProblem,
  type Detector,
  type DetectorDefinition,
  HttpFailure,
  type Inspection,
  type Subject,
} from '../guardrail.ts';
import { TEXT_KINDS } from '../remote/service/documents.ts';
import { CLEAN, fault, tooComplex } from '../remote/service/inspection.ts';
import { Slots } from '../remote/service/slots.ts';
import { contentOf, DATA_ONLY } from './prompt.ts';

/** Settings of every guardrail that asks a model. */
export const judgeShape = {
  ...commonParamsSchema.shape,
  judge_model: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Model of this gateway that judges; the first configured one when empty'),
  temperature: z.coerce.number().min(0).max(2).default(0).describe('How much the judgement may vary'),
  max_characters: z.coerce
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .default(100_000)
    .describe('Longer content is too complex to be judged'),
  max_parallel_requests: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(16)
    .describe('Questions to the model at one time; further ones wait, at most eight times as many'),
  violation_message: z
    .string()
    .min(1)
    .max(2_000)
    .default('Violated guardrail policy')
    .describe('What the caller is told of a violation'),
};

interface JudgeConfig extends CommonParams {
  readonly judge_model: string | null;
  readonly temperature: number;
  readonly max_characters: number;
  readonly max_parallel_requests: number;
}

/** What one kind of judge asks, and how it reads the answer. */
export interface Judge<Config extends JudgeConfig, Verdict> {
  readonly ids: readonly [string, ...string[]];
  readonly title: string;
  readonly configSchema: z.ZodType<Config>;
  /** The task, as the system message says it. */
  task(config: Config): string;
  /** The only form of an answer; it is also the JSON schema that the model is given. */
  verdictSchema(config: Config): z.ZodType<Verdict>;
  /** What is wrong with a configuration that its schema cannot see; null when nothing is. */
  check?(config: Config): { readonly path: readonly string[]; readonly message: string } | null;
  read(config: Config, verdict: Verdict): Inspection;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const TOOL = 'give_verdict';

/** Makes a guardrail that asks one of the gateway's own models. */
export function defineJudge<Config extends JudgeConfig, Verdict>(
  judge: Judge<Config, Verdict>,
): DetectorDefinition<Config> {
  return {
    ids: judge.ids,
    title: judge.title,
    configSchema: judge.configSchema,
    facts: () => ({ hooks: HOOKS, masks: false }),
    reads: () => TEXT_KINDS,
    deterministic: false,
    remote: true,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    create(config, { models }): Detector {
      const problem = judge.check?.(config) ?? null;
      if (problem !== null) throw new ConfigProblem(problem.path, problem.message);
      const slots = new Slots(config.max_parallel_requests);
      const schema = judge.verdictSchema(config);
      const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' });
      const tool = { name: TOOL, description: 'Gives the verdict on the content.', parameters };
      const system = `${judge.task(config)}\n\n${DATA_ONLY}`;
      const timeoutMs = config.timeout === null ? DEFAULT_TIMEOUT_MS : config.timeout * 1_000;

      return {
        async inspect(subject: Subject, signal: AbortSignal): Promise<Inspection> {
          const content = contentOf(subject, config.max_characters);
          if (content === 'empty') return CLEAN;
          if (content === 'too_long') {
            return tooComplex(
              `the content is longer than the ${config.max_characters} characters that are judged`,
            );
          }
          if (models === undefined) throw fault('no model can be asked here');
          if (!(await slots.take(signal)))
            throw new HttpFailure('unreachable', 'too many questions wait already');
          try {
            const answer = await models.ask({
              model: config.judge_model,
              system,
              user: content.text,
              temperature: config.temperature,
              tool,
              accounts: subject.request.accounts ?? [],
              timeoutMs,
              signal,
            });
            const verdict = schema.safeParse(answer.value);
            if (!verdict.success) throw fault('the model gave no verdict in the form that was asked for');
            const inspection = judge.read(config, verdict.data);
            const { model, usage, costNano } = answer;
            const given = inspection.trace.guardrail_response;
            return {
              ...inspection,
              trace: {
                ...inspection.trace,
                guardrail_response: {
                  ...(typeof given === 'object' ? given : {}),
                  judge_model: model,
                  usage,
                  cost: costNano / 1e9,
                },
              },
            };
          } finally {
            slots.release();
          }
        },
      };
    },
  };
}
