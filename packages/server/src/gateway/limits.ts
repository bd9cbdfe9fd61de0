import { PortcullisError } from '@portcullis/contract';
import { expandModel } from '@portcullis/policy';
import type { Identity } from '../ports/identity.ts';
import {
  type Admission,
  type Admittance,
  costOf,
  type Estimate,
  type Limited,
  type LimitedKind,
  type Refused,
  NANO,
  type Standing,
} from '../ports/limits.ts';
import type { Deployment } from '../ports/models.ts';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import type { Accepted } from './accept.ts';
import type { HeaderMap } from './client.ts';
import type { Gateway } from './gateway.ts';
import type { Story } from './record.ts';

/** Text has at least about this many bytes for each token. */
const BYTES_PER_TOKEN = 3;
/** What an embedded picture or sound is counted as; its bytes say nothing. */
const MEDIA_TOKENS = 1_500;
const MEDIA_MARK = ';base64,';
/** Tokens of an answer of which neither the caller nor the configuration states the maximum. */
const USUAL_OUTPUT_TOKENS = 4_096;

/**
 * Reserves what the call may use, before anything is done for it.
 * @throws PortcullisError `rate_limited`, `budget_exceeded`, `limits_unavailable`.
 */
export function reserve(
  accepted: Accepted,
  identity: Identity,
  limits: readonly Limited[],
  snapshot: ActiveSnapshot,
  gateway: Pick<Gateway, 'limits'>,
): Admission | Promise<Admission> {
  const answer = gateway.limits.admit(limits, estimateOf(accepted, identity, snapshot));
  const told = (answer: Admittance): Admission => admitted(answer, accepted.arrival.time);
  return answer instanceof Promise ? answer.then(told) : told(answer);
}

/** What a call may use at most, as far as it can be known before it is made. */
function estimateOf(accepted: Accepted, identity: Identity, snapshot: ActiveSnapshot): Estimate {
  const { request, dialect } = accepted;
  const requested = request.model;
  const { generates } = dialect;
  const names = expandModel(snapshot.policy.models, identity.policy.model_aliases, requested);
  const group = names === 'alias_loop' || names.group === null ? undefined : snapshot.groups.get(names.group);
  const prompt = promptTokens(accepted.raw);
  const stated = statedOutput(accepted);
  let tokens = 0;
  let costNano = 0;
  let isGuess = false;
  for (const { price, maxOutputTokens, defaults } of group?.deployments ?? []) {
    const preset = statedOutput({ body: defaults });
    const most = stated ?? preset;
    if (most === null && generates) isGuess = true;
    const output = generates
      ? request.choices * (most ?? Math.min(maxOutputTokens ?? Infinity, USUAL_OUTPUT_TOKENS))
      : 0;
    tokens = Math.max(tokens, prompt + output);
    if (price !== undefined) {
      const usage = { prompt_tokens: prompt, completion_tokens: output };
      costNano = Math.max(costNano, costOf(price, usage));
    }
  }
  const models = group === undefined || group.name === requested ? [requested] : [requested, group.name];
  return { nowMs: accepted.arrival.time, models, tokens, costNano, isGuess };
}

function promptTokens(raw: Buffer): number {
  let bytes = raw.length;
  let media = 0;
  for (let at = raw.indexOf(MEDIA_MARK); at >= 0; at = raw.indexOf(MEDIA_MARK, at)) {
    const start = at + MEDIA_MARK.length;
    const end = raw.indexOf('"', start);
    at = end < 0 ? raw.length : end;
    bytes -= at - start;
    media += 1;
  }
  return Math.ceil(bytes / BYTES_PER_TOKEN) + media * MEDIA_TOKENS;
}

