import { BINARY_KINDS, CONTENT_KINDS, commonParamsSchema, type ContentKind, HOOKS } from '@portcullis/policy';
import { z } from 'zod';
import {
  ConfigProblem,
  type Detector,
  type DetectorDefinition,
  HttpFailure,
  type Inspection,
  type Ports,
  type Subject,
} from '../../guardrail.ts';
import {
  answerSchema,
  endpointOf,
  isSecretHeader,
  LITELLM_VERSION,
  NOTHING_STRUCTURED,
  requestData,
  shownHeaders,
  structuredOf,
  type WireAnswer,
  type WireRequest,
} from './wire.ts';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/iu;
const headerName = z.string().regex(HEADER_NAME, 'this is no name of a header');
// oxlint-disable-next-line no-control-regex -- control characters are exactly what a header must not hold
const HEADER_VALUE = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/u;
const headerValue = z.string().regex(HEADER_VALUE, 'this cannot be sent in a header');

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  api_base: z
    .url({ protocol: /^https?$/u })
    .describe('http(s)://...; the path of the contract is added when it is missing'),
  api_key: headerValue.nullish().meta({ description: 'Sent as x-api-key', secret: true }),
  /** Any of them may be a credential, whatever its name. */
  headers: z
    .record(headerName, headerValue)
    .default({})
    .meta({ description: 'Sent with every request', secret: true }),
  extra_headers: z.array(headerName).default([]).describe('Client headers that are passed through'),
  additional_provider_specific_params: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Passed to the service as they are'),
});
type Config = z.infer<typeof configSchema>;

/** The largest answer of a service that is read. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 10_000;

const UNREADABLE_KINDS: ReadonlySet<ContentKind> = new Set(['audio', 'files']);
const READS: ReadonlySet<ContentKind> = new Set(CONTENT_KINDS.filter((kind) => !UNREADABLE_KINDS.has(kind)));

/** Statuses that say that nobody answered (E1 `unreachable`). */
const UNREACHABLE_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** The webhook contract of LiteLLM: any HTTP service that speaks it is a guardrail. */
export const genericWebhook: DetectorDefinition<Config> = {
  ids: ['generic_guardrail_api'],
  title: 'Webhook (generic guardrail API)',
  configSchema,
  facts: (config) => ({ hooks: HOOKS, masks: !asksDuringCall(config) }),
  reads: () => READS,
  deterministic: false,
  remote: true,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  create: (config, ports) => new GenericWebhook(config, ports),
};

/**
 * The compiler refuses masking guardrails in during_call (P7). A service that is asked there too is taken for one that
 * blocks; a rewrite it answers with there all the same is undeliverable (E1), in other hooks it is made.
 */
function asksDuringCall({ mode }: Config): boolean {
  const hooks = Array.isArray(mode) ? mode : [...mode.default, ...Object.values(mode.tags).flat()];
  return hooks.includes('during_call');
}

class GenericWebhook implements Detector {
  readonly #config: Config;
  readonly #http: Ports['http'];
  readonly #url: string;
  readonly #passedThrough: ReadonlySet<string>;

  constructor(config: Config, ports: Ports) {
    const secret = config.extra_headers.findIndex(isSecretHeader);
    if (secret !== -1) {
      throw new ConfigProblem(['extra_headers', secret], "clients' credentials are never passed through");
    }
    this.#config = config;
    this.#http = ports.http;
    this.#url = endpointOf(config.api_base);
    this.#passedThrough = new Set(config.extra_headers.map((name) => name.toLowerCase()));
  }

  async inspect(subject: Subject, signal: AbortSignal): Promise<Inspection> {
    const places = { texts: [] as number[], images: [] as number[] };
    for (const [place, { kind }] of subject.segments.entries()) {
      (BINARY_KINDS.has(kind) ? places.images : places.texts).push(place);
    }
    const request = this.#request(subject, places);
    const answer = await this.#http.send({
      method: 'POST',
      url: this.#url,
      headers: this.#headers(subject),
      body: JSON.stringify(request),
      timeoutMs: this.#config.timeout === null ? DEFAULT_TIMEOUT_MS : this.#config.timeout * 1000,
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    return inspectionOf(subject, places.texts, request, readAnswer(answer.status, answer.body));
  }

