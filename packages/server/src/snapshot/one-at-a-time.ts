/**
 * Makes of `work` a function that runs it once at a time. A call during a run is answered by one further run, which all
 * calls of that time share: a burst costs two runs, and every caller gets one that began after the call.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    waiting = null;
    await work();
  };
  return () => {
    if (waiting !== null) return waiting;
    waiting = last.then(run, run);
    last = waiting;
    return waiting;
  };
}
