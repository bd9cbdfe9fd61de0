import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import { type CountedLimits, createLimits, type LimitsOptions } from '../../src/limits/limits.ts';
import {
  type Admission,
  type Budget,
  costOf,
  type Estimate,
  type Limited,
  type LimitsEvent,
  NANO,
  type SpendStore,
  type Spent,
} from '../../src/ports/limits.ts';
import { stillClock } from '../storage/kit.ts';

/** A store of spending in memory, with a switch. */
class Spending implements SpendStore {
  readonly rows = new Map<string, Spent>();
  failure: Error | null = null;
  reads = 0;

  async read(accounts: readonly string[]): Promise<Map<string, Spent>> {
    this.reads += 1;
    if (this.failure !== null) throw this.failure;
    return new Map([...this.rows].filter(([account]) => accounts.includes(account)));
  }

  async add(amounts: ReadonlyMap<string, Spent>): Promise<Map<string, Spent>> {
    if (this.failure !== null) throw this.failure;
    for (const [account, { nano, sinceMs }] of amounts) {
      const before = this.rows.get(account);
      const kept = before !== undefined && before.sinceMs >= sinceMs ? before : { nano: 0, sinceMs };
      this.rows.set(account, { nano: kept.nano + nano, sinceMs: kept.sinceMs });
    }
    return new Map([...this.rows].filter(([account]) => amounts.has(account)));
  }

  async delete(accounts: readonly string[]): Promise<void> {
    for (const account of accounts) this.rows.delete(account);
  }
}

const clock = stillClock(Date.now());
let spending: Spending;
let events: LimitsEvent[];

function made(options: Partial<LimitsOptions> = {}): Promise<CountedLimits> {
  return createLimits({
    spend: spending,
    clock,
    onEvent: (event) => events.push(event),
    redisUrl: null,
    whenAway: 'local',
    freshMs: Infinity,
    ...options,
  });
}

function party(over: Partial<Limited> = {}): Limited {
  const id = randomUUID();
  return {
    kind: 'key',
    id,
    account: `key:${id}`,
    model: null,
    requests: null,
    tokens: null,
    parallel: null,
    budget: null,
    ...over,
  };
}

function dollars(max: number | null, over: Partial<Budget> = {}): Budget {
  return {
    maxNano: max === null ? null : max * NANO,
    softNano: null,
    periodMs: null,
    sinceMs: 0,
    increase: null,
    ...over,
  };
}

function call(over: Partial<Estimate> = {}): Estimate {
  return { nowMs: Date.now(), models: ['gpt'], tokens: 10, costNano: 0, isGuess: false, ...over };
}

/** What settles a call that used exactly what was reserved. */
const AS_RESERVED = { tokens: null, costNano: null };