  #headers(subject: Subject): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(subject.request.headers)) {
      if (this.#passedThrough.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
    }
    // What the administrator wrote wins over what the client sent.
    for (const [name, value] of Object.entries(this.#config.headers)) headers[name.toLowerCase()] = value;
    headers['content-type'] = 'application/json';
    const { api_key: key } = this.#config;
    if (key !== null && key !== undefined && key !== '') headers['x-api-key'] = key;
    return headers;
  }

  #request(subject: Subject, places: { readonly texts: number[]; readonly images: number[] }): WireRequest {
    const { request: facts, segments } = subject;
    const textAt = (place: number) => segments[place]?.text ?? '';
    return {
      texts: places.texts.map(textAt),
      images: places.images.map(textAt),
      ...this.#structured(subject),
      model: facts.model,
      input_type: subject.direction,
      request_data: requestData(facts),
      request_headers: shownHeaders(facts.headers, this.#passedThrough),
      litellm_version: LITELLM_VERSION,
      litellm_call_id: facts.callId,
      litellm_trace_id: facts.traceId ?? null,
      additional_provider_specific_params: {
        ...this.#config.additional_provider_specific_params,
        ...subject.params,
      },
    };
  }

  /**
   * The dialect's own value is the content as it came in, whole. It is only shown to a service that may see all kinds,
   * and not beside texts that were masked in the meantime.
   */
  #structured(subject: Subject) {
    const masked = subject.segments.some((segment, place) => segment.text !== subject.original[place]?.text);
    if (masked || this.#config.scan !== null) return NOTHING_STRUCTURED;
    return structuredOf(subject.direction, subject.request.body);
  }
}

function readAnswer(status: number, body: string): WireAnswer {
  if (UNREACHABLE_STATUSES.has(status))
    throw new HttpFailure('unreachable', `the service answered ${status}`);
  if (status !== 200) throw new HttpFailure('fault', `the service answered ${status}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new HttpFailure('fault', 'the service did not answer with JSON');
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success)
    throw new HttpFailure('fault', 'the service did not answer in the form of the contract');
  return parsed.data;
}

function inspectionOf(
  subject: Subject,
  textPlaces: readonly number[],
  request: WireRequest,
  answer: WireAnswer,
): Inspection {
  const clean: Inspection = {
    outcome: { outcome: 'clean' },
    edits: [],
    detections: [],
    unread: [],
    trace: { guardrail_response: { action: answer.action } },
  };
  switch (answer.action) {
    case 'NONE':
      return clean;
    case 'BLOCKED': {
      const message = answer.blocked_reason || 'Content blocked by guardrail';
      return {
        ...clean,
        outcome: { outcome: 'flagged', action: 'block', message },
        detections: [detection('BLOCK', null)],
        // The service wrote its reason with the content before it, and may quote it.
        trace: { ...clean.trace, reason: 'blocked by the service' },
      };
    }
    case 'GUARDRAIL_INTERVENED':
      return rewritten(subject, textPlaces, request, answer, clean);
  }
}

/** The new texts, each in place of the old one. */
function rewritten(
  subject: Subject,
  textPlaces: readonly number[],
  request: WireRequest,
  { texts, images, structured_messages: messages }: WireAnswer,
  clean: Inspection,
): Inspection {
  const otherImages = images != null && !sameList(images, request.images);
  const otherMessages =
    messages != null && JSON.stringify(messages) !== JSON.stringify(request.structured_messages);
  if (otherImages || (texts == null && otherMessages)) {
    const reason = 'the service rewrote something else than texts';
    return { ...clean, outcome: { outcome: 'error', error_class: 'undeliverable', reason } };
  }
  if (texts == null) throw new HttpFailure('fault', 'the service intervened without texts');
  if (texts.length !== textPlaces.length) {
    throw new HttpFailure('fault', `the service answered ${texts.length} texts for ${textPlaces.length}`);
  }
  const edits = textPlaces.flatMap((place, index) => {
    const before = subject.segments[place]?.text ?? '';
    const replacement = texts[index] ?? '';
    return replacement === before ? [] : [{ segment: place, start: 0, end: before.length, replacement }];
  });
  if (edits.length === 0) return clean;
  return {
    ...clean,
    outcome: { outcome: 'masked' },
    edits,
    detections: edits.map(({ segment, end }) => detection('MASK', { segment, start: 0, end })),
  };
}

const sameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

function detection(action: 'BLOCK' | 'MASK', span: Inspection['detections'][number]['span']) {
  return {
    type: 'webhook',
    span,
    action,
    method: 'service',
    score: null,
    category: null,
    severity: null,
    hash: null,
  } as const;
}
