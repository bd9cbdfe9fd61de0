// What a configuration file becomes. What is refused in it: conformance.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../src/config/env.ts';
import { loadConfig, readConfig } from '../../src/config/load.ts';
import type { LoadedConfig, PlacedFinding } from '../../src/config/types.ts';
import { testDetectors } from './detectors.ts';

type Variables = Record<string, string>;

const read = (text: string, variables: Variables = {}) =>
  readConfig('config.yaml', new TextEncoder().encode(text), readEnvironment(variables), {
    detectors: testDetectors,
  });

async function load(text: string, variables?: Variables): Promise<LoadedConfig> {
  const result = await read(text, variables);
  if (!result.ok) throw new Error(result.findings.map(({ message }) => message).join('\n'));
  return result.config;
}

async function refuse(text: string, variables?: Variables): Promise<readonly PlacedFinding[]> {
  const result = await read(text, variables);
  if (result.ok) throw new Error('the file was accepted');
  return result.findings;
}

const model = (params: string, name = 'gpt-4o'): string =>
  `model_list:\n  - model_name: "${name}"\n    litellm_params: ${params}\n`;

const deployment = async (params: string, variables?: Variables, name?: string) => {
  const config = await load(model(params, name), variables);
  return config.deployedGroups[0]?.deployments[0];
};

const full = readFileSync(new URL('../../../../conformance/config/valid/full.yaml', import.meta.url), 'utf8');
const fullVariables = { SET_NAME: 'pii', SET_NUMBER: '7', SET_SECRET: 'sk-real' };

test('every section becomes what the gateway works with', async () => {
  const config = await load(full, fullVariables);
  expect(config.settings).toEqual({
    masterKey: 'sk-canary-0123456789abcdef',
    databaseUrl: 'postgresql://user:canary@localhost:5432/portcullis',
    keyHeaderName: 'x-gateway-key',
    useForwardedFor: false,
    sso: null,
    maxRequestBytes: 4 * 1024 * 1024,
    addUserAgentTags: false,
    guardrailBudgetMs: 500,
    streamBufferCharacters: 20_000,
    createAs: 'draft',
    redisUrl: null,
    limitsUnavailable: 'local',
    storeRequests: true,
    storePrompts: false,
    logRetentionMs: null,
    logRetentionEveryMs: 3_600_000,
    unscanned: 'block',
    principalMaxStaleMs: 300_000,
    syncEveryMs: 5_000,
    allowedPrivateHosts: ['presidio.internal', '10.0.0.7'],
  });
  expect(config.modelAliases).toEqual({ fast: 'gpt-4o', hidden: 'gpt-4o' });
  expect(config.modelGroups).toEqual([
    {
      model_name: 'gpt-4o',
      deployments: [
        { model: 'openai/gpt-4o', guardrails: ['pii'] },
        { model: 'azure/gpt-4o', guardrails: [] },
      ],
    },
    { model_name: 'groq/*', deployments: [{ model: 'groq/*', guardrails: [] }] },
  ]);
  expect(config.policies.map(({ policy_name, guardrails_add }) => [policy_name, guardrails_add])).toEqual([
    ['base', ['pii']],
    ['strict', ['words']],
  ]);
  expect(config.policies[1]?.pipeline).toMatchObject({ mode: 'pre_call', steps: [{ guardrail: 'words' }] });
  expect(config.attachments[1]).toMatchObject({
    attachment_id: 'config-1',
    policy_name: 'strict',
    teams: ['fin-*'],
    tags: { any: ['pci'], none: ['public'] },
    priority: 1,
  });
  expect(config.guardrails[0]).toMatchObject({ guardrail_id: 'pii', guardrail_name: 'pii' });
  expect(config.warnings).toEqual([]);
});

test('the environment gives texts, and each place gets the kind it wants', async () => {
  const { guardrails } = await load(full, fullVariables);
  expect(guardrails[0]?.litellm_params).toMatchObject({ priority: 7, default_on: true });
});

test('deployments of one group are ready to be called', async () => {
  const [group, wildcard] = (await load(full, fullVariables)).deployedGroups;
  expect(group?.deployments[0]).toMatchObject({
    provider: 'openai',
    model: 'openai/gpt-4o',
    upstreamModel: 'gpt-4o',
    apiBase: 'https://proxy.example/v1',
    apiKey: 'sk-real',
    timeoutMs: 20_000,
    streamTimeoutMs: 20_000,
    weight: 3,
    defaults: { temperature: 0.2 },
  });
  expect(group?.deployments[1]).toMatchObject({
    id: 'azure-gpt-4o',
    apiBase: 'https://x.openai.azure.com/openai/v1',
    timeoutMs: 30_000,
  });
  expect(wildcard).toMatchObject({ name: 'groq/*', deployments: [{ upstreamModel: '*' }] });
});

