// `model_list` and the aliases of the router.
import { createHash } from 'node:crypto';
import { type FindingPath, type ModelGroup, modelGroupSchema } from '@portcullis/policy';
import { z } from 'zod';
import type { Price } from '../ports/limits.ts';
import type { DeployedGroup, Deployment } from '../ports/models.ts';
import type { ConfigDocument } from './document.ts';
import type { Findings } from './findings.ts';
import { PROVIDERS, type ProviderFacts, splitModel } from './providers.ts';
import { nearestName } from './suggest.ts';

export interface Models {
  readonly modelGroups: readonly ModelGroup[];
  readonly deployedGroups: readonly DeployedGroup[];
  /** Index in `model_list` of every deployment of a group, in the group's order: to find the line of a finding. */
  readonly indices: ReadonlyMap<string, readonly number[]>;
}

export interface ModelDefaults {
  readonly timeoutMs: number;
  readonly streamTimeoutMs: number;
}

const seconds = z.coerce.number('expected a number of seconds').positive().max(86_400);
const cost = z.coerce.number('expected dollars for each token').min(0).max(1_000);
const texts = z.record(z.string(), z.string());

/** The `litellm_params` of a model that mean something to this gateway. */
const PARAMS = {
  model: z.string().min(1),
  custom_llm_provider: z.string().min(1).nullish(),
  api_key: z.string().nullish(),
  api_base: z.string().nullish(),
  base_url: z.string().nullish(),
  organization: z.string().nullish(),
  headers: texts.nullish(),
  extra_headers: texts.nullish(),
  timeout: seconds.nullish(),
  stream_timeout: seconds.nullish(),
  weight: z.coerce.number('expected a number').positive().nullish(),
  guardrails: z.array(z.string()).nullish(),
  mock_response: z.string().nullish(),
  mock_without_key: z.boolean().nullish(),
  extra_body: z.record(z.string(), z.unknown()).nullish(),
  input_cost_per_token: cost.nullish(),
  output_cost_per_token: cost.nullish(),
};
const paramsSchema = z.looseObject(PARAMS);
type Params = z.infer<typeof paramsSchema>;

const entrySchema = z.strictObject({
  model_name: z.string().min(1),
  litellm_params: z.looseObject({}),
  model_info: z
    .looseObject({
      id: z.string().min(1).nullish(),
      input_cost_per_token: cost.nullish(),
      output_cost_per_token: cost.nullish(),
      max_output_tokens: z.coerce.number('expected a number of tokens').positive().nullish(),
    })
    .nullish(),
});

/** Sent on in the provider's body when the caller does not set them. */
const BODY_PARAMS = new Set([
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'response_format',
  'reasoning_effort',
  'reasoning',
  'thinking',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'user',
  'service_tier',
  'store',
  'dimensions',
  'encoding_format',
  'verbosity',
  'modalities',
  'audio',
  'prediction',
  'web_search_options',
  'safety_identifier',
  'prompt_cache_key',
  'chat_template_kwargs',
]);

/** Settings of the reference for a model that this product does not have. */
const IGNORED_PARAMS = new Set([
  'rpm',
  'tpm',
  'tags',
  'order',
  'api_version',
  'max_retries',
  'num_retries',
  'max_parallel_requests',
  'max_budget',
  'budget_duration',
  'input_cost_per_second',
  'output_cost_per_second',
  'region_name',
  'drop_params',
  'additional_drop_params',
  'allowed_openai_params',
  'use_in_pass_through',
  'use_litellm_proxy',
  'use_chat_completions_api',
  'merge_reasoning_content_in_choices',
  'cache_control_injection_points',
  'configurable_clientside_auth_params',
  'litellm_credential_name',
  'litellm_trace_id',
  'base_model',
  'model_info',
  'azure_ad_token',
  'azure_username',
  'azure_password',
  'azure_scope',
  'tenant_id',
  'client_id',
  'client_secret',
  'vertex_project',
  'vertex_location',
  'vertex_credentials',
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_region_name',
  'aws_role_name',
  'aws_session_name',
  'aws_profile_name',
  'aws_bedrock_runtime_endpoint',
  'auto_router_config',
  'auto_router_config_path',
  'auto_router_default_model',
  'auto_router_embedding_model',
  'complexity_router_config',
  'mock_timeout',
  'mock_delay',
]);

