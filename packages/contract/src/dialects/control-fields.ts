import type { RequestedGuardrail } from '@portcullis/policy';
import { PortcullisError } from '../errors.ts';
import { isObject, type JsonObject } from './segments.ts';

/**
 * Fields by which a caller could try to weaken protection or forge a record (O4). They are never read: they are removed
 * from the root, `metadata` and `litellm_metadata`, and counted.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'disable_global_guardrails',
  'disable_global_guardrail',
  'opted_out_global_guardrails',
  'applied_guardrails',
  'applied_policies',
  'policy_sources',
  '_guardrail_pipelines',
  '_pipeline_managed_guardrails',
  'standard_logging_object',
  'standard_logging_guardrail_information',
  'proxy_server_request',
  'litellm_params',
  'litellm_logging_obj',
  'callbacks',
  'success_callback',
  'failure_callback',
  'service_callback',
  'allow_policy_versions',
  'api_base',
  'base_url',
  'api_key',
]);

/** Fields that this gateway reads itself and never sends to a provider. */
const CONSUMED: ReadonlySet<string> = new Set([
  'guardrails',
  'guardrail_config',
  'policies',
  'tags',
  'litellm_metadata',
  'mock_response',
  'fallbacks',
  'num_retries',
  'timeout',
  'litellm_trace_id',
  'litellm_session_id',
  'litellm_call_id',
  'no-log',
  'cache',
]);

/** What a caller may say to the gateway inside a body. All of it is a caller's word: it only adds protection (M7, O5). */
export interface ControlFields {
  readonly guardrails: readonly RequestedGuardrail[];
  readonly policies: readonly string[];
  readonly tags: readonly string[];
  readonly mockResponse: string | null;
  readonly timeoutSeconds: number | null;
  readonly fallbacks: readonly unknown[];
  readonly traceId: string | null;
  /** Names of forbidden fields that were found and removed, such as `metadata.applied_policies`. */
  readonly stripped: readonly string[];
  /** The body holds fields that must not be sent on. */
  readonly hasOwnFields: boolean;
}

const NOTHING: readonly never[] = [];

export const NO_CONTROL_FIELDS: ControlFields = Object.freeze({
  guardrails: NOTHING,
  policies: NOTHING,
  tags: NOTHING,
  mockResponse: null,
  timeoutSeconds: null,
  fallbacks: NOTHING,
  traceId: null,
  stripped: NOTHING,
  hasOwnFields: false,
});

function invalid(param: string, what: string): PortcullisError {
  return new PortcullisError('invalid_request', `"${param}" must be ${what}.`, { param });
}

function names(value: unknown, param: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((name) => typeof name !== 'string' || name.length === 0)) {
    throw invalid(param, 'a list of non-empty strings');
  }
  return value as string[];
}

function paramsOf(value: unknown, param: string): JsonObject | null {
  if (value === null || value === true) return null;
  if (!isObject(value)) throw invalid(param, 'an object with "extra_body", true or false');
  const extra = value['extra_body'];
  if (extra === undefined) return Object.keys(value).length === 0 ? null : value;
  if (!isObject(extra)) throw invalid(`${param}.extra_body`, 'an object');
  return extra;
}

/**
 * The three written forms of `guardrails` (O5): a list of names, a list of one-key objects, an object. `false` is a no-op.
 * @throws PortcullisError `invalid_request` for anything else, because a misread list would be missing protection.
 */
export function readGuardrails(value: unknown, param: string): RequestedGuardrail[] {
  if (value === undefined || value === null) return [];
  const found: RequestedGuardrail[] = [];
  const add = (name: string, given: unknown): void => {
    if (name.length === 0) throw invalid(param, 'a list of non-empty names');
    if (given === false) return;
    found.push({ name, params: paramsOf(given, `${param}.${name}`) });
  };
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'string') {
        add(item, true);
        continue;
      }
      const entries = isObject(item) ? Object.entries(item) : [];
      const [entry] = entries;
      if (entry === undefined || entries.length > 1)
        throw invalid(param, 'a list of names or of one-key objects');
      add(entry[0], entry[1]);
    }
  } else if (isObject(value)) {
    for (const [name, given] of Object.entries(value)) add(name, given);
  } else {
    throw invalid(param, 'a list of names, a list of one-key objects, or an object');
  }
  return found;
}

