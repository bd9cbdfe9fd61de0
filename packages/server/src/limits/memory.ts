import {
  type Admission,
  type Admittance,
  allowedNano,
  type Budget,
  type Estimate,
  type Limited,
  NANO,
  periodOf,
  type Refused,
  type Standing,
  type Uncounted,
  type Used,
} from '../ports/limits.ts';
import type { Account, SpendBook } from './spend-book.ts';

const MINUTE_MS = 60_000;
/** Above this many counters those at rest are dropped. */
const COUNTERS = 20_000;

/** What one party did in the present minute. */
interface Counter {
  endMs: number;
  requests: number;
  /** Reservations of calls under way included. */
  tokens: number;
  /** Calls under way. */
  calls: number;
}

/** What a call took from one party, to be given back or corrected. */
interface Share {
  readonly limited: Limited;
  readonly counter: Counter;
  /** The minute the tokens were taken from. */
  readonly endMs: number;
  readonly tokens: number;
  readonly account: Account | null;
  readonly costNano: number;
}

interface MemoryAdmission extends Admission {
  /** Emptied when the call is settled, so that settling again changes nothing. */
  shares: readonly Share[];
}

/**
 * Counts in the memory of one process, where nothing can come between the question and the reservation. A minute begins
 * with the first call in it.
 */
export class MemoryLimits {
  readonly #book: SpendBook;
  readonly #counters = new Map<string, Counter>();

  constructor(book: SpendBook) {
    this.#book = book;
  }

  /** Answers with a promise only when what was spent before has to be read first. */
  admit(parties: readonly Limited[], estimate: Estimate): Admittance | Promise<Admittance> {
    const unread = this.#unread(parties, estimate);
    if (unread !== null) return this.#admitWhenRead(parties, estimate, unread);
    return this.#decide(parties, estimate);
  }

  settle(admission: Admission, used: Used): void {
    const own = admission as MemoryAdmission;
    const { shares, estimate } = own;
    own.shares = [];
    for (const { limited, counter, endMs, tokens, account, costNano } of shares) {
      counter.calls -= 1;
      // A minute that is over has forgotten the reservation already.
      if (counter.endMs === endMs) counter.tokens += (used.tokens ?? estimate.tokens) - tokens;
      if (account !== null) {
        account.calls -= 1;
        account.reservedNano -= costNano;
        this.#book.spend(limited.account, limited.budget, used.costNano ?? estimate.costNano, estimate.nowMs);
        this.#book.watchSoft(limited, account);
      }
    }
  }

  #unread(parties: readonly Limited[], { nowMs }: Estimate): string[] | null {
    let unread: string[] | null = null;
    for (const { account, budget } of parties) {
      if (budget !== null && this.#book.find(account, budget, nowMs) === null) {
        unread ??= [];
        unread.push(account);
      }
    }
    return unread;
  }

  async #admitWhenRead(
    parties: readonly Limited[],
    estimate: Estimate,
    unread: readonly string[],
  ): Promise<Admittance> {
    try {
      await this.#book.load(unread);
    } catch {
      return UNREAD;
    }
    return this.#decide(parties, estimate);
  }

  /** Looks at every party before anything is taken from one of them. */
  #decide(parties: readonly Limited[], estimate: Estimate): Admittance {
    const shares: Share[] = [];
    let requests: Standing | null = null;
    let tokens: Standing | null = null;
    for (const limited of parties) {
      if (limited.model !== null && !estimate.models.includes(limited.model)) continue;
      const counter = this.#counter(limited, estimate.nowMs);
      const rates = ratesOf(limited, counter, estimate);
      if ('kind' in rates) return rates;
      let account: Account | null = null;
      let costNano = 0;
      if (limited.budget !== null) {
        account = this.#book.find(limited.account, limited.budget, estimate.nowMs);
        if (account === null) return UNREAD;
        const money = moneyOf(limited, limited.budget, account, estimate);
        if (typeof money !== 'number') return money;
        costNano = money;
      }
      shares.push({ limited, counter, endMs: counter.endMs, tokens: rates.tokens, account, costNano });
    }
    for (const { limited, counter, tokens: taken, account, costNano } of shares) {
      counter.requests += 1;
      counter.calls += 1;
      counter.tokens += taken;
      if (account !== null) {
        account.calls += 1;
        account.reservedNano += costNano;
      }
      requests = tighter(requests, limited.requests, counter.requests, counter.endMs);
      tokens = tighter(tokens, limited.tokens, counter.tokens, counter.endMs);
    }
    const admission: MemoryAdmission = { kind: 'admitted', estimate, requests, tokens, shares };
    return admission;
  }

  #counter({ account, model }: Limited, nowMs: number): Counter {
    const name = model === null ? account : `${account} ${model}`;
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      if (this.#counters.size >= COUNTERS) this.#dropIdle(nowMs);
      counter = { endMs: 0, requests: 0, tokens: 0, calls: 0 };
      this.#counters.set(name, counter);
    }
    if (counter.endMs <= nowMs) {
      counter.endMs = nowMs + MINUTE_MS;
      counter.requests = 0;
      counter.tokens = 0;
    }
    return counter;
  }

  #dropIdle(nowMs: number): void {
    for (const [name, { calls, endMs }] of this.#counters) {
      if (calls === 0 && endMs <= nowMs) this.#counters.delete(name);
    }
  }
}