const SECRET_LIKE = /key|secret|token|password|credential/iu;

/** Reads `model_list`. Deployments with one `model_name` form a group, in the order of their first line. */
export function readModels(
  document: ConfigDocument,
  findings: Findings,
  defaults: ModelDefaults,
  ignored: Set<string>,
): Models {
  const groups = new Map<string, { deployments: Deployment[]; guardrails: string[][]; indices: number[] }>();
  const ids = new Set<string>();
  const entries = findings.parse(z.array(z.unknown()).nullish(), ['model_list']) ?? [];
  for (const index of entries.keys()) {
    const read = readEntry(document, findings, index, defaults, ignored);
    if (read === null) continue;
    const group = groups.get(read.name) ?? { deployments: [], guardrails: [], indices: [] };
    groups.set(read.name, group);
    const id = read.id ?? deploymentId(read.name, group.deployments.length, read.deployment);
    if (ids.has(id)) {
      findings.error(
        'duplicate_name',
        ['model_list', index, 'model_info', 'id'],
        'another model already has this model_info.id: ids must be unique, so change one',
      );
    }
    ids.add(id);
    group.deployments.push({ id, ...read.deployment });
    group.guardrails.push(read.guardrails);
    group.indices.push(index);
  }
  return {
    modelGroups: [...groups].map(([model_name, group]) => ({
      model_name,
      deployments: group.deployments.map(({ model }, at) => ({
        model,
        guardrails: group.guardrails[at] ?? [],
      })),
    })),
    deployedGroups: [...groups].map(([name, { deployments }]) => ({ name, deployments })),
    indices: new Map([...groups].map(([name, { indices }]) => [name, indices])),
  };
}

function readEntry(
  document: ConfigDocument,
  findings: Findings,
  index: number,
  defaults: ModelDefaults,
  ignored: Set<string>,
) {
  const path: FindingPath = ['model_list', index];
  const paramsPath = [...path, 'litellm_params'];
  const entry = findings.parse(entrySchema, path);
  if (entry === null) return null;
  const params = findings.parse(paramsSchema, paramsPath);
  if (params === null) return null;
  const guardrails = params.guardrails ?? [];
  const parsedGroup = modelGroupSchema.safeParse({
    model_name: entry.model_name,
    deployments: [{ model: params.model, guardrails }],
  });
  if (!parsedGroup.success) {
    for (const issue of parsedGroup.error.issues) {
      const inner = issue.path.slice(2).map((step) => (typeof step === 'symbol' ? '' : step));
      findings.error('invalid_value', [...paramsPath, ...inner], issue.message);
    }
    return null;
  }
  if (!wildcardsFit(findings, path, entry.model_name, params.model)) return null;
  const deployment = readDeployment(document, findings, paramsPath, params, defaults, ignored);
  if (deployment === null) return null;
  const price = readPrice(params, entry.model_info ?? {});
  const maxOutputTokens = entry.model_info?.max_output_tokens ?? null;
  const known = {
    ...deployment,
    ...(price === null ? {} : { price }),
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
  };
  return { name: entry.model_name, id: entry.model_info?.id ?? null, guardrails, deployment: known };
}

interface Costs {
  readonly input_cost_per_token?: number | null | undefined;
  readonly output_cost_per_token?: number | null | undefined;
}

/** What a token costs, from either place in which the reference takes it; null when neither says anything. */
function readPrice(params: Costs, info: Costs): Price | null {
  const input = params.input_cost_per_token ?? info.input_cost_per_token ?? null;
  const output = params.output_cost_per_token ?? info.output_cost_per_token ?? null;
  return input === null && output === null ? null : { input: input ?? 0, output: output ?? 0 };
}