test.each([
  ['openai/gpt-4o', 'https://api.openai.com/v1'],
  ['gpt-4o', 'https://api.openai.com/v1'],
  ['groq/llama-3.3-70b', 'https://api.groq.com/openai/v1'],
  ['mistral/mistral-small', 'https://api.mistral.ai/v1'],
  ['deepseek/deepseek-chat', 'https://api.deepseek.com/v1'],
  ['openrouter/openai/gpt-4o', 'https://openrouter.ai/api/v1'],
  ['together_ai/meta/llama', 'https://api.together.xyz/v1'],
  ['fireworks_ai/x', 'https://api.fireworks.ai/inference/v1'],
  ['perplexity/sonar', 'https://api.perplexity.ai'],
  ['xai/grok-4', 'https://api.x.ai/v1'],
  ['ollama/llama3', 'http://localhost:11434/v1'],
  ['gemini/gemini-2.5-flash', 'https://generativelanguage.googleapis.com/v1beta/openai'],
])('%s is called at %s', async (written, base) => {
  expect(await deployment(`{model: ${written}, api_key: k-123456}`)).toMatchObject({
    apiBase: base,
    provider: 'openai',
  });
});

test('only the provider is taken off a model name', async () => {
  expect(await deployment('{model: openrouter/openai/gpt-4o, api_key: k-1}')).toMatchObject({
    model: 'openrouter/openai/gpt-4o',
    upstreamModel: 'openai/gpt-4o',
  });
});

test("a provider's usual variable is its key when the file gives none", async () => {
  expect(await deployment('{model: groq/x}', { GROQ_API_KEY: 'gsk-1' })).toMatchObject({ apiKey: 'gsk-1' });
});

test('a server of one’s own needs no key and no word about it', async () => {
  const config = await load(model('{model: hosted_vllm/llama3, api_base: "http://localhost:8000/v1"}'));
  expect(config.warnings).toEqual([]);
  expect(config.deployedGroups[0]?.deployments[0]).toMatchObject({ apiKey: null, provider: 'openai' });
});

test('mock_without_key: the mock answers until the key is set, and the engine knows the same name', async () => {
  const params = '{model: openai/gpt-4o, api_key: os.environ/KEY, mock_without_key: true}';
  const without = await deployment(params);
  const withKey = await deployment(params, { KEY: 'sk-1' });
  expect(without).toMatchObject({ provider: 'mock', model: 'openai/gpt-4o' });
  expect(withKey).toMatchObject({ provider: 'openai', model: 'openai/gpt-4o', apiKey: 'sk-1' });
});

test('mock/... and mock_response never reach a provider', async () => {
  expect(await deployment('{model: mock/x}')).toMatchObject({ provider: 'mock', apiKey: null });
  expect(await deployment('{model: openai/x, api_key: sk-1, mock_response: hello}')).toMatchObject({
    provider: 'mock',
    mockResponse: 'hello',
  });
});

test('the settings of the reference for its logs are read, and nothing is stored or deleted unasked', async () => {
  const { settings, ignoredSettings } = await load(
    'general_settings:\n  store_prompts_in_spend_logs: true\n  maximum_spend_logs_retention_period: 30d\n  maximum_spend_logs_retention_interval: 12h\n',
  );
  expect(settings).toMatchObject({
    storePrompts: true,
    logRetentionMs: 30 * 86_400_000,
    logRetentionEveryMs: 12 * 3_600_000,
  });
  expect(ignoredSettings).toEqual([]);
  expect((await load('model_list: []\n')).settings).toMatchObject({
    createAs: 'production',
    storePrompts: false,
    logRetentionMs: null,
  });
  const disabled = await load('general_settings:\n  disable_spend_logs: true\n');
  expect(disabled.settings.storeRequests).toBe(false);
  expect(disabled.ignoredSettings).toEqual([]);
  const [finding] = await refuse('general_settings:\n  maximum_spend_logs_retention_period: forever\n');
  expect(finding?.message).toContain('expected a time above zero');
});

test('what this product does not have is listed by its dotted path', async () => {
  const config = await load(
    `${model('{model: mock/x, rpm: 5}')}litellm_settings: {cache: true, drop_params: true}\nmcp_servers: {}\n`,
  );
  expect(config.ignoredSettings).toEqual([
    'litellm_settings.cache',
    'litellm_settings.drop_params',
    'mcp_servers',
    'model_list[].litellm_params.rpm',
  ]);
});

