import { z } from 'zod';
import type { RequestFacts, Subject } from '../../guardrail.ts';

/** The path of the contract; an `api_base` may end with it already. */
const PATH = '/beta/litellm_basic_guardrail_api';

/** The version we tell services, in the field the contract has for it. */
export const LITELLM_VERSION = 'portcullis-0.1.0';

/** Where requests go for an `api_base`. */
export function endpointOf(apiBase: string): string {
  const base = apiBase.replace(/\/+$/u, '');
  return base.endsWith(PATH) ? base : base + PATH;
}

/** What a service is asked. The order of the keys is the contract's. */
export interface WireRequest {
  readonly texts: readonly string[];
  readonly images: readonly string[];
  readonly tools: readonly unknown[];
  readonly tool_calls: readonly unknown[];
  readonly structured_messages: readonly unknown[];
  readonly model: string | null;
  readonly input_type: 'request' | 'response';
  readonly request_data: Readonly<Record<string, string | null>>;
  readonly request_headers: Readonly<Record<string, string>>;
  readonly litellm_version: string;
  readonly litellm_call_id: string;
  readonly litellm_trace_id: string | null;
  readonly additional_provider_specific_params: Readonly<Record<string, unknown>>;
}

/** Client headers whose value a service may see; of the others it learns that they were there. */
const SHOWN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
]);
const SHOWN_PREFIXES = ['x-stainless-'] as const;

/** Headers that hold credentials. They are removed before us, and never leave even so. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-litellm-api-key',
]);

export const isSecretHeader = (name: string): boolean => SECRET_HEADERS.has(name.toLowerCase());

export function shownHeaders(
  headers: Readonly<Record<string, string>>,
  passedThrough: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (isSecretHeader(lower)) continue;
    const visible =
      SHOWN_HEADERS.has(lower) ||
      passedThrough.has(lower) ||
      SHOWN_PREFIXES.some((prefix) => lower.startsWith(prefix));
    shown[name] = visible ? value : '[present]';
  }
  return shown;
}

/** Who asks, from authentication alone. */
export function requestData(facts: RequestFacts): Readonly<Record<string, string | null>> {
  return {
    user_api_key_hash: facts.keyHash,
    user_api_key_alias: facts.keyAlias,
    user_api_key_user_id: facts.userId,
    user_api_key_user_email: facts.userEmail,
    user_api_key_team_id: facts.teamId,
    user_api_key_team_alias: facts.teamAlias,
    user_api_key_end_user_id: facts.endUserId,
    user_api_key_org_id: facts.organizationId,
  };
}

export type Structured = Pick<WireRequest, 'tools' | 'tool_calls' | 'structured_messages'>;

export const NOTHING_STRUCTURED: Structured = { tools: [], tool_calls: [], structured_messages: [] };

/** The parts of the dialect's own value that a service may ask for. Anything of another shape is left out. */
export function structuredOf(direction: Subject['direction'], body: unknown): Structured {
  const root = asObject(body);
  if (direction === 'request') {
    const messages = asArray(root['messages']);
    return {
      tools: asArray(root['tools']),
      tool_calls: messages.flatMap((message) => asArray(asObject(message)['tool_calls'])),
      structured_messages: messages,
    };
  }
  const calls = asArray(root['choices']).flatMap((choice) =>
    asArray(asObject(asObject(choice)['message'])['tool_calls']),
  );
  return { ...NOTHING_STRUCTURED, tool_calls: calls };
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** What a service answers. Keys we do not know are ignored; a missing or other `action` is no answer. */
export const answerSchema = z.object({
  action: z.enum(['BLOCKED', 'NONE', 'GUARDRAIL_INTERVENED']),
  blocked_reason: z.string().nullish(),
  texts: z.array(z.string()).nullish(),
  images: z.array(z.string()).nullish(),
  structured_messages: z.array(z.unknown()).nullish(),
});
export type WireAnswer = z.infer<typeof answerSchema>;
