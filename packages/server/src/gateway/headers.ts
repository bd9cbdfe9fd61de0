import { appliedGuardrailsHeader, appliedPoliciesHeader, policySourcesHeader } from '@portcullis/policy';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import type { Arrival } from './accept.ts';
import type { HeaderMap } from './client.ts';
import type { Dispatched } from './dispatch.ts';
import type { Gateway } from './gateway.ts';
import { limitHeaders } from './limits.ts';
import type { PlannedRequest } from './plan.ts';

/** How far a request came; what is not reached is null. */
export interface Reached {
  readonly arrival: Arrival;
  readonly snapshot: ActiveSnapshot | null;
  readonly planned: PlannedRequest | null;
  readonly dispatched: Dispatched | null;
}

/**
 * The headers that every data-plane answer has, errors and stream starts included (H1).
 * `applied` are the guardrails of `x-litellm-applied-guardrails`, in plan order (E3); `upstreamMs` is the time spent
 * waiting for the provider so far.
 */
export function answerHeaders(
  gateway: Gateway,
  reached: Reached,
  applied: readonly string[],
  upstreamMs: number | null,
): HeaderMap {
  const { arrival, snapshot, planned, dispatched } = reached;
  const headers: HeaderMap = {
    'x-litellm-call-id': arrival.callId,
    'x-litellm-version': gateway.version,
  };
  if (snapshot !== null) headers['x-portcullis-revision'] = snapshot.revision;
  if (planned !== null) {
    const { decision, context } = planned;
    if (decision.plan.policies.length > 0) {
      const policies = appliedPoliciesHeader(planned.snapshot.policy, decision);
      if (policies !== null) headers['x-litellm-applied-policies'] = policies;
      const sources = policySourcesHeader(planned.snapshot.policy, context, decision);
      if (sources !== null) headers['x-litellm-policy-sources'] = sources;
    }
    headers['x-litellm-model-group'] = headerSafe(planned.group.name);
    const { admission, identity } = planned.identified;
    if (admission !== null) limitHeaders(headers, identity, admission);
  }
  const guardrails = applied.length === 0 ? null : appliedGuardrailsHeader(applied);
  if (guardrails !== null) headers['x-litellm-applied-guardrails'] = guardrails;
  if (dispatched !== null) headers['x-litellm-model-id'] = headerSafe(dispatched.deployment.id);
  const duration = gateway.clock.monotonic() - arrival.start;
  headers['x-litellm-response-duration-ms'] = milliseconds(duration);
  if (upstreamMs !== null)
    headers['x-litellm-overhead-duration-ms'] = milliseconds(Math.max(0, duration - upstreamMs));
  return headers;
}

/** Two digits are enough to see what the gateway adds. */
export function milliseconds(duration: number): number {
  return Math.round(duration * 100) / 100;
}

/** A configured name as a header value: what a header must not hold is percent-encoded. */
function headerSafe(text: string): string {
  return /^[\x21-\x24\x26-\x2b\x2d-\x7e]*$/u.test(text) ? text : encodeURIComponent(text);
}
