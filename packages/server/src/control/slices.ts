import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';

/** Longest time that one piece of work holds the event loop, in milliseconds (S8). */
const SLICE_MS = 5;

/** Drives small steps to their end and lets others work in between. */
export async function inSlices<T>(steps: Generator<void, T>, clock: Clock): Promise<T> {
  let sliceEnd = clock.monotonic() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonic() < sliceEnd) continue;
    await nextTurn();
    sliceEnd = clock.monotonic() + SLICE_MS;
  }
}
