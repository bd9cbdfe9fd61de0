import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { InFlight } from './in-flight.ts';

const response = (): ServerResponse => new EventEmitter() as unknown as ServerResponse;

test('a stop waits for the last answer and no longer', async () => {
  const inFlight = new InFlight();
  await inFlight.drained(60_000);
  const [first, second] = [response(), response()];
  inFlight.enter(first);
  inFlight.enter(second);
  const drained = inFlight.drained(60_000);
  first.emit('close');
  expect(inFlight.count).toBe(1);
  second.emit('close');
  await drained;
});

test('a stop does not wait for ever', async () => {
  const inFlight = new InFlight();
  inFlight.enter(response());
  await inFlight.drained(5);
  expect(inFlight.count).toBe(1);
});