/** What every way of counting owes its users. */
function suite(open: () => Promise<CountedLimits>): void {
  let limits: CountedLimits;

  beforeAll(async () => {
    spending = new Spending();
    events = [];
    limits = await open();
  });
  beforeEach(async () => {
    spending.failure = null;
    // A server of counters needs a moment to be found.
    await expect.poll(() => limits.status().problem).toBeNull();
  });
  afterAll(() => limits.close());

  async function admitted(parties: readonly Limited[], estimate: Estimate = call()): Promise<Admission> {
    const answer = await limits.admit(parties, estimate);
    if (answer.kind !== 'admitted') throw new Error(JSON.stringify(answer));
    return answer;
  }

  test('a limit of requests counts calls that failed too, and says what is left', async () => {
    const key = party({ requests: 2 });
    const first = await admitted([key]);
    expect(first.requests).toMatchObject({ limit: 2, remaining: 1 });
    limits.settle(first, { tokens: 0, costNano: 0 });
    limits.settle(await admitted([key]), AS_RESERVED);
    const refused = await limits.admit([key], call());
    expect(refused).toMatchObject({ kind: 'refused', limit: 'requests', max: 2, used: 2, limited: key });
    if (refused.kind !== 'refused') return;
    const waits = (refused.resetAtMs ?? 0) - Date.now();
    expect(waits).toBeGreaterThan(0);
    expect(waits).toBeLessThanOrEqual(60_000);
  });

  test('max_parallel_requests gives a place free when a call ends', async () => {
    const key = party({ parallel: 1 });
    const first = await admitted([key]);
    expect(await limits.admit([key], call())).toMatchObject({
      kind: 'refused',
      limit: 'max_parallel_requests',
      resetAtMs: null,
    });
    limits.settle(first, AS_RESERVED);
    await admitted([key]);
  });

  test('tokens are reserved before the call and corrected after it', async () => {
    const key = party({ tokens: 100 });
    const first = await admitted([key], call({ tokens: 60 }));
    expect(await limits.admit([key], call({ tokens: 60 }))).toMatchObject({
      kind: 'refused',
      limit: 'tokens',
      used: 60,
    });
    limits.settle(first, { tokens: 5, costNano: 0 });
    const second = await admitted([key], call({ tokens: 60 }));
    expect(second.tokens).toMatchObject({ limit: 100, remaining: 35 });
  });

  test('a call that states no maximum takes what is left when it is alone, and nothing beside another', async () => {
    const key = party({ tokens: 100 });
    const guess = call({ tokens: 4_096, isGuess: true });
    const first = await admitted([key], guess);
    expect(await limits.admit([key], guess)).toMatchObject({ kind: 'refused', limit: 'tokens' });
    limits.settle(first, { tokens: 40, costNano: 0 });
    const second = await admitted([key], guess);
    limits.settle(second, { tokens: 60, costNano: 0 });
    expect(await limits.admit([key], guess)).toMatchObject({ kind: 'refused', limit: 'tokens', used: 100 });
  });

  test('a call that is larger than the whole limit gets a whole minute', async () => {
    const key = party({ tokens: 100 });
    const large = await admitted([key], call({ tokens: 500 }));
    expect(await limits.admit([key], call({ tokens: 1 }))).toMatchObject({ kind: 'refused' });
    limits.settle(large, AS_RESERVED);
  });

  test('a refusal by one party takes nothing from the others', async () => {
    const key = party({ requests: 10, budget: dollars(1) });
    const team = party({ kind: 'team', requests: 1 });
    limits.settle(await admitted([key, team], call({ costNano: 1 })), { tokens: 0, costNano: 0 });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(await limits.admit([key, team], call({ costNano: 1 }))).toMatchObject({ limited: team });
    }
    const answer = await admitted([key], call({ costNano: NANO }));
    expect(answer.requests).toMatchObject({ remaining: 8 });
  });

  test('a limit of one model leaves the others alone', async () => {
    const key = party({ model: 'gpt', requests: 1 });
    await admitted([key]);
    expect(await limits.admit([key], call())).toMatchObject({ kind: 'refused', limit: 'requests' });
    await admitted([key], call({ models: ['other'] }));
    expect(await limits.admit([key], call({ models: ['alias', 'gpt'] }))).toMatchObject({ kind: 'refused' });
  });

  test('200 calls at once never overrun a budget, and use all of it', async () => {
    const key = party({ budget: dollars(1) });
    const costNano = 0.03 * NANO;
    let spent = 0;
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await limits.admit([key], call({ costNano }));
        if (answer.kind !== 'admitted') return 'refused';
        // Longer than others take to ask.
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
        spent += costNano;
        limits.settle(answer, { tokens: 10, costNano });
        return 'made';
      }),
    );
    expect(spent).toBeLessThanOrEqual(NANO);
    expect(answers.filter((answer) => answer === 'made')).toHaveLength(33);
    await limits.flush();
    expect(spending.rows.get(key.account)?.nano).toBe(spent);
  });

  test('what was reserved and not used may be used by the next call', async () => {
    const key = party({ budget: dollars(1) });
    const first = await admitted([key], call({ costNano: 0.9 * NANO }));
    expect(await limits.admit([key], call({ costNano: 0.9 * NANO }))).toMatchObject({
      kind: 'refused',
      limit: 'budget',
      max: 1,
      reserved: 0.9,
    });
    limits.settle(first, { tokens: 1, costNano: 0.05 * NANO });
    limits.settle(await admitted([key], call({ costNano: 0.9 * NANO })), AS_RESERVED);
    expect(await limits.admit([key], call({ costNano: 0.1 * NANO }))).toMatchObject({
      limit: 'budget',
      used: 0.95,
      reserved: 0,
    });
  });

  test('what was spent before the start counts, and a spent budget refuses calls that cost nothing', async () => {
    const key = party({ budget: dollars(1) });
    spending.rows.set(key.account, { nano: NANO, sinceMs: 0 });
    expect(await limits.admit([key], call())).toMatchObject({ kind: 'refused', limit: 'budget', used: 1 });
  });

  test('spending of an earlier period does not count, and that of the present one does', async () => {
    const sinceMs = Date.now() - 25 * 3_600_000;
    const daily = dollars(1, { periodMs: 86_400_000, sinceMs });
    const old = party({ budget: daily });
    spending.rows.set(old.account, { nano: NANO, sinceMs });
    const answer = await admitted([old], call({ costNano: NANO }));
    limits.settle(answer, AS_RESERVED);
    expect(await limits.admit([old], call())).toMatchObject({
      limit: 'budget',
      resetAtMs: sinceMs + 2 * 86_400_000,
    });
    await limits.flush();
    expect(spending.rows.get(old.account)).toEqual({ nano: NANO, sinceMs: sinceMs + 86_400_000 });
    const present = party({ budget: daily });
    spending.rows.set(present.account, { nano: NANO, sinceMs: sinceMs + 86_400_000 });
    expect(await limits.admit([present], call())).toMatchObject({ limit: 'budget' });
  });

  test('a temporary increase lifts the budget until it ends', async () => {
    const increase = { nano: NANO, untilMs: Date.now() + 60_000 };
    const key = party({ budget: dollars(1, { increase }) });
    spending.rows.set(key.account, { nano: 1.5 * NANO, sinceMs: 0 });
    limits.settle(await admitted([key], call({ costNano: 1 })), { tokens: 0, costNano: 0 });
    const ended = party({ budget: dollars(1, { increase: { ...increase, untilMs: Date.now() - 1 } }) });
    spending.rows.set(ended.account, { nano: 1.5 * NANO, sinceMs: 0 });
    expect(await limits.admit([ended], call())).toMatchObject({ limit: 'budget', max: 1 });
  });

  test('a soft budget is told once and refuses nobody', async () => {
    const key = party({ budget: dollars(null, { softNano: NANO }) });
    for (let count = 0; count < 3; count += 1) {
      limits.settle(await admitted([key], call({ costNano: NANO })), AS_RESERVED);
    }
    const told = () => events.filter((event) => event.kind === 'soft_budget_passed' && event.id === key.id);
    await expect.poll(told).toHaveLength(1);
  });

  test('an account that is forgotten is read anew', async () => {
    const key = party({ budget: dollars(1) });
    limits.settle(await admitted([key], call({ costNano: NANO })), AS_RESERVED);
    await limits.flush();
    expect(await limits.admit([key], call())).toMatchObject({ limit: 'budget' });
    await spending.delete([key.account]);
    limits.forget([key.account]);
    await expect.poll(async () => (await limits.admit([key], call())).kind).toBe('admitted');
  });

  test('settling twice is settling once', async () => {
    const key = party({ parallel: 1, tokens: 100 });
    const first = await admitted([key]);
    limits.settle(first, AS_RESERVED);
    limits.settle(first, { tokens: 0, costNano: 0 });
    const second = await admitted([key]);
    expect(second.tokens).toMatchObject({ remaining: 80 });
    expect(await limits.admit([key], call())).toMatchObject({ limit: 'max_parallel_requests' });
    limits.settle(second, AS_RESERVED);
  });

  test('with a budget of which nobody knows what was spent, the call is not made', async () => {
    const key = party({ budget: dollars(1) });
    spending.failure = new Error('away');
    expect(await limits.admit([key], call({ costNano: 1 }))).toMatchObject({ kind: 'uncounted' });
  });
}

