import { commonParamsSchema } from '@portcullis/policy';
import { z } from 'zod';
import { contentFilter } from '../content-filter/index.ts';
import { CREDENTIALS } from '../content-filter/patterns/spec.ts';
import { PATTERNS } from '../content-filter/patterns/index.ts';
import { ConfigProblem, type DetectorDefinition } from '../guardrail.ts';

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  action: z
    .preprocess(
      (value) => (typeof value === 'string' ? value.toUpperCase() : value),
      z.enum(['MASK', 'BLOCK', 'LOG']),
    )
    .default('MASK')
    .describe('What becomes of a secret'),
  excluded: z
    .array(z.string().min(1))
    .default([])
    .describe('Patterns of credentials that are not looked for'),
  redaction: z.string().max(100).default('[REDACTED]').describe('What a secret is replaced with'),
});
type Config = z.infer<typeof configSchema>;

const SECRETS: ReadonlySet<string> = new Set(
  PATTERNS.filter(({ group }) => group === CREDENTIALS).map(({ name }) => name),
);

/** Every pattern of credentials of the content filter, as a guardrail of its own. */
export const hideSecrets: DetectorDefinition<Config> = {
  ids: ['hide-secrets'],
  title: 'Secrets',
  configSchema,
  facts: (config) => contentFilter.facts(filterConfig(config)),
  reads: (config) => contentFilter.reads(filterConfig(config)),
  deterministic: contentFilter.deterministic,
  timeoutMs: contentFilter.timeoutMs,
  create(config, ports, name) {
    const unknown = config.excluded.findIndex((one) => !SECRETS.has(one));
    if (unknown >= 0) {
      const known = [...SECRETS].join(', ');
      throw new ConfigProblem(['excluded', unknown], `this is no pattern of credentials; known are ${known}`);
    }
    if (config.excluded.length >= SECRETS.size)
      throw new ConfigProblem(['excluded'], 'nothing is left to look for');
    return contentFilter.create(filterConfig(config), ports, name);
  },
};

function filterConfig({ action, excluded, redaction, ...common }: Config) {
  const left = new Set(excluded);
  return contentFilter.configSchema.parse({
    ...common,
    patterns: [...SECRETS]
      .filter((name) => !left.has(name))
      .map((name) => ({ pattern_type: 'prebuilt', pattern_name: name, action })),
    pattern_redaction_format: redaction,
  });
}
