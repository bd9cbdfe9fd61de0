// `resolve` and `explain`: the engine of the gateway, asked through a file.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { makeOutput } from '../src/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-questions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hash = createHash('sha256').update('sk-special').digest('hex');
const file = join(folder, 'config.yaml');
const guardrail = (name: string): string => `
  - guardrail_name: ${name}
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: ${name}, action: BLOCK }]`;
writeFileSync(
  file,
  `model_list:
  - model_name: gpt-4o
    litellm_params: {model: mock/gpt-4o}
guardrails:${['words', 'finance-words', 'tagged', 'for-key'].map(guardrail).join('')}
policies:
  base: { guardrails: [words] }
  finance: { inherit: base, guardrails: { add: [finance-words] } }
  tagged: { guardrails: [tagged] }
  for-key: { guardrails: [for-key] }
policy_attachments:
  - { policy: base, scope: "*" }
  - { policy: finance, teams: [finance], models: ["gpt-*"] }
  - { policy: tagged, tags: [health] }
  - { policy: for-key, keys: ["${hash}"] }
`,
);

async function cli(...argv: string[]) {
  const written = { out: '', err: '' };
  const output = makeOutput(
    { write: (text) => (written.out += text) },
    { write: (text) => (written.err += text) },
    false,
  );
  return { code: await run(argv, output), ...written };
}

async function guardrailsOf(...argv: string[]): Promise<readonly string[]> {
  const { code, out } = await cli('resolve', file, ...argv, '--json');
  expect(code).toBe(0);
  return JSON.parse(out).effective_guardrails;
}

test('resolve gives what the gateway would run, for each part of the question', async () => {
  expect(await guardrailsOf()).toEqual(['words']);
  expect(await guardrailsOf('--team', 'finance')).toEqual(['words']);
  expect(await guardrailsOf('--team', 'finance', '--model', 'gpt-4o')).toEqual(['finance-words', 'words']);
  expect(await guardrailsOf('--tag', 'health')).toEqual(['tagged', 'words']);
  expect(await guardrailsOf('--caller-tag', 'x', 'health')).toEqual(['tagged', 'words']);
  expect(await guardrailsOf('--key', hash)).toEqual(['for-key', 'words']);
  expect(await guardrailsOf('--key', 'sk-special')).toEqual(['for-key', 'words']);
  expect(await guardrailsOf('--policy', 'tagged')).toEqual(['tagged', 'words']);
  expect(await guardrailsOf('--guardrail', 'for-key')).toEqual(['for-key', 'words']);
});

test('resolve reads well, and says what the question left open', async () => {
  const { code, out } = await cli('resolve', file, '--team', 'finance', '--model', 'gpt-4o');
  expect(code).toBe(0);
  expect(out).toContain('guardrails  finance-words, words');
  expect(out).toContain('pre_call    ');
  expect(out).toMatch(/policy {6}finance {2}via \S.* adds finance-words/u);
  expect(out).toContain('ask for what was not given: key, tags');
});

test('a request that would be refused is told with exit code 2', async () => {
  const { code, out } = await cli('resolve', file, '--policy', 'nowhere');
  expect(code).toBe(2);
  expect(out).toContain('refused  unknown_policy  nowhere');
  const json = await cli('resolve', file, '--policy', 'nowhere', '--json');
  expect(json.code).toBe(2);
  expect(JSON.parse(json.out)).toMatchObject({ refusals: [{ code: 'unknown_policy' }] });
});

test('explain says of every attachment what it asks for and what there is', async () => {
  const { code, out } = await cli('explain', file, '--team', 'finance', '--model', 'claude');
  expect(code).toBe(0);
  expect(out).toMatch(/config-0 {2}base {2}applies/u);
  expect(out).toMatch(/config-1 {2}finance {2}does_not_match/u);
  expect(out).toContain('yes  scope: every request');
  expect(out).toContain('yes  teams: asks for finance; is finance');
  expect(out).toContain('no   models: asks for gpt-*; is claude');
  const json = JSON.parse((await cli('explain', file, '--team', 'finance', '--json')).out);
  expect(json).toMatchObject({
    effective_guardrails: ['words'],
  });
  const missed = json.near_misses.map((one: { policy_name: string }) => one.policy_name);
  expect(missed).toEqual(['finance', 'tagged', 'for-key']);
  expect(json.plan_hash).toMatch(/^\S+$/u);
});

test('a file that is refused is shown with its lines', async () => {
  const bad = join(folder, 'bad.yaml');
  writeFileSync(bad, 'model_lst: []\n');
  const { code, out } = await cli('resolve', bad);
  expect(code).toBe(1);
  expect(out).toContain(`${bad}:1:1  error  unknown_key`);
  const json = await cli('explain', bad, '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject({ valid: false, findings: [{ code: 'unknown_key' }] });
});
