import { expect, it } from 'vitest';
import { BoundedCache } from './cache.ts';

it('never holds more than its capacity', () => {
  const cache = new BoundedCache<number>(100);
  for (let number = 0; number < 10_000; number++) {
    cache.set(`key-${number}`, number);
    expect(cache.size).toBeLessThanOrEqual(100);
  }
});

it('keeps what is used while unused entries come and go', () => {
  const cache = new BoundedCache<string>(10);
  cache.set('used', 'value');
  for (let number = 0; number < 1_000; number++) {
    cache.set(`key-${number}`, '');
    expect(cache.get('used')).toBe('value');
  }
});
