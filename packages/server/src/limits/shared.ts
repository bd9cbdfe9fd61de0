import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  type Admission,
  type Admittance,
  allowedNano,
  type Estimate,
  type Limited,
  type LimitsEvents,
  NANO,
  periodOf,
  type SpendStore,
  type Spent,
  type Standing,
  type Uncounted,
  type Used,
} from '../ports/limits.ts';
import { tighter } from './memory.ts';
import { closeRedis } from './redis.ts';
import { SCRIPT } from './redis-script.ts';

/** The parties of one call may be in any order, so with a cluster all counters have to be in one slot. */
const PREFIX = '{portcullis}:limits:';
/** After a command that failed on a connection that stands, nobody asks for this long. */
const REST_MS = 1_000;
/** A call that lasts longer no longer counts as under way: its process may be gone. */
const LEASE_MS = 900_000;

interface SharedCountersOptions {
  readonly redis: Redis;
  readonly spend: Pick<SpendStore, 'read'>;
  readonly onEvent: LimitsEvents;
}

interface SharedAdmission extends Admission {
  readonly call: string;
  readonly parties: readonly Limited[];
}

/** Counters in Redis or Valkey, for many replicas. */
export class SharedCounters {
  readonly #redis: Redis;
  readonly #options: SharedCountersOptions;
  #problem: string | null = 'not connected yet';
  #rest: NodeJS.Timeout | null = null;

  constructor(options: SharedCountersOptions) {
    this.#options = options;
    this.#redis = options.redis;
    this.#redis.defineCommand('portcullisLimits', { lua: SCRIPT });
    this.#redis.on('error', (error: Error) => this.#away(error.message));
    this.#redis.on('close', () => this.#away('the connection was closed'));
    this.#redis.on('ready', () => this.#back());
  }

  /** Why calls cannot be counted here now; null when they can. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Null when the counters did not answer. */
  async admit(all: readonly Limited[], estimate: Estimate): Promise<Admittance | null> {
    const parties = all.filter(({ model }) => model === null || estimate.models.includes(model));
    const call = randomUUID();
    try {
      let answer = await this.#ask(parties, this.#question(call, parties, estimate, null));
      if (answer[0] === 'read') {
        const spent = await this.#spentBy(parties);
        if (spent === null) return UNREAD;
        answer = await this.#ask(parties, this.#question(call, parties, estimate, spent));
      }
      if (answer[0] === 'ok') return admission(call, parties, estimate, answer);
      return refusal(parties, estimate, answer);
    } catch (error) {
      this.#away(error instanceof Error ? error.message : 'unknown');
      // Perhaps it was counted and only the answer is missing.
      this.#settle(call, parties, estimate.nowMs, { tokens: 0, costNano: 0 });
      return null;
    }
  }

  settle(admission: Admission, used: Used): void {
    const { call, parties, estimate } = admission as SharedAdmission;
    this.#settle(call, parties, estimate.nowMs, used);
  }

  /** Whether this made the admission. */
  made(admission: Admission): boolean {
    return 'call' in admission;
  }

  /** The parties that an admission of this counts for. */
  partiesOf(admission: Admission): readonly Limited[] {
    return (admission as SharedAdmission).parties;
  }

  /** Has what accounts have spent read again. */
  forget(accounts: readonly string[]): void {
    if (accounts.length === 0) return;
    const keys = accounts.flatMap((account) => keysOf(account));
    this.#run(keys, ['forget']).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#rest !== null) clearTimeout(this.#rest);
    await closeRedis(this.#redis);
  }

  /** What the parties have spent by the database; null when it does not answer. */
  async #spentBy(parties: readonly Limited[]): Promise<ReadonlyMap<string, Spent> | null> {
    const accounts = parties.filter(({ budget }) => budget !== null).map(({ account }) => account);
    try {
      return await this.#options.spend.read([...new Set(accounts)]);
    } catch {
      return null;
    }
  }

