import type { Clock } from '../ports/clock.ts';
import type {
  Admission,
  Admittance,
  Estimate,
  Limited,
  Limits,
  LimitsEvents,
  LimitsStatus,
  SpendStore,
  Used,
} from '../ports/limits.ts';
import { MemoryLimits } from './memory.ts';
import { connectRedis } from './redis.ts';
import { SharedCounters } from './shared.ts';
import { SpendBook } from './spend-book.ts';

export interface LimitsOptions {
  readonly spend: SpendStore;
  readonly clock: Clock;
  readonly onEvent: LimitsEvents;
  /** The Redis or Valkey that replicas count in together; null to count in memory, which is right for one replica. */
  readonly redisUrl: string | null;
  /**
   * What happens to calls with limits while Redis is away: `local` counts each replica by itself, so together they may
   * use as many times a limit as there are replicas; `block` refuses them with 503.
   */
  readonly whenAway: 'local' | 'block';
  /** How old the spending that other replicas may add to can be, in milliseconds. */
  readonly freshMs: number;
}

export interface CountedLimits extends Limits {
  /** Writes what was spent. Never rejects. */
  flush(): Promise<void>;
  /** Has what these accounts have spent read again. */
  forget(accounts: readonly string[]): void;
  close(): Promise<void>;
}

/** Told to everybody; the log says which address, and why. */
const AWAY = 'the shared counters cannot be reached';

/** Counts calls and money: in memory, or shared by replicas. */
export async function createLimits(options: LimitsOptions): Promise<CountedLimits> {
  const { spend, clock, onEvent, redisUrl, whenAway, freshMs } = options;
  const book = new SpendBook({ store: spend, clock, onEvent, freshMs });
  const memory = new MemoryLimits(book);
  const shared =
    redisUrl === null ? null : new SharedCounters({ redis: await connectRedis(redisUrl), spend, onEvent });

  /** While the shared counters are away. */
  function otherwise(parties: readonly Limited[], estimate: Estimate): Admittance | Promise<Admittance> {
    if (whenAway === 'local') return memory.admit(parties, estimate);
    return { kind: 'uncounted', reason: AWAY };
  }

  return {
    admit(parties, estimate) {
      if (shared === null) return memory.admit(parties, estimate);
      if (shared.problem !== null) return otherwise(parties, estimate);
      return shared.admit(parties, estimate).then((answer) => answer ?? otherwise(parties, estimate));
    },

    settle(admission: Admission, used: Used) {
      if (shared === null || !shared.made(admission)) {
        memory.settle(admission, used);
        return;
      }
      shared.settle(admission, used);
      const { estimate } = admission;
      const costNano = used.costNano ?? estimate.costNano;
      for (const limited of shared.partiesOf(admission)) {
        if (limited.budget === null) continue;
        book.spend(limited.account, limited.budget, costNano, estimate.nowMs);
        if (limited.budget.softNano !== null) void book.watchSoftSoon(limited, estimate.nowMs);
      }
    },

    spend(accounts, costNano) {
      for (const account of accounts) book.spend(account, null, costNano, clock.now());
    },

    status(): LimitsStatus {
      if (shared === null) return { counting: 'memory', problem: null };
      if (shared.problem === null) return { counting: 'shared', problem: null };
      return { counting: whenAway === 'local' ? 'local' : 'refusing', problem: AWAY };
    },

    flush: () => book.flush(),

    forget(accounts) {
      book.forget(accounts);
      shared?.forget(accounts);
    },

    async close() {
      await book.flush();
      await shared?.close();
    },
  };
}