/** `*` stands only at the end, and what it stands for must come from the name that callers use. */
function wildcardsFit(findings: Findings, path: FindingPath, name: string, model: string): boolean {
  for (const [key, text] of [
    ['model_name', name],
    ['model', model],
  ] as const) {
    if (!text.slice(0, -1).includes('*')) continue;
    findings.error(
      'invalid_value',
      key === 'model' ? [...path, 'litellm_params', 'model'] : [...path, key],
      'a "*" stands only at the end of a model name: move it there or write the names out',
    );
    return false;
  }
  if (model.endsWith('*') && !name.endsWith('*')) {
    findings.error(
      'invalid_value',
      [...path, 'litellm_params', 'model'],
      'the "*" here stands for what the "*" of model_name matched, but model_name has none: add one there or name the model',
    );
    return false;
  }
  return true;
}

function readDeployment(
  document: ConfigDocument,
  findings: Findings,
  path: FindingPath,
  params: Params,
  defaults: ModelDefaults,
  ignored: Set<string>,
): Omit<Deployment, 'id'> | null {
  const writtenBase = params.api_base ?? params.base_url ?? null;
  const split = splitModel(params.model, {
    provider: params.custom_llm_provider ?? null,
    hasBase: writtenBase !== null,
  });
  if ('problem' in split) {
    const key = params.custom_llm_provider ? 'custom_llm_provider' : 'model';
    findings.error('unsupported_provider', [...path, key], split.problem);
    return null;
  }
  const facts = PROVIDERS[split.provider] ?? null;
  const apiKey = facts === null ? null : readKey(document, path, params, facts);
  const mocked =
    facts === null ||
    typeof params.mock_response === 'string' ||
    (params.mock_without_key === true && apiKey === null);
  const apiBase = facts === null ? '' : readBase(document, findings, path, writtenBase, facts, mocked);
  if (apiBase === null) return null;
  // A server of one's own often wants no key.
  const wantsKey = writtenBase === null || document.nodeAt([...path, 'api_key']) !== null;
  if (!mocked && apiKey === null && wantsKey) warnAboutKey(document, findings, path, split.provider, facts);
  return {
    model: `${split.provider}/${split.model}`,
    provider: mocked ? 'mock' : facts.speaks,
    upstreamModel: split.model,
    apiBase,
    apiKey,
    headers: {
      ...params.headers,
      ...params.extra_headers,
      ...(params.organization ? { 'OpenAI-Organization': params.organization } : {}),
    },
    timeoutMs: params.timeout ? params.timeout * 1000 : defaults.timeoutMs,
    streamTimeoutMs: params.stream_timeout
      ? params.stream_timeout * 1000
      : params.timeout
        ? params.timeout * 1000
        : defaults.streamTimeoutMs,
    weight: params.weight ?? 1,
    mockResponse: params.mock_response ?? null,
    defaults: { ...bodyDefaults(document, findings, path, params, ignored), ...params.extra_body },
  };
}

function readKey(
  document: ConfigDocument,
  path: FindingPath,
  params: Params,
  facts: ProviderFacts,
): string | null {
  if (document.nodeAt([...path, 'api_key'])?.missing === true) return null;
  if (params.api_key) return params.api_key;
  for (const name of facts.keyVariables) {
    const value = document.variable(name);
    if (value !== null) return value;
  }
  return null;
}

function readBase(
  document: ConfigDocument,
  findings: Findings,
  path: FindingPath,
  written: string | null,
  facts: ProviderFacts,
  mocked: boolean,
): string | null {
  let base = written === '' ? null : written;
  for (const name of facts.baseVariables) base ??= document.variable(name);
  base ??= facts.apiBase;
  if (base === null) {
    if (mocked) return '';
    findings.error(
      'missing_key',
      [...path, 'api_base'],
      'this provider has no address of its own: add api_base, for example http://localhost:8000/v1',
    );
    return null;
  }
  const plain = base.replace(/\/+$/u, '');
  const whole = facts.suffix === '' || plain.endsWith(facts.suffix) ? plain : plain + facts.suffix;
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url !== null && /^https?:$/u.test(url.protocol)) return whole;
  findings.error(
    'invalid_value',
    [...path, 'api_base'],
    'the address of a provider must be a whole URL that begins with http:// or https://',
  );
  return null;
}

