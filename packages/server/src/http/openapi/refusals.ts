import { type ErrorCode, ERRORS } from '@portcullis/contract';
import type { Route } from '../../control/route.ts';
import { schemaRef } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a key that does not open is told. */
const KEY_REFUSED: readonly ErrorCode[] = [
  'authentication_failed',
  'key_not_found',
  'key_expired',
  'key_blocked',
  'identity_unavailable',
];
const BODY_REFUSED: readonly ErrorCode[] = [
  'invalid_json',
  'json_too_deep',
  'body_too_large',
  'unsupported_media_type',
];

/** The codes of the catalogue that follow from the declaration of a management route. */
export function controlRefusals({ permission, path, method, body }: Route): readonly ErrorCode[] {
  return [
    ...(permission === 'open' ? [] : [...KEY_REFUSED, 'admin_only' as const, 'key_type_forbidden' as const]),
    ...(body === undefined ? [] : BODY_REFUSED),
    ...(path.includes('/:') ? ['not_found' as const] : []),
    ...(method === 'GET' ? [] : ['name_taken' as const]),
    'unprocessable',
    'database_unavailable',
    'internal',
  ];
}

/** The codes of reads that the data plane answers. */
export const READ_REFUSALS: readonly ErrorCode[] = [...KEY_REFUSED, 'policy_not_ready', 'internal'];

/** The codes of a call of a model. */
export const CALL_REFUSALS: readonly ErrorCode[] = [
  ...BODY_REFUSED,
  'invalid_request',
  ...KEY_REFUSED,
  'key_type_forbidden',
  'model_access_denied',
  'model_not_found',
  'dialect_not_supported',
  'unknown_guardrail',
  'unknown_policy',
  'unknown_policy_version',
  'policy_versions_forbidden',
  'client_policies_forbidden',
  'client_guardrails_forbidden',
  'policy_unresolved',
  'model_alias_loop',
  'guardrail_violation',
  'guardrail_pipeline_error',
  'guardrail_error',
  'rate_limited',
  'budget_exceeded',
  'limits_unavailable',
  'policy_not_ready',
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_invalid',
  'upstream_rejected',
  'internal',
];

/** Collects the responses that operations share: one for each status and set of codes. */
export class SharedResponses {
  readonly components: Record<string, Json> = {};

  /** The responses of one operation by status, and `default` for every other code of the catalogue. */
  of(codes: readonly ErrorCode[]): Json {
    const byStatus = new Map<number, ErrorCode[]>();
    for (const code of codes) {
      const { status } = ERRORS[code];
      byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
    }
    const responses: Record<string, Json> = { default: this.#other() };
    for (const [status, some] of byStatus) responses[String(status)] = this.#shared(status, some);
    return responses;
  }

  #shared(status: number, codes: readonly ErrorCode[]): Json {
    const name = [status, ...codes].join('.');
    const description = codes.map((code) => `\`${code}\`: ${ERRORS[code].next}`).join('\n\n');
    this.components[name] ??= { ...problem(description), 'x-portcullis-codes': codes };
    return { $ref: `#/components/responses/${name}` };
  }

  #other(): Json {
    this.components['other'] ??= problem('Any other code of the catalogue (`x-portcullis-errors`).');
    return { $ref: '#/components/responses/other' };
  }
}

function problem(description: string): Json {
  return { description, content: { 'application/json': { schema: schemaRef('Error') } } };
}

/** The body of every refusal. `detail` is there on management routes, for scripts of the reference. */
export const ERROR_SCHEMA: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code', 'portcullis_code', 'next_step'],
      properties: {
        message: { type: 'string', description: 'The place and the reason.' },
        type: { type: 'string' },
        param: { type: ['string', 'null'], description: 'The field at fault.' },
        code: { type: 'string', description: 'The HTTP status, as a text.' },
        portcullis_code: { type: 'string', enum: Object.keys(ERRORS) },
        next_step: { type: 'string', description: 'What to do now.' },
      },
    },
    detail: {
      description: 'Management routes: the message, or what is wrong with each field.',
      anyOf: [
        { type: 'string' },
        {
          type: 'array',
          items: {
            type: 'object',
            required: ['loc', 'msg', 'type'],
            properties: {
              loc: { type: 'array', items: { type: ['string', 'integer'] } },
              msg: { type: 'string' },
              type: { type: 'string' },
            },
          },
        },
      ],
    },
  },
};