const UNREAD: Uncounted = Object.freeze({
  kind: 'uncounted',
  reason: 'what was spent so far cannot be read from the database',
});

/** The tokens to reserve, or why the call has to wait. */
function ratesOf(
  limited: Limited,
  counter: Counter,
  estimate: Estimate,
): { readonly tokens: number } | Refused {
  const { requests, tokens, parallel } = limited;
  const refuse = (limit: Refused['limit'], max: number, used: number, needed: number): Refused => {
    const resetAtMs = limit === 'max_parallel_requests' ? null : counter.endMs;
    return { kind: 'refused', limited, limit, max, used, reserved: 0, needed, resetAtMs };
  };
  if (parallel !== null && counter.calls >= parallel) {
    return refuse('max_parallel_requests', parallel, counter.calls, 1);
  }
  if (requests !== null && counter.requests >= requests) {
    return refuse('requests', requests, counter.requests, 1);
  }
  if (tokens === null) return { tokens: estimate.tokens };
  const taken = toTake(tokens, counter.tokens, counter.calls, estimate.tokens, estimate.isGuess);
  return taken === null ? refuse('tokens', tokens, counter.tokens, estimate.tokens) : { tokens: taken };
}

/**
 * How many tokens of a minute to reserve; null when they are not there. A call that is larger than the whole limit takes
 * a whole minute, for otherwise no waiting would help it. One whose size is a guess takes what is left when no other call
 * is under way: then nobody can overrun together with it.
 */
function toTake(limit: number, used: number, calls: number, needed: number, isGuess: boolean): number | null {
  const wanted = Math.min(needed, limit);
  if (used + wanted <= limit && used < limit) return wanted;
  return isGuess && calls === 0 && used < limit ? limit - used : null;
}

/** The money to reserve, or why there is none. */
function moneyOf(limited: Limited, budget: Budget, account: Account, estimate: Estimate): number | Refused {
  const max = allowedNano(budget, estimate.nowMs);
  if (max === null) return estimate.costNano;
  const used = account.spentNano + account.reservedNano;
  const fits = used < max && used + estimate.costNano <= max;
  if (fits) return estimate.costNano;
  if (estimate.isGuess && account.calls === 0 && used < max) return max - used;
  return {
    kind: 'refused',
    limited,
    limit: 'budget',
    max: max / NANO,
    used: used / NANO,
    reserved: account.reservedNano / NANO,
    needed: estimate.costNano / NANO,
    resetAtMs: periodOf(budget, estimate.nowMs).endMs,
  };
}

/** The standing with less left; rates without a limit have none. */
export function tighter(
  known: Standing | null,
  limit: number | null,
  used: number,
  resetAtMs: number,
): Standing | null {
  if (limit === null) return known;
  const remaining = Math.max(0, limit - used);
  return known !== null && known.remaining <= remaining ? known : { limit, remaining, resetAtMs };
}