/** `metadata` may be sent as a JSON string; what is neither that nor an object is refused. */
function metadataOf(body: JsonObject, field: 'metadata' | 'litellm_metadata'): JsonObject | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (isObject(value)) return value;
  if (typeof value === 'string') {
    try {
      const parsed: unknown = JSON.parse(value);
      if (isObject(parsed)) return parsed;
    } catch {
      // Falls through to the refusal below, like every other text that is no object.
    }
  }
  throw invalid(field, 'an object');
}

/**
 * Reads and counts everything in a body that is meant for the gateway, from the root, `metadata` and `litellm_metadata`.
 * @throws PortcullisError `invalid_request` when one of these fields is malformed.
 */
export function readControlFields(body: JsonObject): ControlFields {
  let own = false;
  for (const key in body) {
    if (CONSUMED.has(key) || FORBIDDEN.has(key) || key === 'metadata' || key.startsWith('user_api_key')) {
      own = true;
      break;
    }
  }
  if (!own) return NO_CONTROL_FIELDS;

  const stripped: string[] = [];
  const guardrails: RequestedGuardrail[] = [];
  const policies: string[] = [];
  const tags: string[] = [];
  const places: [string, JsonObject | null][] = [
    ['', body],
    ['metadata.', metadataOf(body, 'metadata')],
    ['litellm_metadata.', metadataOf(body, 'litellm_metadata')],
  ];
  for (const [prefix, place] of places) {
    if (place === null) continue;
    for (const key of Object.keys(place)) {
      if (FORBIDDEN.has(key) || key.startsWith('user_api_key')) stripped.push(prefix + key);
    }
    guardrails.push(...readGuardrails(place['guardrails'], `${prefix}guardrails`));
    policies.push(...names(place['policies'], `${prefix}policies`));
    tags.push(...names(place['tags'], `${prefix}tags`));
  }
  const mock = body['mock_response'];
  if (mock !== undefined && mock !== null && typeof mock !== 'string')
    throw invalid('mock_response', 'a string');
  const timeout = body['timeout'];
  if (timeout !== undefined && timeout !== null && !(typeof timeout === 'number' && timeout > 0)) {
    throw invalid('timeout', 'a positive number of seconds');
  }
  const fallbacks = body['fallbacks'];
  if (fallbacks !== undefined && fallbacks !== null && !Array.isArray(fallbacks)) {
    throw invalid('fallbacks', 'a list');
  }
  const trace = body['litellm_trace_id'];
  return {
    guardrails,
    policies,
    tags,
    mockResponse: mock ?? null,
    timeoutSeconds: timeout ?? null,
    fallbacks: fallbacks ?? [],
    traceId: typeof trace === 'string' ? trace : null,
    stripped,
    hasOwnFields: true,
  };
}

/**
 * The body without the fields that are meant for this gateway or forbidden. `metadata` is sent on only with
 * `store: true`, the one case in which a provider keeps it, and without the gateway's own members.
 */
export function withoutControlFields(body: JsonObject): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(body)) {
    if (CONSUMED.has(key) || FORBIDDEN.has(key) || key.startsWith('user_api_key')) continue;
    if (key === 'metadata') {
      const metadata = body['store'] === true ? metadataOf(body, 'metadata') : null;
      if (metadata === null) continue;
      const kept = Object.entries(metadata).filter(
        ([name]) => !CONSUMED.has(name) && !FORBIDDEN.has(name) && !name.startsWith('user_api_key'),
      );
      if (kept.length > 0) result[key] = Object.fromEntries(kept);
      continue;
    }
    if (key === '__proto__') continue; // No provider knows it, and assigning it would change the object's prototype.
    result[key] = body[key];
  }
  return result;
}
