import type { MaybePromise } from './hook.ts';

export const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> => value instanceof Promise;

/** Code written once for both ways: it yields promises to wait for, and none when everything is there already. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits inside {@link Steps}: `const value = yield* settled(maybePromise)`. */
export function* settled<T>(value: MaybePromise<T>): Steps<T> {
  return isPromise(value) ? ((yield value) as T) : value;
}

/** Runs steps to their end: at once when nothing has to be waited for, so that the hot path makes no promise. */
export function drive<T>(steps: Steps<T>): MaybePromise<T> {
  const first = steps.next();
  return first.done === true ? first.value : driveOn(steps, first.value);
}

async function driveOn<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let waiting = first;
  for (;;) {
    const next = steps.next(await waiting);
    if (next.done === true) return next.value;
    waiting = next.value;
  }
}