describe('limits counted in memory', () => {
  suite(() => made());

  test('a key without a budget is answered without a promise', async () => {
    const limits = await made();
    expect(limits.admit([party({ requests: 1 })], call())).toMatchObject({ kind: 'admitted' });
  });

  test('a minute begins anew for every party by itself', async () => {
    const limits = await made();
    const key = party({ requests: 1, tokens: 50 });
    const start = Date.now();
    const first = await limits.admit([key], call({ nowMs: start, tokens: 50 }));
    expect(await limits.admit([key], call({ nowMs: start + 59_999 }))).toMatchObject({ kind: 'refused' });
    expect(await limits.admit([key], call({ nowMs: start + 60_000, tokens: 20 }))).toMatchObject({
      kind: 'admitted',
      tokens: { remaining: 30 },
    });
    // What belongs to the minute before changes nothing in this one.
    if (first.kind === 'admitted') limits.settle(first, { tokens: 1_000, costNano: 0 });
    expect(
      await limits.admit([{ ...key, requests: null }], call({ nowMs: start + 60_001, tokens: 30 })),
    ).toMatchObject({ kind: 'admitted', tokens: { remaining: 0 } });
  });

  test('spending that could not be written is kept and written later, with what came meanwhile', async () => {
    spending = new Spending();
    events = [];
    const limits = await made();
    const key = party({ budget: dollars(10) });
    const spend = async (): Promise<void> => {
      const answer = await limits.admit([key], call({ costNano: NANO }));
      if (answer.kind === 'admitted') limits.settle(answer, AS_RESERVED);
    };
    await spend();
    spending.failure = new Error('away');
    await limits.flush();
    await spend();
    await limits.flush();
    expect(events.filter(({ kind }) => kind === 'spend_unsaved')).toHaveLength(1);
    spending.failure = null;
    await limits.flush();
    expect(spending.rows.get(key.account)?.nano).toBe(2 * NANO);
    await limits.close();
  });

  test('what another replica has spent counts as soon as this one writes', async () => {
    spending = new Spending();
    const here = await made();
    const there = await made();
    const key = party({ budget: dollars(1) });
    for (const limits of [here, there]) {
      const answer = await limits.admit([key], call({ costNano: 0.5 * NANO }));
      if (answer.kind === 'admitted') limits.settle(answer, AS_RESERVED);
      await limits.flush();
    }
    expect(await there.admit([key], call())).toMatchObject({ limit: 'budget', used: 1 });
  });

  test('spending without limits is recorded', async () => {
    spending = new Spending();
    const limits = await made();
    limits.spend(['key:a', 'team:b'], 5);
    limits.spend(['key:a'], 7);
    await limits.close();
    expect([...spending.rows]).toEqual([
      ['key:a', { nano: 12, sinceMs: 0 }],
      ['team:b', { nano: 5, sinceMs: 0 }],
    ]);
  });
});

