import type { Usage } from './records.ts';

/**
 * Limits and budgets. What a call may use is reserved before it and settled after it, so that calls at the same time
 * cannot overrun together. Money is counted in whole billionths of a dollar, because sums of fractions drift.
 */

/** Billionths in one dollar. */
export const NANO = 1_000_000_000;

/** What limits a key, a team or a user, by the names on the wire. What nobody set is absent. Money is in dollars. */
export interface LimitSettings {
  readonly rpm_limit?: number;
  readonly tpm_limit?: number;
  readonly max_parallel_requests?: number;
  /** Keys only: the same for one model, by the name that callers or the configuration use. */
  readonly model_rpm_limit?: Readonly<Record<string, number>>;
  readonly model_tpm_limit?: Readonly<Record<string, number>>;
  readonly max_budget?: number;
  /** Spending beyond it is told to the operator and refused to nobody. */
  readonly soft_budget?: number;
  readonly budget_duration?: string;
  /** The same in milliseconds. */
  readonly budget_period_ms?: number;
  /** Milliseconds since the epoch: periods of `budget_duration` follow each other from here. */
  readonly budget_since?: number;
  readonly temp_budget_increase?: number;
  /** Milliseconds since the epoch. */
  readonly temp_budget_expiry?: number;
}

export type LimitedKind = 'key' | 'team' | 'user';

export interface Budget {
  readonly maxNano: number | null;
  readonly softNano: number | null;
  /** Length of a period, or null for a budget that is never renewed. */
  readonly periodMs: number | null;
  readonly sinceMs: number;
  readonly increase: { readonly nano: number; readonly untilMs: number } | null;
}

/** One party that is counted: a key, its team, its user, or a key's use of one model. Frozen, part of the identity. */
export interface Limited {
  readonly kind: LimitedKind;
  /** Token hash, team id or user id, as messages name it. */
  readonly id: string;
  /** By what it is counted; unlike a key's hash it never changes. */
  readonly account: string;
  /** Null for everything; else the model, by a name of callers or of the configuration, that this is about. */
  readonly model: string | null;
  /** Per minute. */
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly parallel: number | null;
  readonly budget: Budget | null;
}

/** What a call may use at most. */
export interface Estimate {
  readonly nowMs: number;
  /** Every name of the model by which a limit may go. */
  readonly models: readonly string[];
  readonly tokens: number;
  /** 0 when the model has no price. */
  readonly costNano: number;
  /** The caller stated no maximum for the answer, so a usual one is assumed. */
  readonly isGuess: boolean;
}

/** What is left of the tightest limit of a kind, after this call. */
export interface Standing {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAtMs: number;
}

/** A call that may be made. It is settled once, whatever becomes of it. */
export interface Admission {
  readonly kind: 'admitted';
  readonly estimate: Estimate;
  readonly requests: Standing | null;
  readonly tokens: Standing | null;
}

/** A call that may not be made, because of the first limit that is in the way. */
export interface Refused {
  readonly kind: 'refused';
  readonly limited: Limited;
  readonly limit: 'requests' | 'tokens' | 'max_parallel_requests' | 'budget';
  /** The limit; dollars for a budget. */
  readonly max: number;
  /** What is counted already, calls under way included; dollars for a budget. */
  readonly used: number;
  /** The part of `used` that calls under way have reserved. */
  readonly reserved: number;
  /** What the call would have needed. */
  readonly needed: number;
  readonly resetAtMs: number | null;
}

/** Nobody can say whether the call may be made, so it may not. */
export interface Uncounted {
  readonly kind: 'uncounted';
  readonly reason: string;
}

export type Admittance = Admission | Refused | Uncounted;

/** What a call has used. `null` for what nobody knows: then what was reserved is taken for used. */
export interface Used {
  readonly tokens: number | null;
  readonly costNano: number | null;
}

/** What readiness says. */
export interface LimitsStatus {
  readonly counting: 'memory' | 'shared' | 'local' | 'refusing';
  readonly problem: string | null;
}

/** Counts. Answers without a promise when it can. */
export interface Limits {
  admit(parties: readonly Limited[], estimate: Estimate): Admittance | Promise<Admittance>;
  /** Never throws, and never waits. */
  settle(admission: Admission, used: Used): void;
  /** What calls without a limit have cost; `accounts` are those of their key, team and user. */
  spend(accounts: readonly string[], costNano: number): void;
  status(): LimitsStatus;
}

/** What something costs, in dollars for each token. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** What these tokens cost, rounded up: a budget is never overrun by what rounding hides. */
export function costOf(price: Price, usage: Pick<Usage, 'prompt_tokens' | 'completion_tokens'>): number {
  const dollars = usage.prompt_tokens * price.input + usage.completion_tokens * price.output;
  // What a fraction in base two is too much must not become a billionth more.
  return Math.ceil(Number((dollars * NANO).toFixed(3)));
}

/** When the present period of a budget began, and when it ends; null for one that is never renewed. */
export function periodOf(
  { periodMs, sinceMs }: Pick<Budget, 'periodMs' | 'sinceMs'>,
  nowMs: number,
): { readonly startMs: number; readonly endMs: number | null } {
  if (periodMs === null) return { startMs: 0, endMs: null };
  const startMs = sinceMs + Math.max(0, Math.floor((nowMs - sinceMs) / periodMs)) * periodMs;
  return { startMs, endMs: startMs + periodMs };
}

/** What a budget allows now, in billionths; null for no limit. */
export function allowedNano({ maxNano, increase }: Budget, nowMs: number): number | null {
  if (maxNano === null) return null;
  return increase !== null && nowMs < increase.untilMs ? maxNano + increase.nano : maxNano;
}

/** What an account has spent since a moment (milliseconds since the epoch; 0 for ever). */
export interface Spent {
  readonly nano: number;
  readonly sinceMs: number;
}

/** Where spending is kept. */
export interface SpendStore {
  read(accounts: readonly string[]): Promise<ReadonlyMap<string, Spent>>;
  /**
   * Adds to accounts and gives what they have now, other replicas' part included. An amount of a later period replaces
   * that of an earlier one.
   */
  add(amounts: ReadonlyMap<string, Spent>): Promise<ReadonlyMap<string, Spent>>;
  /** Forgets accounts that no longer exist. */
  delete(accounts: readonly string[]): Promise<void>;
}

/** What limits have to tell; telemetry makes log lines of it. */
export type LimitsEvent =
  | {
      readonly kind: 'soft_budget_passed';
      readonly limited: LimitedKind;
      readonly id: string;
      readonly spend: number;
      readonly softBudget: number;
    }
  | { readonly kind: 'spend_unsaved'; readonly reason: string }
  | { readonly kind: 'counters_away'; readonly reason: string }
  | { readonly kind: 'counters_back' };

export type LimitsEvents = (event: LimitsEvent) => void;