  #question(
    call: string,
    parties: readonly Limited[],
    estimate: Estimate,
    spent: ReadonlyMap<string, Spent> | null,
  ): (string | number)[] {
    const { tokens, costNano, isGuess, nowMs } = estimate;
    const question: (string | number)[] = ['admit', call, LEASE_MS, tokens, costNano, isGuess ? 1 : 0];
    for (const { account, requests, tokens: most, parallel, budget } of parties) {
      const max = budget === null ? null : allowedNano(budget, nowMs);
      const start = budget === null ? -1 : periodOf(budget, nowMs).startMs;
      const base = spent === null ? -1 : baseOf(spent.get(account), start);
      question.push(requests ?? -1, most ?? -1, parallel ?? -1, max ?? -1, start, base);
    }
    return question;
  }

  #settle(call: string, parties: readonly Limited[], nowMs: number, used: Used): void {
    const starts = parties.map(({ budget }) => (budget === null ? -1 : periodOf(budget, nowMs).startMs));
    const question = ['settle', call, used.tokens ?? -1, used.costNano ?? -1, ...starts];
    this.#run(partyKeys(parties), question).catch((error: unknown) => {
      // The lease gives the reservation back; what was spent is in the database, and read from there with the next restart.
      this.#away(error instanceof Error ? error.message : 'unknown');
    });
  }

  async #ask(parties: readonly Limited[], question: readonly (string | number)[]): Promise<Answer> {
    return this.#run(partyKeys(parties), question);
  }

  async #run(keys: readonly string[], args: readonly (string | number)[]): Promise<Answer> {
    const run = (this.#redis as unknown as Scripted).portcullisLimits.bind(this.#redis);
    const answer = await run(keys.length, ...keys, ...args);
    if (!Array.isArray(answer)) throw new TypeError('the counters answered with something else');
    return answer as Answer;
  }

  #away(reason: string): void {
    if (this.#problem === null) this.#options.onEvent({ kind: 'counters_away', reason });
    this.#problem = reason;
    if (this.#redis.status !== 'ready') return;
    if (this.#rest !== null) return;
    this.#rest = setTimeout(() => {
      this.#rest = null;
      if (this.#redis.status === 'ready') this.#back();
    }, REST_MS).unref();
  }

  #back(): void {
    if (this.#problem === null) return;
    this.#problem = null;
    this.#options.onEvent({ kind: 'counters_back' });
  }
}

const UNREAD: Uncounted = Object.freeze({
  kind: 'uncounted',
  reason: 'what was spent so far cannot be read from the database',
});

/** What an account has spent in the period that began at `startMs`. */
function baseOf(spent: Spent | undefined, startMs: number): number {
  return spent !== undefined && spent.sinceMs >= startMs ? spent.nano : 0;
}

type Answer = readonly (string | number)[];

interface Scripted {
  portcullisLimits(count: number, ...rest: (string | number)[]): Promise<unknown>;
}

function partyKeys(parties: readonly Limited[]): string[] {
  return parties.flatMap(({ account, model }) => keysOf(model === null ? account : `${account} ${model}`));
}

function keysOf(name: string): string[] {
  return [PREFIX + name, `${PREFIX}${name}:live`];
}

function admission(
  call: string,
  parties: readonly Limited[],
  estimate: Estimate,
  answer: Answer,
): SharedAdmission {
  let requests: Standing | null = null;
  let tokens: Standing | null = null;
  for (const [index, limited] of parties.entries()) {
    const [end, made, used] = answer.slice(1 + 3 * index, 4 + 3 * index).map(Number);
    requests = tighter(requests, limited.requests, made ?? 0, end ?? 0);
    tokens = tighter(tokens, limited.tokens, used ?? 0, end ?? 0);
  }
  return { kind: 'admitted', estimate, requests, tokens, call, parties };
}

function refusal(parties: readonly Limited[], estimate: Estimate, answer: Answer): Admittance {
  const [, party, limit, used, reserved, end] = answer;
  const limited = parties[Number(party) - 1];
  if (limited === undefined) return { kind: 'uncounted', reason: 'the counters gave no answer that fits' };
  const { budget } = limited;
  if (limit === 'budget' && budget !== null) {
    return {
      kind: 'refused',
      limited,
      limit: 'budget',
      max: (allowedNano(budget, estimate.nowMs) ?? 0) / NANO,
      used: Number(used) / NANO,
      reserved: Number(reserved) / NANO,
      needed: estimate.costNano / NANO,
      resetAtMs: periodOf(budget, estimate.nowMs).endMs,
    };
  }
  const max = { requests: limited.requests, tokens: limited.tokens }[String(limit)] ?? limited.parallel ?? 0;
  return {
    kind: 'refused',
    limited,
    limit: limit === 'requests' || limit === 'tokens' ? limit : 'max_parallel_requests',
    max,
    used: Number(used),
    reserved: 0,
    needed: limit === 'tokens' ? estimate.tokens : 1,
    resetAtMs: Number(end) === 0 ? null : Number(end),
  };
}
