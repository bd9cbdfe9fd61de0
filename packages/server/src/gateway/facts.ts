import type { RequestFacts } from '@portcullis/guardrails';
import type { PlannedRequest } from './plan.ts';

const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
]);

/** What detectors may know of a request. Identity comes from authentication alone, never from the body. */
export function requestFacts(planned: PlannedRequest, body: unknown): RequestFacts {
  return new FactsOf(planned, body);
}

/** Read off the request when asked: most detectors never ask. */
class FactsOf implements RequestFacts {
  readonly body: unknown;
  readonly #planned: PlannedRequest;
  #headers: Readonly<Record<string, string>> | null = null;

  constructor(planned: PlannedRequest, body: unknown) {
    this.#planned = planned;
    this.body = body;
  }

  get #identity(): PlannedRequest['identified']['identity'] {
    return this.#planned.identified.identity;
  }

  get callId(): string {
    return this.#planned.identified.accepted.arrival.callId;
  }

  get model(): string {
    return this.#planned.identified.accepted.request.model;
  }

  get keyHash(): string | null {
    return this.#identity.policy.key_hash;
  }

  get keyAlias(): string | null {
    return this.#identity.policy.key_alias?.value ?? null;
  }

  get userId(): string | null {
    return this.#identity.policy.user_id;
  }

  get userEmail(): string | null {
    return this.#identity.userEmail;
  }

  get teamId(): string | null {
    return this.#identity.policy.team_id;
  }

  get teamAlias(): string | null {
    return this.#identity.policy.team_alias;
  }

  get endUserId(): string | null {
    const { user } = this.#planned.identified.accepted.body;
    return typeof user === 'string' ? user : null;
  }

  get organizationId(): string | null {
    return this.#identity.organizationId;
  }

  get accounts(): readonly string[] {
    return this.#identity.accounts ?? [];
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= withoutCredentials(this.#planned);
    return this.#headers;
  }
}

function withoutCredentials(planned: PlannedRequest): Readonly<Record<string, string>> {
  const own = planned.snapshot.settings.keyHeaderName;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(planned.identified.accepted.arrival.headers)) {
    if (value === undefined || CREDENTIALS.has(name) || name === own) continue;
    kept[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return kept;
}
