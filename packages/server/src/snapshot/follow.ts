/** Follows changes of other processes: told at once where that works, and asked for where it does not (S5). */
export interface FollowParts {
  /** Looks for what is new. Never rejects. */
  readonly look: () => Promise<void>;
  /** Begins to listen; gives what ends it. May reject: then only the polling is left. */
  readonly listen: () => Promise<() => Promise<void>>;
  /** The time between two looks, read anew each time. */
  readonly everyMs: () => number;
}

export interface Following {
  /** Resolves when the first look has ended. */
  readonly first: Promise<void>;
  /** Ends listening and polling, and waits for a look under way. */
  stop(): Promise<void>;
}

/** Listens and polls until it is stopped. */
export function follow({ look, listen, everyMs }: FollowParts): Following {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const isStopped = (): boolean => stopped;
  let running: Promise<void> = Promise.resolve();

  const round = (): void => {
    timer = null;
    running = look().then(() => again());
  };
  const again = (): void => {
    if (!isStopped()) timer = setTimeout(round, everyMs()).unref();
  };
  const listening = listen().catch(() => null);
  const first = look();
  running = first.then(() => again());
  return {
    first,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await running;
      await (await listening)?.();
    },
  };
}
