// `general_settings`, `litellm_settings`, `router_settings`, and this product's own `policy_engine`.
import { type FindingPath, unscannedSchema } from '@portcullis/policy';
import { z } from 'zod';
import type { ConfigDocument } from './document.ts';
import type { Environment } from './env.ts';
import type { Findings } from './findings.ts';
import type { ModelDefaults } from './models.ts';
import { readSignOn } from './sign-on.ts';
import { nearestName } from './suggest.ts';
import type { LoadedConfig } from './types.ts';

type Settings = LoadedConfig['settings'];

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/u;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration: a number of seconds, or a text such as `500ms`, `30s`, `10m`, `2h`. Gives milliseconds. */
const durationSchema = z.union([z.number(), z.string()]).transform((value, context) => {
  const found = DURATION.exec(String(value));
  const milliseconds = found === null ? Number.NaN : Number(found[1]) * (UNIT_MS[found[2] ?? 's'] ?? 1000);
  if (milliseconds > 0) return milliseconds;
  context.addIssue({
    code: 'custom',
    message: 'expected a time above zero: seconds, or a text such as 500ms, 30s, 10m',
  });
  return z.NEVER;
});

const secondsSchema = z.coerce.number('expected a number of seconds').positive();
const hostSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9._:[\]-]+$/u,
    'expected a host name or an address alone, without "http://", port or path',
  );

const policyEngineSchema = z.strictObject({
  unscanned: unscannedSchema.nullish(),
  create_as: z.enum(['production', 'draft']).nullish(),
  principal_max_stale: durationSchema.nullish(),
  sync_interval: durationSchema
    .refine((ms) => ms >= 100 && ms <= 60_000, 'expected a time from 100ms to 60s')
    .nullish(),
  guardrail_budget: durationSchema.nullish(),
  stream_buffer_characters: z.int().min(1000).max(50_000_000).nullish(),
  allowed_private_hosts: z.array(hostSchema).nullish(),
});

const GENERAL = {
  master_key: z.string().nullish(),
  database_url: z.string().nullish(),
  redis_url: z.string().nullish(),
  limits_unavailable: z
    .enum(['local', 'block'], {
      error:
        'expected local (each replica counts by itself while Redis is away) or block (calls with limits are refused)',
    })
    .nullish(),
  litellm_key_header_name: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u, 'expected the name of an HTTP header')
    .nullish(),
  use_x_forwarded_for: z.boolean('expected true or false').nullish(),
  max_request_size_mb: z.coerce.number('expected a number').positive().max(1024).nullish(),
  disable_spend_logs: z.boolean('expected true or false').nullish(),
  store_prompts_in_spend_logs: z.boolean('expected true or false').nullish(),
  maximum_spend_logs_retention_period: durationSchema.nullish(),
  maximum_spend_logs_retention_interval: durationSchema.nullish(),
};

const LITELLM = {
  disable_add_user_agent_to_request_tags: z.boolean().nullish(),
  request_timeout: secondsSchema.nullish(),
};

const ROUTER = {
  timeout: secondsSchema.nullish(),
  stream_timeout: secondsSchema.nullish(),
};

/** Keys that other readers of this folder look at. */
const READ_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  litellm_settings: ['guardrails'],
  router_settings: ['model_group_alias'],
};

/** Settings of the reference whose names are near ours and still mean something else. */
const NO_SLIPS = new Set([
  'database_type',
  'retry_after',
  'num_retries',
  'stream_timeout',
  'request_timeout',
]);

/** Callbacks of the reference that were guardrails before guardrails had a section. */
const GUARDRAIL_CALLBACKS = new Set([
  'hide_secrets',
  'presidio',
  'lakera_prompt_injection',
  'detect_prompt_injection',
  'llamaguard_moderations',
  'llmguard_moderations',
  'google_text_moderation',
  'openai_moderations',
  'aporia_prompt_injection',
  'banned_keywords',
  'blocked_user_check',
]);

const DEFAULT_MAX_REQUEST_MB = 10;
const DEFAULT_TIMEOUT_MS = 600_000;
/** Often enough that no round has much to delete. */
const DEFAULT_RETENTION_EVERY_MS = 3_600_000;

export interface ReadSettings {
  readonly settings: Settings;
  readonly modelDefaults: ModelDefaults;
}

