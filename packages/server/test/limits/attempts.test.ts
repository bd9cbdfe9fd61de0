import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import { networkOf } from '../../src/control/sessions/guard.ts';
import { createAttempts } from '../../src/limits/attempts.ts';
import type { Attempts } from '../../src/ports/attempts.ts';
import { realClock, stillClock } from '../storage/kit.ts';

let names = 0;
const fresh = (): string => `${process.pid} ${(names += 1)}`;

function suite(attempts: Attempts): void {
  afterAll(() => attempts.close());

  test('lets through as many as it is told, then says how long to wait', async () => {
    const name = fresh();
    const one = { name, most: 3, windowMs: 60_000 };
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await attempts.take([one])).toBeNull();
    const refused = await attempts.take([one]);
    expect(refused?.retryAfterMs).toBeGreaterThan(50_000);
    expect(refused?.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(await attempts.take([{ ...one, name: fresh() }])).toBeNull();
  });

  test('counts nothing when one of several is used up', async () => {
    const [full, other] = [fresh(), fresh()];
    await attempts.take([{ name: full, most: 1, windowMs: 60_000 }]);
    const both = [
      { name: full, most: 1, windowMs: 60_000 },
      { name: other, most: 1, windowMs: 60_000 },
    ];
    expect(await attempts.take(both)).not.toBeNull();
    expect(await attempts.take([{ name: other, most: 1, windowMs: 60_000 }])).toBeNull();
  });

  test('of a hundred at once lets through no more than the limit', async () => {
    const one = { name: fresh(), most: 10, windowMs: 60_000 };
    const answers = await Promise.all(Array.from({ length: 100 }, () => attempts.take([one])));
    expect(answers.filter((answer) => answer === null)).toHaveLength(10);
  });

  test('begins anew when it is told to forget', async () => {
    const one = { name: fresh(), most: 1, windowMs: 60_000 };
    await attempts.take([one]);
    await attempts.forget([one.name]);
    expect(await attempts.take([one])).toBeNull();
  });
}

describe('attempts in memory', () => {
  suite(createAttempts({ clock: realClock, redisUrl: null }));

  test('a window ends', async () => {
    const clock = stillClock();
    const attempts = createAttempts({ clock, redisUrl: null });
    const one = { name: 'a', most: 1, windowMs: 1_000 };
    await attempts.take([one]);
    clock.advance(999);
    expect(await attempts.take([one])).toEqual({ retryAfterMs: 1 });
    clock.advance(1);
    expect(await attempts.take([one])).toBeNull();
  });

  test('remembers a bounded number of names, the newest ones', async () => {
    const attempts = createAttempts({ clock: stillClock(), redisUrl: null });
    const one = (name: string) => [{ name, most: 1, windowMs: 1_000 }];
    for (let index = 0; index <= 20_000; index += 1) await attempts.take(one(`n${index}`));
    expect(await attempts.take(one('n20000'))).not.toBeNull();
    expect(await attempts.take(one('n0'))).toBeNull();
  });
});

describeWith('REDIS_URL_TEST', 'attempts in Redis', (url) => {
  const attempts = createAttempts({ clock: realClock, redisUrl: url });
  suite(attempts);

  test('are counted by all replicas together', async () => {
    const replica = createAttempts({ clock: realClock, redisUrl: url });
    const one = { name: fresh(), most: 2, windowMs: 60_000 };
    // Both have to be connected, or each counts by itself.
    const probe = new Redis(url);
    await probe.ping();
    await expect.poll(async () => countIn(probe, replica)).toBe(1);
    await attempts.take([one]);
    await replica.take([one]);
    expect(await attempts.take([one])).not.toBeNull();
    expect(await replica.take([one])).not.toBeNull();
    await probe.quit();
    await replica.close();
  });
});

/** Takes an attempt of a new name; how many Redis knows of. */
async function countIn(redis: Redis, attempts: Attempts): Promise<number> {
  const name = fresh();
  await attempts.take([{ name, most: 1, windowMs: 60_000 }]);
  return redis.exists(`{portcullis}:attempts:${name}`);
}

test('while Redis is away attempts are counted here', async () => {
  const attempts = createAttempts({ clock: realClock, redisUrl: 'redis://127.0.0.1:1/0' });
  const one = { name: fresh(), most: 1, windowMs: 60_000 };
  expect(await attempts.take([one])).toBeNull();
  expect(await attempts.take([one])).not.toBeNull();
  await attempts.close();
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
