import { Script } from 'node:vm';
import { CONTENT_KINDS, commonParamsSchema, type ContentKind, HOOKS } from '@portcullis/policy';
import { z } from 'zod';
import { ConfigProblem, type Detector, type DetectorDefinition, type Ports } from '../guardrail.ts';
import { inspectWith } from './inspect.ts';
import { requestsFor } from './requests.ts';
import { type SandboxLimits, warmSandbox } from './sandbox.ts';

/** Longest source, in UTF-16 code units. */
export const CODE_CHARACTERS = 65_536;

const hostSchema = z
  .string()
  .regex(
    /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/u,
    'this is no host such as api.example.com or api.example.com:8443',
  );

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  custom_code: z
    .string()
    .min(1)
    .max(CODE_CHARACTERS)
    .describe('JavaScript with a function apply_guardrail(inputs, request_data, input_type)'),
  allowed_hosts: z
    .array(hostSchema)
    .max(50)
    .default([])
    .describe('Hosts that the code may ask by https (http only with a port); none when empty'),
  max_cpu_ms: z.coerce.number().int().min(5).max(5_000).default(250).describe('Milliseconds of computing'),
  memory_limit_mb: z.coerce.number().int().min(1).max(128).default(16).describe('Megabytes of memory'),
  max_http_requests: z.coerce.number().int().min(0).max(50).default(5).describe('Requests of one run'),
});
type Config = z.infer<typeof configSchema>;

const DEFAULT_TIMEOUT_MS = 5_000;
const HOST_CALLS = 10_000;

const UNREADABLE_KINDS: ReadonlySet<ContentKind> = new Set(['audio', 'files']);
const READS: ReadonlySet<ContentKind> = new Set(CONTENT_KINDS.filter((kind) => !UNREADABLE_KINDS.has(kind)));

/**
 * JavaScript of an administrator, in a sandbox. A rewrite in during_call is undeliverable (E1), which is why code that is
 * asked there counts as code that only blocks.
 */
export const customCode: DetectorDefinition<Config> = {
  ids: ['custom_code'],
  title: 'Custom code (JavaScript)',
  configSchema,
  facts: ({ mode }) => {
    const hooks = Array.isArray(mode) ? mode : [...mode.default, ...Object.values(mode.tags).flat()];
    return { hooks: HOOKS, masks: !hooks.includes('during_call') };
  },
  reads: () => READS,
  deterministic: false,
  remote: true,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  create(config, ports: Ports): Detector {
    const problem = syntaxProblem(config.custom_code);
    if (problem !== null) throw new ConfigProblem(['custom_code'], problem);
    warmSandbox();
    const limits = limitsOf(config);
    const request = requestsFor(config.allowed_hosts, ports.http);
    return {
      inspect: (subject, signal) =>
        inspectWith({ source: config.custom_code, limits, request }, subject, signal),
    };
  },
};

function limitsOf(
  config: Pick<Config, 'timeout' | 'max_cpu_ms' | 'memory_limit_mb' | 'max_http_requests'>,
): SandboxLimits {
  return {
    timeoutMs: config.timeout === null ? DEFAULT_TIMEOUT_MS : config.timeout * 1_000,
    cpuMs: config.max_cpu_ms,
    memoryBytes: config.memory_limit_mb * 1024 * 1024,
    hostCalls: HOST_CALLS,
    requests: config.max_http_requests,
  };
}

/** The limits of a guardrail whose configuration says nothing of them. */
export const USUAL_LIMITS: SandboxLimits = limitsOf({
  timeout: null,
  max_cpu_ms: 250,
  memory_limit_mb: 16,
  max_http_requests: 5,
});

/** What is wrong with a source, or null. It is parsed here and run nowhere but in the sandbox. */
export function syntaxProblem(source: string): string | null {
  try {
    // Compiling runs nothing.
    void new Script(source, { filename: 'custom_code.js' });
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : 'this is no JavaScript';
  }
  if (!/\bapply_guardrail\b|\bapplyGuardrail\b/u.test(source)) {
    return 'there is no function apply_guardrail(inputs, request_data, input_type)';
  }
  return null;
}
