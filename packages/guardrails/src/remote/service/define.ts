import { type CommonParams, type ContentKind, type Hook, HOOKS } from '@portcullis/policy';
import type { z } from 'zod';
import type { Detector, DetectorDefinition, Inspection, Ports, Subject } from '../../guardrail.ts';
import { TEXT_KINDS } from './documents.ts';
import { orTooComplex } from './inspection.ts';
import { Line } from './line.ts';

interface ServiceConfig extends CommonParams {
  readonly num_retries: number;
  readonly max_parallel_requests: number;
}

/** What a guardrail that asks a service has to say about it; everything else is the same for all. */
export interface Service<Config extends ServiceConfig> {
  readonly ids: readonly [string, ...string[]];
  readonly title: string;
  readonly configSchema: z.ZodType<Config>;
  readonly timeoutMs: number;
  /** All hooks when absent. */
  readonly hooks?: (config: Config) => readonly Hook[];
  readonly reads?: (config: Config) => ReadonlySet<ContentKind>;
  /** Whether the service may rewrite content under this configuration. */
  readonly masks: (config: Config) => boolean;
  /**
   * Prepares the questions of one configuration; `name` is the guardrail's, for messages.
   * @throws ConfigProblem for what the schema cannot see
   */
  connect(
    config: Config,
    ports: Ports,
    line: Line,
    name: string,
  ): (subject: Subject, signal: AbortSignal) => Promise<Inspection>;
}

/** Makes the definition of a guardrail that asks a service. */
export function defineService<Config extends ServiceConfig>(
  service: Service<Config>,
): DetectorDefinition<Config> {
  const { ids, title, configSchema, timeoutMs, hooks = () => HOOKS, reads = () => TEXT_KINDS } = service;
  return {
    ids,
    title,
    configSchema,
    facts: (config) => ({ hooks: hooks(config), masks: service.masks(config) && !asksDuringCall(config) }),
    reads,
    deterministic: false,
    remote: true,
    timeoutMs,
    create(config, ports, name): Detector {
      const line = new Line(ports, {
        timeoutMs: config.timeout === null ? timeoutMs : config.timeout * 1000,
        retries: config.num_retries,
        parallel: config.max_parallel_requests,
      });
      const ask = service.connect(config, ports, line, name ?? title);
      return {
        inspect: (subject, signal) => orTooComplex(() => ask(subject, signal)),
        available: () => line.available,
      };
    },
  };
}

/**
 * The compiler refuses masking guardrails in during_call (P7). A service that is asked there too is taken for one that
 * blocks; a rewrite it answers with there all the same is undeliverable (E1), in other hooks it is made.
 */
function asksDuringCall({ mode }: Pick<CommonParams, 'mode'>): boolean {
  const hooks = Array.isArray(mode) ? mode : [...mode.default, ...Object.values(mode.tags).flat()];
  return hooks.includes('during_call');
}
