import { BINARY_KINDS, CONTENT_KINDS, commonParamsSchema, type ContentKind } from '@portcullis/policy';
import { z } from 'zod';
import { ConfigProblem, HttpFailure, type Inspection, type Subject } from '../../guardrail.ts';
import { defineService } from '../service/define.ts';
import { type Line, readJson } from '../service/line.ts';
import { headerName, headerValue, lineShape, serviceUrl } from '../service/settings.ts';
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

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  ...lineShape(0),
  api_base: serviceUrl('http(s)://...; the path of the contract is added when it is missing'),
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

const UNREADABLE_KINDS: ReadonlySet<ContentKind> = new Set(['audio', 'files']);
const READS: ReadonlySet<ContentKind> = new Set(CONTENT_KINDS.filter((kind) => !UNREADABLE_KINDS.has(kind)));

/** The webhook contract of LiteLLM: any HTTP service that speaks it is a guardrail. */
export const genericWebhook = defineService<Config>({
  ids: ['generic_guardrail_api'],
  title: 'Webhook (generic guardrail API)',
  configSchema,
  timeoutMs: 10_000,
  reads: () => READS,
  masks: () => true,
  connect(config, _ports, line) {
    const webhook = new GenericWebhook(config, line);
    return (subject, signal) => webhook.inspect(subject, signal);
  },
});

class GenericWebhook {
  readonly #config: Config;
  readonly #line: Line;
  readonly #url: string;
  readonly #passedThrough: ReadonlySet<string>;

  constructor(config: Config, line: Line) {
    const secret = config.extra_headers.findIndex(isSecretHeader);
    if (secret !== -1) {
      throw new ConfigProblem(['extra_headers', secret], "clients' credentials are never passed through");
    }
    this.#config = config;
    this.#line = line;
    this.#url = endpointOf(config.api_base);
    this.#passedThrough = new Set(config.extra_headers.map((name) => name.toLowerCase()));
  }

  async inspect(subject: Subject, signal: AbortSignal): Promise<Inspection> {
    const places = { texts: [] as number[], images: [] as number[] };
    for (const [place, { kind }] of subject.segments.entries()) {
      (BINARY_KINDS.has(kind) ? places.images : places.texts).push(place);
    }
    const request = this.#request(subject, places);
    const headers = this.#headers(subject);
    const call = { url: this.#url, headers, body: JSON.stringify(request) };
    const { body } = await this.#line.ask(call, signal);
    return inspectionOf(subject, places.texts, request, readJson(body, answerSchema));
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
