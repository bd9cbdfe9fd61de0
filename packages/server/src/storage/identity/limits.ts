import type { KeyWithTeam } from '../../ports/keys.ts';
import { type Budget, type Limited, type LimitedKind, type LimitSettings, NANO } from '../../ports/limits.ts';

/**
 * Who is counted for a key: itself, its team, its user, and its use of single models. The budget of a user counts for keys
 * outside teams only: in a team, the team pays.
 */
export function limitsOf({ key, team, user }: KeyWithTeam): readonly Limited[] {
  const parties: (Limited | null)[] = [party('key', key.tokenHash, `key:${key.accountId}`, key.limits)];
  const { model_rpm_limit: requests = {}, model_tpm_limit: tokens = {} } = key.limits;
  for (const model of new Set([...Object.keys(requests), ...Object.keys(tokens)])) {
    parties.push({
      kind: 'key',
      id: key.tokenHash,
      account: `key:${key.accountId}`,
      model,
      requests: (Object.hasOwn(requests, model) ? requests[model] : null) ?? null,
      tokens: (Object.hasOwn(tokens, model) ? tokens[model] : null) ?? null,
      parallel: null,
      budget: null,
    });
  }
  if (team !== null) parties.push(party('team', team.teamId, `team:${team.teamId}`, team.limits));
  if (user !== null) {
    const { max_budget: _max, soft_budget: _soft, ...rates } = user.limits;
    parties.push(party('user', user.userId, `user:${user.userId}`, team === null ? user.limits : rates));
  }
  return parties.filter((limited) => limited !== null);
}

/** The accounts of key, team and user that have no budget among these parties. */
export function accountsOf({ key, team, user }: KeyWithTeam, parties: readonly Limited[]): readonly string[] {
  const budgeted = new Set(parties.filter(({ budget }) => budget !== null).map(({ account }) => account));
  const all = [`key:${key.accountId}`];
  if (team !== null) all.push(`team:${team.teamId}`);
  if (user !== null) all.push(`user:${user.userId}`);
  return all.filter((account) => !budgeted.has(account));
}

function party(kind: LimitedKind, id: string, account: string, limits: LimitSettings): Limited | null {
  const requests = limits.rpm_limit ?? null;
  const tokens = limits.tpm_limit ?? null;
  const parallel = limits.max_parallel_requests ?? null;
  const budget = budgetOf(limits);
  if (requests === null && tokens === null && parallel === null && budget === null) return null;
  return { kind, id, account, model: null, requests, tokens, parallel, budget };
}

/** The budget that settings ask for; null when they limit no money. */
function budgetOf(limits: LimitSettings): Budget | null {
  const { max_budget: max, soft_budget: soft, budget_since: sinceMs = 0 } = limits;
  if (max === undefined && soft === undefined) return null;
  const { temp_budget_increase: more, temp_budget_expiry: untilMs } = limits;
  return {
    maxNano: max === undefined ? null : nanoOf(max),
    softNano: soft === undefined ? null : nanoOf(soft),
    periodMs: limits.budget_period_ms ?? null,
    sinceMs,
    increase: more === undefined || untilMs === undefined ? null : { nano: nanoOf(more), untilMs },
  };
}

function nanoOf(dollars: number): number {
  return Math.round(dollars * NANO);
}