test('environment_variables win over the environment, and feed the settings', async () => {
  const config = await load(
    `environment_variables: {LITELLM_MASTER_KEY: sk-from-the-file-0123456789}\n${model('{model: mock/x}')}`,
    { LITELLM_MASTER_KEY: 'sk-from-outside-0123456789' },
  );
  expect(config.settings.masterKey).toBe('sk-from-the-file-0123456789');
});

test('the master key and the database may come from the environment', async () => {
  const config = await load(model('{model: mock/x}'), {
    LITELLM_MASTER_KEY: 'sk-from-outside-0123456789',
    DATABASE_URL: 'postgres://h/d',
  });
  expect(config.settings).toMatchObject({
    masterKey: 'sk-from-outside-0123456789',
    databaseUrl: 'postgres://h/d',
  });
});

test('a master key of the environment that cannot be one is refused without showing it', async () => {
  const findings = await refuse(model('{model: mock/x}'), { LITELLM_MASTER_KEY: 'hunter2-hunter2' });
  expect(findings).toMatchObject([{ code: 'invalid_master_key', place: null }]);
  expect(JSON.stringify(findings)).not.toContain('hunter2');
});

test('S9: the digest follows the bytes and the variables in use, and nothing else', async () => {
  const text = model('{model: openai/gpt-4o, api_key: os.environ/KEY}');
  const digest = async (variables: Variables, written = text) => (await load(written, variables)).digest;
  const first = await digest({ KEY: 'sk-1' });
  expect(first).toMatch(/^[0-9a-f]{64}$/u);
  expect(await digest({ KEY: 'sk-1', OTHER: 'x' })).toBe(first);
  expect(await digest({ KEY: 'sk-2' })).not.toBe(first);
  expect(await digest({ KEY: 'sk-1' }, `${text}# a comment\n`)).not.toBe(first);
});

test('S9: the words of a file that the configuration names are part of the digest', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-words-'));
  const file = join(folder, 'config.yaml');
  const words = (word: string) =>
    writeFileSync(join(folder, 'words.yaml'), `blocked_words: [{keyword: ${word}, action: BLOCK}]\n`);
  writeFileSync(
    file,
    `${model('{model: mock/x}')}guardrails:\n  - guardrail_name: words\n    litellm_params: {guardrail: litellm_content_filter, mode: pre_call, blocked_words_file: words.yaml}\n`,
  );
  const digest = async () => {
    const result = await loadConfig(file, readEnvironment({}));
    return result.ok ? result.config.digest : result.findings.map(({ message }) => message).join();
  };
  words('falcon');
  const first = await digest();
  expect(first).toMatch(/^[0-9a-f]{64}$/u);
  expect(await digest()).toBe(first);
  words('eagle');
  expect(await digest()).not.toBe(first);
  rmSync(join(folder, 'words.yaml'));
  expect(await digest()).toContain('does not exist');
  rmSync(folder, { recursive: true });
});

test('ids of deployments are the same for the same file', async () => {
  const text = `${model('{model: mock/a}')}  - model_name: gpt-4o\n    litellm_params: {model: mock/b}\n`;
  const ids = async () => (await load(text)).deployedGroups[0]?.deployments.map(({ id }) => id);
  const first = await ids();
  expect(new Set(first).size).toBe(2);
  expect(await ids()).toEqual(first);
});

test('a key named __proto__ is only an unknown key', async () => {
  const findings = await refuse(`${model('{model: mock/x}')}policies:\n  base: {__proto__: {inherit: x}}\n`);
  expect(findings).toMatchObject([{ code: 'unknown_key', path: ['policies', 'base', '__proto__'] }]);
});

test('an anchor that contains itself is refused, not followed', async () => {
  const findings = await refuse(`${model('{model: mock/x}')}x-loop: &a\n  deeper: *a\n`);
  expect(findings.map(({ code }) => code)).toContain('too_deep');
});

test('text that is not UTF-8 is refused', async () => {
  const result = await readConfig('c.yaml', new Uint8Array([0xff, 0xfe, 0x00]), readEnvironment({}));
  expect(result).toMatchObject({ ok: false, findings: [{ code: 'file_unreadable' }] });
});

test('10,000 attachments are read in a moment', async () => {
  const attachments = Array.from(
    { length: 10_000 },
    (_, index) => `  - {policy: base, teams: [team-${index}]}\n`,
  );
  const config = await load(
    `${model('{model: mock/x}')}guardrails:\n  - {guardrail_name: pii, litellm_params: {guardrail: litellm_content_filter, mode: pre_call}}\npolicies:\n  base: {guardrails: [pii]}\npolicy_attachments:\n${attachments.join('')}`,
  );
  expect(config.attachments).toHaveLength(10_000);
});