function statedOutput({ body }: Pick<Accepted, 'body'>): number | null {
  return (
    numberOf(body['max_completion_tokens']) ??
    numberOf(body['max_tokens']) ??
    numberOf(body['max_output_tokens'])
  );
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

const OWNERS: Readonly<Record<LimitedKind, string>> = { key: 'api_key', team: 'team', user: 'user' };

function admitted(answer: Admittance, nowMs: number): Admission {
  switch (answer.kind) {
    case 'admitted':
      return answer;
    case 'uncounted':
      throw new PortcullisError('limits_unavailable', `The call cannot be counted: ${answer.reason}.`);
    case 'refused':
      throw answer.limit === 'budget' ? overBudget(answer) : overRate(answer, nowMs);
  }
}

/** The reference's words, then what scripts of the reference do not look at. */
function overBudget({ limited, max, used, reserved, needed, resetAtMs }: Refused): PortcullisError {
  const spent = used - reserved;
  const owner = limited.kind === 'team' ? `Team=${limited.id} ` : '';
  const under =
    spent >= max
      ? ''
      : `. Calls under way have reserved ${money(reserved)} and this call may cost up to ${money(needed)}`;
  return new PortcullisError(
    'budget_exceeded',
    `Budget has been exceeded! ${owner}Current cost: ${money(spent)}, Max budget: ${money(max)}${under}`,
    {
      fields: {
        limited: limited.kind,
        budget_reset_at: resetAtMs === null ? null : new Date(resetAtMs).toISOString(),
      },
    },
  );
}

/** Billionths without the noise of fractions in base two, and never as 1e-7. */
function money(dollars: number): string {
  return dollars
    .toFixed(9)
    .replace(/(\.\d*?)0+$/u, '$1')
    .replace(/\.$/u, '');
}

function overRate({ limited, limit, max, used, resetAtMs }: Refused, nowMs: number): PortcullisError {
  const remaining = Math.max(0, max - used);
  const seconds = resetAtMs === null ? 1 : Math.max(1, Math.ceil((resetAtMs - nowMs) / 1_000));
  const resetAt = momentText(resetAtMs ?? nowMs + 1_000);
  const model = limited.model === null ? '' : ` and model ${limited.model}`;
  const which = `${OWNERS[limited.kind]}: ${limited.id}${model}`;
  const headers: Record<string, string> = {
    'retry-after': String(seconds),
    reset_at: resetAt,
    rate_limit_type: limit,
  };
  if (limit !== 'max_parallel_requests') {
    headers[`x-ratelimit-limit-${limit}`] = String(max);
    headers[`x-ratelimit-remaining-${limit}`] = String(remaining);
    headers[`x-ratelimit-reset-${limit}`] = `${seconds}s`;
  }
  return new PortcullisError(
    'rate_limited',
    `Rate limit exceeded for ${which}. Limit type: ${limit}. Current limit: ${max}, Remaining: ${remaining}. Limit resets at: ${resetAt}`,
    { headers },
  );
}

/** As the reference writes it: 2026-01-31 12:00:00 UTC. */
function momentText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The headers that tell a caller what is left. */
export function limitHeaders(
  headers: HeaderMap,
  { limits }: Identity,
  { requests, tokens, estimate }: Admission,
): void {
  const own = limits?.find(({ kind, model }) => kind === 'key' && model === null);
  if (typeof own?.requests === 'number') headers['x-litellm-key-rpm-limit'] = own.requests;
  if (typeof own?.tokens === 'number') headers['x-litellm-key-tpm-limit'] = own.tokens;
  if (requests !== null) standingHeaders(headers, 'requests', requests, estimate.nowMs);
  if (tokens !== null) standingHeaders(headers, 'tokens', tokens, estimate.nowMs);
}

function standingHeaders(
  headers: HeaderMap,
  what: 'requests' | 'tokens',
  { limit, remaining, resetAtMs }: Standing,
  nowMs: number,
): void {
  headers[`x-ratelimit-limit-${what}`] = limit;
  headers[`x-ratelimit-remaining-${what}`] = remaining;
  // As OpenAI writes durations.
  headers[`x-ratelimit-reset-${what}`] = `${Math.max(0, Math.ceil((resetAtMs - nowMs) / 1_000))}s`;
}

/**
 * Puts what a request has used in the place of what was reserved for it. Called once for every request, whatever its end.
 * Gives what it cost in dollars; null when the model has no price.
 */
export function settle({ limits }: Pick<Gateway, 'limits'>, story: Story): number | null {
  const { identified, dispatched } = story;
  if (identified === null) return null;
  const { admission, identity } = identified;
  const price = dispatched?.deployment.price;
  if (admission === null && price === undefined) return null;
  const used = usedBy(story, dispatched?.deployment);
  if (admission !== null) limits.settle(admission, used);
  if (used.costNano > 0 && identity.accounts !== undefined) limits.spend(identity.accounts, used.costNano);
  return price === undefined ? null : used.costNano / NANO;
}

const NOTHING = Object.freeze({ tokens: 0, costNano: 0 });
/** More than any call can have: what a provider says is any JSON number, and one call must not spoil the counters. */
const MOST_TOKENS = 1_000_000_000;
const MOST_COST_NANO = 1_000_000 * NANO;

function usedBy(
  story: Story,
  deployment: Deployment | undefined,
): { readonly tokens: number; readonly costNano: number } {
  const { accepted, delivered } = story;
  if (deployment === undefined || accepted === null || isUnanswered(story)) return NOTHING;
  // What a kept response has cost was counted when it was made.
  if (accepted.stored !== null) return NOTHING;
  const told = delivered?.usage ?? null;
  const usage = {
    // Providers tell usage at the end of a stream, if they are asked; until then what was seen of the answer has to do.
    prompt_tokens: countOf(told?.prompt_tokens) ?? promptTokens(accepted.raw),
    completion_tokens: countOf(told?.completion_tokens) ?? delivered?.seenTokens ?? 0,
  };
  const { price } = deployment;
  return {
    tokens: usage.prompt_tokens + usage.completion_tokens,
    costNano: price === undefined ? 0 : Math.min(costOf(price, usage), MOST_COST_NANO),
  };
}

/** A number of tokens that can be one. */
function countOf(told: number | undefined): number | null {
  if (told === undefined || !Number.isFinite(told) || told < 0) return null;
  return Math.min(Math.ceil(told), MOST_TOKENS);
}

/** Whether the provider has refused the call, or was never reached: then it cannot cost anything. */
function isUnanswered({ dispatched, delivered, ending }: Story): boolean {
  if (dispatched === null) return true;
  const status = delivered?.upstreamStatus ?? null;
  if (status !== null) return status !== 200;
  return ending.errorCode === 'upstream_unreachable' || ending.errorCode === 'upstream_rejected';
}