function warnAboutKey(
  document: ConfigDocument,
  findings: Findings,
  path: FindingPath,
  provider: string,
  facts: ProviderFacts | null,
): void {
  if (facts === null || facts.keyVariables.length === 0) return;
  const node = document.nodeAt([...path, 'api_key']);
  const name = node?.variable ?? facts.keyVariables[0] ?? '';
  findings.warning(
    'missing_api_key',
    [...path, node === null ? 'model' : 'api_key'],
    `${name} is not set, so "${provider}" will refuse the calls of this model: set it, or add mock_without_key: true to answer from the built-in mock until it is`,
  );
}

/** `litellm_params` that this gateway does not use itself belong in the provider's body. */
function bodyDefaults(
  document: ConfigDocument,
  findings: Findings,
  path: FindingPath,
  params: Params,
  ignored: Set<string>,
): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(params)) {
    if (Object.hasOwn(PARAMS, key) || value === null) continue;
    if (BODY_PARAMS.has(key)) {
      defaults[key] = numeric(document, path, key, value);
      continue;
    }
    if (IGNORED_PARAMS.has(key)) {
      ignored.add(`model_list[].litellm_params.${key}`);
      continue;
    }
    const nearest = nearestName(key, [...Object.keys(PARAMS), ...BODY_PARAMS]);
    if (nearest !== null || SECRET_LIKE.test(key)) {
      findings.unknownKey([...path, key], Object.keys(PARAMS));
      continue;
    }
    findings.warning(
      'unknown_model_parameter',
      [...path, key],
      `"${key}" is not known here and is sent to the provider in the body of each call; remove it if that is not meant`,
      'key',
    );
    defaults[key] = value;
  }
  return defaults;
}

/** Environment variables are texts, and a provider wants numbers. */
function numeric(document: ConfigDocument, path: FindingPath, key: string, value: unknown): unknown {
  if (document.nodeAt([...path, key])?.variable === null || typeof value !== 'string') return value;
  return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}

/** The same for the same file, so that two replicas agree. */
function deploymentId(name: string, ordinal: number, deployment: Omit<Deployment, 'id'>): string {
  const identity = [name, ordinal, deployment.model, deployment.apiBase];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
}

const aliasesSchema = z
  .record(
    z.string().min(1),
    z.union([z.string().min(1), z.strictObject({ model: z.string().min(1), hidden: z.boolean().nullish() })]),
  )
  .nullish();

/** Reads `router_settings.model_group_alias`: other names of a group. */
export function readAliases(
  findings: Findings,
  path: FindingPath,
  groups: readonly ModelGroup[],
): Record<string, string> {
  const written = findings.parse(aliasesSchema, path) ?? {};
  const aliases = Object.fromEntries(
    Object.entries(written).map(([alias, target]) => [
      alias,
      typeof target === 'string' ? target : target.model,
    ]),
  );
  const serves = (name: string): boolean =>
    groups.some(
      ({ model_name }) =>
        model_name === name || (model_name.endsWith('*') && name.startsWith(model_name.slice(0, -1))),
    );
  for (const alias of Object.keys(aliases)) {
    const seen = [alias];
    let name = aliases[alias] ?? '';
    while (Object.hasOwn(aliases, name) && !seen.includes(name)) {
      seen.push(name);
      name = aliases[name] ?? '';
    }
    if (seen.includes(name)) {
      findings.error(
        'alias_loop',
        [...path, alias],
        `this alias leads back to itself: ${[...seen, name].join(' -> ')}`,
      );
    } else if (!serves(name)) {
      const nearest = nearestName(
        name,
        groups.map(({ model_name }) => model_name),
      );
      findings.error(
        'unknown_model',
        [...path, alias],
        `no model_name of model_list serves "${name}"${nearest === null ? '' : `; did you mean "${nearest}"?`}`,
      );
    }
  }
  return aliases;
}