describeWith('REDIS_URL_TEST', 'limits counted in Redis', (redisUrl) => {
  suite(() => made({ redisUrl }));

  test('two replicas share one limit', async () => {
    spending = new Spending();
    events = [];
    const replicas = await Promise.all([made({ redisUrl }), made({ redisUrl })]);
    for (const replica of replicas) await expect.poll(() => replica.status().problem).toBeNull();
    const key = party({ budget: dollars(1), requests: 1_000, tokens: 1_000_000 });
    const costNano = 0.03 * NANO;
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const limits = replicas[index % 2];
        const answer = await limits?.admit([key], call({ costNano }));
        if (answer?.kind !== 'admitted') return 0;
        limits?.settle(answer, AS_RESERVED);
        return costNano;
      }),
    );
    const spent = answers.reduce((sum, nano) => sum + nano, 0);
    expect(spent).toBe(33 * costNano);
    for (const replica of replicas) await replica.close();
    expect(spending.rows.get(key.account)?.nano).toBe(spent);
  });
});

describe('when the shared counters are away', () => {
  const nowhere = 'redis://127.0.0.1:1';

  test('local: each replica counts by itself, and readiness says so', async () => {
    spending = new Spending();
    const limits = await made({ redisUrl: nowhere });
    const key = party({ requests: 1 });
    expect(await limits.admit([key], call())).toMatchObject({ kind: 'admitted' });
    expect(await limits.admit([key], call())).toMatchObject({ kind: 'refused', limit: 'requests' });
    expect(limits.status()).toMatchObject({ counting: 'local', problem: expect.any(String) });
    await limits.close();
  });

  test('block: calls with limits are not made, and readiness says so', async () => {
    const limits = await made({ redisUrl: nowhere, whenAway: 'block' });
    expect(await limits.admit([party({ requests: 1 })], call())).toMatchObject({ kind: 'uncounted' });
    expect(limits.status()).toMatchObject({ counting: 'refusing' });
    await limits.close();
  });
});

test.each([
  [{ input: 0.15e-6, output: 0.6e-6 }, 1_000, 1_000, 750_000],
  [{ input: 1e-9, output: 0 }, 3, 0, 3],
  [{ input: 1e-10, output: 0 }, 1, 0, 1],
  [{ input: 0.1, output: 0.2 }, 1, 1, 300_000_000],
])(
  'the cost of %j for %d and %d tokens is %d billionths, never rounded down',
  (price, prompt, completion, nano) => {
    expect(costOf(price, { prompt_tokens: prompt, completion_tokens: completion })).toBe(nano);
  },
);
