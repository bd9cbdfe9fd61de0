import { expect, test } from 'vitest';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import { ActiveSnapshots } from './holder.ts';

function snapshot(revision: number, freed: number[]): ActiveSnapshot {
  return { revision, runtime: { dispose: () => freed.push(revision) } } as unknown as ActiveSnapshot;
}

test('a replaced snapshot is freed after its last request, and not before', () => {
  const freed: number[] = [];
  const holder = new ActiveSnapshots();
  expect(holder.acquire()).toBeNull();
  const first = snapshot(1, freed);
  holder.swap(first);
  expect([holder.acquire(), holder.acquire()]).toEqual([first, first]);
  holder.swap(snapshot(2, freed));
  expect(holder.current()?.revision).toBe(2);
  holder.release(first);
  expect(freed).toEqual([]);
  holder.release(first);
  expect(freed).toEqual([1]);
});

test('a replaced snapshot that nobody uses is freed at once', () => {
  const freed: number[] = [];
  const holder = new ActiveSnapshots();
  holder.swap(snapshot(1, freed));
  holder.swap(snapshot(2, freed));
  expect(freed).toEqual([1]);
  holder.close();
  expect(freed).toEqual([1, 2]);
});

test('whoever waits for a revision goes on when it, or a later one, is active', async () => {
  const holder = new ActiveSnapshots();
  holder.swap(snapshot(1, []));
  expect(await holder.reached(1, 10_000)).toBe(true);
  const waiting = holder.reached(2, 10_000);
  holder.swap(snapshot(3, []));
  expect(await waiting).toBe(true);
  expect(await holder.reached(4, 10)).toBe(false);
});
