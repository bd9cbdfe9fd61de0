/**
 * The error catalogue: every code the product answers with, who has to act, and the status and `type` on the wire.
 * A code is never decided by searching a message text; `docs` generates the reference page from this table.
 *
 * `owner`: `caller` (the request is wrong), `author` (a policy or guardrail says no), `operator` (configuration or
 * environment), `upstream` (the model's provider), `us` (a fault of this product).
 */
export type ErrorOwner = 'caller' | 'author' | 'operator' | 'upstream' | 'us';

interface ErrorEntry {
  readonly status: number;
  readonly type: string;
  readonly owner: ErrorOwner;
  readonly next: string;
}

export const ERRORS = {
  invalid_json: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Send a JSON object as the body, with content-type application/json.',
  },
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Correct the field that the message names.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Send content-type application/json.',
  },
  body_too_large: {
    status: 413,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Send a smaller body, or ask the operator to raise general_settings.max_request_size_mb.',
  },
  json_too_deep: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Nest at most 64 levels of objects and arrays.',
  },
  route_not_found: {
    status: 404,
    type: 'not_found_error',
    owner: 'caller',
    next: 'GET /routes lists the routes of this gateway.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Use one of the methods in the allow header.',
  },
  authentication_failed: {
    status: 401,
    type: 'auth_error',
    owner: 'caller',
    next: 'Send a valid key: Authorization: Bearer sk-...',
  },
  key_not_found: {
    status: 401,
    type: 'token_not_found_in_db',
    owner: 'caller',
    next: 'Use a key that was made with /key/generate on this gateway.',
  },
  key_expired: { status: 401, type: 'expired_key', owner: 'caller', next: 'Ask for a new key.' },
  key_blocked: {
    status: 401,
    type: 'auth_error',
    owner: 'caller',
    next: 'Ask an administrator to unblock the key with /key/unblock.',
  },
  login_failed: {
    status: 401,
    type: 'auth_error',
    owner: 'caller',
    next: 'Check the address and the password, or sign in with the admin key; an administrator can set a new password.',
  },
  session_expired: {
    status: 401,
    type: 'auth_error',
    owner: 'caller',
    next: 'Sign in again with POST /login.',
  },
  csrf_failed: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Send the csrf_token of GET /session in the header x-csrf-token, from a page of this gateway.',
  },
  too_many_attempts: {
    status: 429,
    type: 'rate_limit_error',
    owner: 'caller',
    next: 'Wait for the seconds of the retry-after header.',
  },
  sso_not_configured: {
    status: 404,
    type: 'not_found_error',
    owner: 'operator',
    next: 'Sign in another way (GET /login/options), or give the configuration a section sso.',
  },
  sso_failed: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Ask an administrator of the gateway or of the identity provider to let you in.',
  },
  sso_invalid: {
    status: 400,
    type: 'auth_error',
    owner: 'caller',
    next: 'Begin again with GET /sso/key/generate, in the same browser.',
  },
  sso_unavailable: {
    status: 502,
    type: 'auth_error',
    owner: 'operator',
    next: 'Retry; if it stays, check sso.issuer, its network, and policy_engine.allowed_private_hosts when it is inside.',
  },
  invitation_invalid: {
    status: 400,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Ask an administrator for a new invitation.',
  },
  model_access_denied: {
    status: 403,
    type: 'key_model_access_denied',
    owner: 'caller',
    next: 'Use a model of GET /v1/models, or ask for access to this one.',
  },
  admin_only: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Use a key of an administrator.',
  },
  protection_write_forbidden: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Only a proxy_admin may write protection fields; leave them out.',
  },
  model_not_found: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'GET /v1/models lists the models of this key.',
  },
  dialect_not_supported: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Use a model whose provider serves this route; GET /v1/model/info says which provider a model has.',
  },
  unknown_guardrail: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Name only guardrails that exist.',
  },
  unknown_policy: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'Name only policies that are in production.',
  },
  unknown_policy_version: {
    status: 400,
    type: 'invalid_request_error',
    owner: 'caller',
    next: 'GET /policies/name/{name}/versions lists the versions.',
  },
  policy_versions_forbidden: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Ask for a key with allow_policy_versions.',
  },
  client_policies_forbidden: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Leave out "policies": this key or its team may not choose them.',
  },
  client_guardrails_forbidden: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Leave out "guardrails": this key or its team may not choose them.',
  },
  policy_unresolved: {
    status: 400,
    type: 'guardrail_error',
    owner: 'operator',
    next: 'Promote a version of the policy that the key, team or project names, or remove the name there.',
  },
  model_alias_loop: {
    status: 400,
    type: 'guardrail_error',
    owner: 'operator',
    next: 'Break the loop in the model aliases of the key, the team or router_settings.model_group_alias.',
  },
  guardrail_violation: {
    status: 400,
    type: 'guardrail_violation',
    owner: 'author',
    next: 'Change the content; the message names the guardrail.',
  },
  guardrail_pipeline_error: {
    status: 400,
    type: 'guardrail_pipeline_error',
    owner: 'author',
    next: 'Change the content; pipeline_context names the steps.',
  },
  guardrail_error: {
    status: 400,
    type: 'guardrail_error',
    owner: 'operator',
    next: 'A guardrail gave no verdict, so the request was refused; the reason says which and why.',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    owner: 'caller',
    next: 'Wait for the seconds of the retry-after header, or ask an administrator for a higher limit.',
  },
  budget_exceeded: {
    status: 400,
    type: 'budget_exceeded',
    owner: 'caller',
    next: 'Ask an administrator for a higher budget, or wait until it is renewed (budget_reset_at).',
  },
  limits_unavailable: {
    status: 503,
    type: 'no_db_connection',
    owner: 'operator',
    next: 'Retry; calls with limits cannot be counted now, and /health/readiness says why.',
  },
  key_type_forbidden: {
    status: 403,
    type: 'auth_error',
    owner: 'caller',
    next: 'Use a key of another key_type; GET /key/info shows the type of this one.',
  },
  policy_not_ready: {
    status: 503,
    type: 'internal_server_error',
    owner: 'operator',
    next: 'Wait until /health/readiness answers 200.',
  },
  revision_not_reached: {
    status: 503,
    type: 'internal_server_error',
    owner: 'operator',
    next: 'Retry; if it stays, /health/readiness of this replica says why it does not follow.',
  },
  identity_unavailable: {
    status: 503,
    type: 'no_db_connection',
    owner: 'operator',
    next: 'Retry; the key could not be looked up because the database is away.',
  },
  database_unavailable: {
    status: 503,
    type: 'no_db_connection',
    owner: 'operator',
    next: 'Retry when the database is back.',
  },
  invalid_transition: {
    status: 400,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'A draft can be published, a published version promoted, a production version demoted to published.',
  },
  not_editable: {
    status: 400,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Make a draft with POST /policies/name/{name}/versions and edit that.',
  },
  defined_in_config: {
    status: 400,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Change the configuration file, or make a version in the database, which wins when it is promoted.',
  },
  source_mismatch: {
    status: 400,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Give the id of a version of the policy that the path names.',
  },
  unknown_selector: {
    status: 400,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Name teams, keys and models that exist, or end the pattern in "*".',
  },
  has_dependents: {
    status: 409,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Change what the list of dependents names, or delete with ?force=true, which removes them too.',
  },
  no_previous_version: {
    status: 409,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Promote the version you want with PUT /policies/{id}/status.',
  },
  ambiguous_reference: {
    status: 409,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Ask with the id instead of the alias.',
  },
  revision_stale: {
    status: 412,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Read again what has changed since, and send the new revision in If-Match.',
  },
  idempotency_key_reused: {
    status: 422,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Send a new Idempotency-Key with a new request; repeat the same request to get its answer again.',
  },
  config_mismatch: {
    status: 503,
    type: 'internal_server_error',
    owner: 'operator',
    next: 'Start every replica with the same configuration file, or ask one that has the newest.',
  },
  stored_rows_unreadable: {
    status: 500,
    type: 'internal_server_error',
    owner: 'operator',
    next: 'Repair or remove the rows that the message names; the last good snapshot stays in force.',
  },
  name_taken: { status: 409, type: 'bad_request_error', owner: 'caller', next: 'Choose another name.' },
  not_found: { status: 404, type: 'not_found_error', owner: 'caller', next: 'Check the id or name.' },
  unprocessable: {
    status: 422,
    type: 'bad_request_error',
    owner: 'caller',
    next: 'Correct the fields that the detail names.',
  },
  upstream_unreachable: {
    status: 502,
    type: 'upstream_error',
    owner: 'upstream',
    next: 'Retry; if it stays, check api_base of the model and its network.',
  },
  upstream_timeout: {
    status: 504,
    type: 'upstream_error',
    owner: 'upstream',
    next: 'Retry, or raise the timeout of the model.',
  },
  upstream_invalid: {
    status: 502,
    type: 'upstream_error',
    owner: 'upstream',
    next: 'The provider sent what is no valid answer; retry, and check that api_base speaks this dialect.',
  },
  upstream_rejected: {
    status: 502,
    type: 'upstream_error',
    owner: 'upstream',
    next: 'The provider refused the call; the message holds its words.',
  },
  client_disconnected: {
    status: 499,
    type: 'client_error',
    owner: 'caller',
    next: 'The client closed the connection before the answer was complete.',
  },
  internal: {
    status: 500,
    type: 'internal_server_error',
    owner: 'us',
    next: 'Retry; report the x-litellm-call-id if it stays.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** The OpenAI-shaped body. `code` is the status as a string, as clients of the reference expect; `param` may be null. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly provider_specific_fields?: Readonly<Record<string, unknown>>;
    readonly [extra: string]: unknown;
  };
}

/** An expected failure with a code of the catalogue. Thrown once, translated once, at the edge. */
export class PortcullisError extends Error {
  override readonly name = 'PortcullisError';
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Headers of the answer that belong to this failure, such as `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param message says the place and the reason; the next step comes from the catalogue.
   * @param options `param`: the field at fault; `fields`: further members of the error object; `headers`: of
   *   the answer; `cause`: for the log only.
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: {
      param?: string | null;
      fields?: Readonly<Record<string, unknown>>;
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
    this.fields = options.fields ?? {};
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** The wire body of an error. `portcullis_code` is the catalogue's code, for people and scripts. */
export function errorBody(error: PortcullisError): ErrorBody {
  const entry = ERRORS[error.code];
  return {
    error: {
      message: error.message,
      type: entry.type,
      param: error.param,
      code: String(entry.status),
      portcullis_code: error.code,
      next_step: entry.next,
      ...error.fields,
    },
  };
}
