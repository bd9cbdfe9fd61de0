// The bundled demo must teach what is true.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../src/config/env.ts';
import { loadConfig } from '../../src/config/load.ts';

const file = fileURLToPath(new URL('../../../cli/demo/config.yaml', import.meta.url));

async function demo(variables: Record<string, string> = {}) {
  const result = await loadConfig(file, readEnvironment(variables));
  if (!result.ok) throw new Error(result.findings.map(({ message }) => message).join('\n'));
  return result.config;
}

test('the demo needs nothing and gives no warning', async () => {
  const config = await demo();
  expect(config.warnings).toEqual([]);
  expect(config.ignoredSettings).toEqual([]);
  expect(config.settings).toMatchObject({ masterKey: null, databaseUrl: null });
  expect(
    config.deployedGroups.flatMap(({ deployments }) => deployments.map(({ provider }) => provider)),
  ).toEqual(['mock', 'mock']);
});

test('with OPENAI_API_KEY the same model name is the real model', async () => {
  const [model] = (await demo({ OPENAI_API_KEY: 'sk-real-0123456789' })).deployedGroups;
  expect(model).toMatchObject({
    name: 'gpt-4o-mini',
    deployments: [{ provider: 'openai', apiBase: 'https://api.openai.com/v1', apiKey: 'sk-real-0123456789' }],
  });
});

test('it shows inheritance, a pipeline, a condition, a monitor, and every kind of selector', async () => {
  const { policies, attachments, guardrails } = await demo();
  expect(guardrails).toHaveLength(5);
  expect(guardrails.some(({ litellm_params }) => litellm_params.enforcement === 'monitor')).toBe(true);
  expect(policies).toHaveLength(4);
  expect(policies.some(({ inherit }) => inherit !== null)).toBe(true);
  expect(policies.some(({ pipeline }) => pipeline !== null)).toBe(true);
  expect(policies.some(({ condition }) => condition !== null)).toBe(true);
  expect(attachments).toMatchObject([
    { scope: '*' },
    { teams: ['finance', 'finance-*'] },
    { keys: ['support-*'] },
    { tags: ['external'] },
  ]);
});

test('every line of it that is not LiteLLM’s is marked', () => {
  const own = /^\s*(?:enforcement|mock_without_key|policy_engine|lock|priority):/u;
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (!own.test(line)) continue;
    const above = lines.slice(Math.max(0, index - 6), index).join('\n');
    expect(above).toContain('(+)');
  }
});
