import type { Clock } from '../ports/clock.ts';
import {
  type Budget,
  type LimitsEvents,
  NANO,
  type Limited,
  periodOf,
  type SpendStore,
  type Spent,
} from '../ports/limits.ts';

/** How long spending waits to be written, so that calls at the same time share one write. */
const FLUSH_MS = 500;
/** After this long without use an account is read anew when it is next wanted. */
const IDLE_MS = 600_000;

/** What one account has spent, as far as this process knows. */
export interface Account {
  readonly name: string;
  spentNano: number;
  /** When its period began. */
  sinceMs: number;
  /** Reserved by calls under way. */
  reservedNano: number;
  calls: number;
  checkedAt: number;
  toldSoft: boolean;
}

export interface SpendBookOptions {
  readonly store: SpendStore;
  readonly clock: Clock;
  readonly onEvent: LimitsEvents;
  /** The age after which an account is read again in the background: other replicas spend too. */
  readonly freshMs: number;
}

/**
 * The book of what was spent: read from the store when an account is first wanted, counted here, and written behind. What
 * cannot be written is kept and tried again.
 */
export class SpendBook {
  readonly #options: SpendBookOptions;
  readonly #accounts = new Map<string, Account>();
  readonly #unsaved = new Map<string, Spent>();
  readonly #loading = new Map<string, Promise<void>>();
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #failing = false;

  constructor(options: SpendBookOptions) {
    this.#options = options;
  }

  /** The account in the budget's present period, or null as long as it was not read. */
  find(name: string, budget: Budget, nowMs: number): Account | null {
    const account = this.#accounts.get(name);
    if (account === undefined) return null;
    const { startMs } = periodOf(budget, nowMs);
    if (account.sinceMs < startMs) {
      account.sinceMs = startMs;
      account.spentNano = 0;
      account.toldSoft = false;
    }
    const now = this.#options.clock.monotonic();
    if (now - account.checkedAt > this.#options.freshMs && !this.#loading.has(name)) {
      // A failure leaves the account as old as it is; the next call tries again.
      this.load([name]).catch(() => undefined);
    }
    return account;
  }

  /** Reads accounts. @throws what the store throws. */
  async load(names: readonly string[]): Promise<void> {
    const wanted = names.filter((name) => !this.#loading.has(name));
    if (wanted.length > 0) {
      const reading = this.#inTurn(async () => {
        const found = await this.#options.store.read(wanted);
        for (const name of wanted) this.#learn(name, found.get(name) ?? { nano: 0, sinceMs: 0 });
      }).finally(() => {
        for (const name of wanted) this.#loading.delete(name);
      });
      for (const name of wanted) this.#loading.set(name, reading);
    }
    for (const name of names) await this.#loading.get(name);
  }

  /** Adds what a call has cost. `budget` says to which period it belongs; null for an account without one. */
  spend(name: string, budget: Budget | null, nano: number, nowMs: number): void {
    if (nano <= 0) return;
    const account = this.#accounts.get(name);
    const since = budget === null ? (account?.sinceMs ?? 0) : periodOf(budget, nowMs).startMs;
    if (account !== undefined && account.sinceMs <= since) {
      if (account.sinceMs < since) account.spentNano = 0;
      account.sinceMs = since;
      account.spentNano += nano;
    }
    const unsaved = this.#unsaved.get(name);
    const sum = unsaved !== undefined && unsaved.sinceMs >= since ? unsaved.nano + nano : nano;
    this.#unsaved.set(name, { nano: sum, sinceMs: Math.max(since, unsaved?.sinceMs ?? 0) });
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Tells once in a period that a soft budget was passed. */
  watchSoft(limited: Limited, account: Account): void {
    const soft = limited.budget?.softNano ?? null;
    if (soft === null || account.toldSoft || account.spentNano < soft) return;
    account.toldSoft = true;
    this.#options.onEvent({
      kind: 'soft_budget_passed',
      limited: limited.kind,
      id: limited.id,
      spend: account.spentNano / NANO,
      softBudget: soft / NANO,
    });
  }

  /** The same for an account that may have to be read first. Never rejects. */
  async watchSoftSoon(limited: Limited, nowMs: number): Promise<void> {
    const { account: name, budget } = limited;
    if (budget === null) return;
    try {
      if (this.find(name, budget, nowMs) === null) await this.load([name]);
      const account = this.find(name, budget, nowMs);
      if (account !== null) this.watchSoft(limited, account);
    } catch {
      // The database is away, which others report; the next call looks again.
    }
  }

  /** Writes what is not written yet. Never rejects. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#inTurn(() => this.#write());
  }

  /** Has accounts read anew that were changed past this book; what was not written of them is gone with them. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      const account = this.#accounts.get(name);
      if (account !== undefined) account.spentNano = 0;
      if (account?.calls === 0) this.#accounts.delete(name);
      this.#unsaved.delete(name);
    }
  }

  async #write(): Promise<void> {
    if (this.#unsaved.size === 0) return;
    const amounts = new Map(this.#unsaved);
    this.#unsaved.clear();
    try {
      const now = await this.#options.store.add(amounts);
      this.#failing = false;
      for (const [name, spent] of now) if (this.#accounts.has(name)) this.#learn(name, spent);
    } catch (error) {
      for (const [name, { nano, sinceMs }] of amounts) {
        const later = this.#unsaved.get(name);
        const sum = later === undefined || later.sinceMs > sinceMs ? 0 : later.nano;
        if (later === undefined || later.sinceMs <= sinceMs) {
          this.#unsaved.set(name, { nano: nano + sum, sinceMs });
        }
      }
      if (!this.#failing) {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#options.onEvent({ kind: 'spend_unsaved', reason });
      }
      this.#failing = true;
      this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS * 4).unref();
    }
    this.#dropIdle();
  }

  /** What the store says, and what it has not been told yet. */
  #learn(name: string, stored: Spent): void {
    const unsaved = this.#unsaved.get(name);
    const account = this.#accounts.get(name) ?? {
      name,
      spentNano: 0,
      sinceMs: 0,
      reservedNano: 0,
      calls: 0,
      checkedAt: 0,
      toldSoft: false,
    };
    const sinceMs = Math.max(stored.sinceMs, unsaved?.sinceMs ?? 0, account.sinceMs);
    account.spentNano =
      (stored.sinceMs === sinceMs ? stored.nano : 0) + (unsaved?.sinceMs === sinceMs ? unsaved.nano : 0);
    account.sinceMs = sinceMs;
    account.checkedAt = this.#options.clock.monotonic();
    this.#accounts.set(name, account);
  }

  #dropIdle(): void {
    const now = this.#options.clock.monotonic();
    for (const [name, account] of this.#accounts) {
      if (account.calls === 0 && now - account.checkedAt > IDLE_MS && !this.#unsaved.has(name)) {
        this.#accounts.delete(name);
      }
    }
  }

  /** One question at a time: what was read while something was written would be counted twice or not at all. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