/** Reads all settings. What this product does not have is collected in `ignored` by dotted path. */
export function readSettings(
  document: ConfigDocument,
  findings: Findings,
  environment: Environment,
  ignored: Set<string>,
): ReadSettings {
  /** Field by field, so that one that is wrong does not hide the others. */
  const section = <Shape extends z.ZodRawShape>(
    name: string,
    shape: Shape,
  ): z.infer<z.ZodObject<Shape>> | null => {
    const value = document.valueAt([name]);
    if (value === null || value === undefined) return null;
    if (findings.parse(z.looseObject({}), [name]) === null) return null;
    collectIgnored(document, findings, name, Object.keys(shape), ignored);
    const fields = Object.keys(shape).map((key) => [
      key,
      findings.parse(z.object(shape).shape[key] as unknown as z.ZodType, [name, key]),
    ]);
    return Object.fromEntries(fields) as z.infer<z.ZodObject<Shape>>;
  };
  const general = section('general_settings', GENERAL);
  const litellm = section('litellm_settings', LITELLM);
  const router = section('router_settings', ROUTER);
  const engine =
    document.valueAt(['policy_engine']) == null
      ? null
      : findings.parse(policyEngineSchema, ['policy_engine']);

  warnAboutGuardrailCallbacks(document, findings);
  const timeoutMs =
    router?.timeout || litellm?.request_timeout
      ? 1000 * (router?.timeout ?? litellm?.request_timeout ?? 0)
      : DEFAULT_TIMEOUT_MS;
  return {
    modelDefaults: {
      timeoutMs,
      streamTimeoutMs: router?.stream_timeout ? 1000 * router.stream_timeout : timeoutMs,
    },
    settings: {
      masterKey: masterKey(document, findings, general?.master_key ?? null, environment),
      databaseUrl: databaseUrl(document, findings, general?.database_url ?? null, environment),
      keyHeaderName: general?.litellm_key_header_name?.toLowerCase() ?? null,
      sso: readSignOn(document, findings),
      useForwardedFor: general?.use_x_forwarded_for === true,
      maxRequestBytes: Math.floor((general?.max_request_size_mb ?? DEFAULT_MAX_REQUEST_MB) * 1024 * 1024),
      addUserAgentTags: litellm?.disable_add_user_agent_to_request_tags !== true,
      guardrailBudgetMs: engine?.guardrail_budget ?? 30_000,
      streamBufferCharacters: engine?.stream_buffer_characters ?? 1_000_000,
      storeRequests: general?.disable_spend_logs !== true,
      storePrompts: general?.store_prompts_in_spend_logs === true,
      logRetentionMs: general?.maximum_spend_logs_retention_period ?? null,
      logRetentionEveryMs: general?.maximum_spend_logs_retention_interval ?? DEFAULT_RETENTION_EVERY_MS,
      unscanned: engine?.unscanned ?? null,
      createAs: engine?.create_as ?? 'production',
      redisUrl: redisUrl(document, findings, general?.redis_url ?? null, environment),
      limitsUnavailable: general?.limits_unavailable ?? 'local',
      principalMaxStaleMs: engine?.principal_max_stale ?? 600_000,
      syncEveryMs: engine?.sync_interval ?? 2_000,
      allowedPrivateHosts: engine?.allowed_private_hosts ?? [],
    },
  };
}

function collectIgnored(
  document: ConfigDocument,
  findings: Findings,
  name: string,
  keys: readonly string[],
  ignored: Set<string>,
): void {
  const value = document.valueAt([name]);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const known = [...keys, ...(READ_ELSEWHERE[name] ?? [])];
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const nearest = NO_SLIPS.has(key) ? null : nearestName(key, known);
    if (nearest === null) ignored.add(`${name}.${key}`);
    else findings.unknownKey([name, key], known);
  }
}

function masterKey(
  document: ConfigDocument,
  findings: Findings,
  written: string | null,
  environment: Environment,
): string | null {
  const path: FindingPath = ['general_settings', 'master_key'];
  const inFile = written !== null && written !== '';
  const key = inFile ? written : (document.peek('LITELLM_MASTER_KEY') ?? environment.masterKey);
  if (key === null) return null;
  const report = (severity: 'error' | 'warning', code: string, message: string): void => {
    if (!inFile) findings.withoutPlace({ severity, code, message: `LITELLM_MASTER_KEY: ${message}`, path });
    else if (severity === 'error') findings.error(code, path, message);
    else findings.warning(code, path, message);
  };
  if (!key.startsWith('sk-')) {
    report('error', 'invalid_master_key', 'the master key must begin with "sk-", as every key does');
  } else if (key.length < 20) {
    report(
      'warning',
      'weak_master_key',
      'the master key is short enough to be guessed: make one with `openssl rand -hex 24` and put sk- before it',
    );
  }
  return key;
}

function databaseUrl(
  document: ConfigDocument,
  findings: Findings,
  written: string | null,
  environment: Environment,
): string | null {
  const path: FindingPath = ['general_settings', 'database_url'];
  const inFile = written !== null && written !== '';
  const url = inFile ? written : (document.peek('DATABASE_URL') ?? environment.databaseUrl);
  if (url === null) return null;
  if (!/^postgres(?:ql)?:\/\//u.test(url)) {
    const message =
      'expected the address of a PostgreSQL database: postgresql://user:password@host:5432/name';
    if (inFile) findings.error('invalid_value', path, message);
    else {
      findings.withoutPlace({
        severity: 'error',
        code: 'invalid_value',
        message: `DATABASE_URL: ${message}`,
        path,
      });
    }
  }
  return url;
}

function redisUrl(
  document: ConfigDocument,
  findings: Findings,
  written: string | null,
  environment: Environment,
): string | null {
  const path: FindingPath = ['general_settings', 'redis_url'];
  const inFile = written !== null && written !== '';
  const url = inFile ? written : (document.peek('REDIS_URL') ?? environment.redisUrl);
  if (url === null || /^rediss?:\/\//u.test(url)) return url;
  const message =
    'expected the address of a Redis or Valkey: redis://user:password@host:6379/0, or rediss:// with TLS';
  if (inFile) findings.error('invalid_value', path, message);
  else
    findings.withoutPlace({
      severity: 'error',
      code: 'invalid_value',
      message: `REDIS_URL: ${message}`,
      path,
    });
  return url;
}

/** Losing protection on the way from the reference must not go unnoticed. */
function warnAboutGuardrailCallbacks(document: ConfigDocument, findings: Findings): void {
  for (const key of ['callbacks', 'success_callback', 'input_callback']) {
    const list = document.valueAt(['litellm_settings', key]);
    if (!Array.isArray(list)) continue;
    for (const [index, name] of list.entries()) {
      if (typeof name !== 'string' || !GUARDRAIL_CALLBACKS.has(name)) continue;
      findings.warning(
        'guardrail_callback',
        ['litellm_settings', key, index],
        `the callback "${name}" protected requests in LiteLLM and does nothing here: configure it as an entry of guardrails`,
      );
    }
  }
}
