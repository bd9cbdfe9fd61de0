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
  const { accepted, identity } = planned.identified;
  const { policy } = identity;
  return {
    callId: accepted.arrival.callId,
    model: accepted.request.model,
    keyHash: policy.key_hash,
    keyAlias: policy.key_alias?.value ?? null,
    userId: policy.user_id,
    userEmail: identity.userEmail,
    teamId: policy.team_id,
    teamAlias: policy.team_alias,
    endUserId: typeof accepted.body['user'] === 'string' ? accepted.body['user'] : null,
    organizationId: identity.organizationId,
    headers: withoutCredentials(planned),
    body,
  };
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
