import { durationMs, FieldsError, type KeyLimitsRequest, type LimitsRequest } from '@portcullis/contract';
import { type LimitSettings, NANO, periodOf, type Spent } from '../ports/limits.ts';

/** What was spent, read together with the objects that are shown. */
export interface Seen {
  readonly nowMs: number;
  readonly spent: ReadonlyMap<string, Spent>;
}

/** Limits after a write: only given fields change, `null` clears. */
export function applyLimits(before: LimitSettings, request: LimitsRequest, nowMs: number): LimitSettings {
  const { budget_duration: duration } = request;
  const isOther = duration !== undefined && duration !== (before.budget_duration ?? null);
  return written(before, {
    rpm_limit: request.rpm_limit,
    tpm_limit: request.tpm_limit,
    max_parallel_requests: request.max_parallel_requests,
    max_budget: request.max_budget,
    soft_budget: request.soft_budget,
    // Another length of the period begins a new one.
    ...(isOther
      ? {
          budget_duration: duration,
          budget_period_ms: duration === null ? null : durationMs(duration),
          budget_since: duration === null ? null : nowMs,
        }
      : {}),
  });
}

/** The same for a key, which has limits for single models and may have a higher budget for a while. */
export function applyKeyLimits(
  before: LimitSettings,
  request: KeyLimitsRequest,
  nowMs: number,
): LimitSettings {
  const { temp_budget_increase: increase, temp_budget_expiry: expiry } = request;
  const after = written(applyLimits(before, request, nowMs), {
    model_rpm_limit: request.model_rpm_limit,
    model_tpm_limit: request.model_tpm_limit,
    temp_budget_increase: increase,
    temp_budget_expiry:
      typeof increase === 'number' && typeof expiry === 'string' ? Date.parse(expiry) : increase,
  });
  if (typeof increase === 'number' && after.max_budget === undefined) {
    throw new FieldsError([
      {
        loc: ['body', 'temp_budget_increase'],
        msg: 'there is no max_budget that it could increase',
        type: 'value',
      },
    ]);
  }
  return after;
}

type Writes = { readonly [Name in keyof LimitSettings]: LimitSettings[Name] | null | undefined };

function written(before: LimitSettings, writes: Writes): LimitSettings {
  const after = Object.entries({ ...before, ...given(writes) });
  return Object.fromEntries(after.filter(([, value]) => value !== null));
}

function given(writes: Writes): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(writes).filter(([, value]) => value !== undefined));
}

/** Limits and spending as every object shows them. `seen` is null where nobody has asked what was spent. */
export function limitsShown(
  limits: LimitSettings,
  account: string,
  seen: Seen | null,
): Readonly<Record<string, unknown>> {
  const period = { periodMs: limits.budget_period_ms ?? null, sinceMs: limits.budget_since ?? 0 };
  const { startMs, endMs } = periodOf(period, seen?.nowMs ?? period.sinceMs);
  const spent = seen?.spent.get(account);
  return {
    spend: spent === undefined || spent.sinceMs < startMs ? 0 : spent.nano / NANO,
    max_budget: limits.max_budget ?? null,
    soft_budget: limits.soft_budget ?? null,
    budget_duration: limits.budget_duration ?? null,
    budget_reset_at: endMs === null ? null : new Date(endMs).toISOString(),
    max_parallel_requests: limits.max_parallel_requests ?? null,
    tpm_limit: limits.tpm_limit ?? null,
    rpm_limit: limits.rpm_limit ?? null,
  };
}

/** What only keys have. */
export function keyLimitsShown(limits: LimitSettings): Readonly<Record<string, unknown>> {
  const { temp_budget_increase: increase, temp_budget_expiry: expiry } = limits;
  return {
    model_rpm_limit: limits.model_rpm_limit ?? {},
    model_tpm_limit: limits.model_tpm_limit ?? {},
    ...(increase === undefined || expiry === undefined
      ? {}
      : { temp_budget_increase: increase, temp_budget_expiry: new Date(expiry).toISOString() }),
  };
}
