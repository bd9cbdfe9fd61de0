/**
 * Preloaded into every measured process (`--import`): answers its parent with the CPU time and memory of the whole
 * process, so that targets need no code of their own for being measured.
 */
export interface Reading {
  /** User and system time of all threads, in microseconds. */
  readonly cpuUs: number;
  readonly rssBytes: number;
  /** Live heap after a collection, when the process runs with --expose-gc. */
  readonly heapBytes: number;
}

process.on('message', (message) => {
  if (message !== 'read') return;
  (globalThis as { gc?: () => void }).gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  process.send?.({ cpuUs: user + system, rssBytes: rss, heapBytes: heapUsed } satisfies Reading);
});
// The channel to the parent must not keep a target alive that wants to end.
process.channel?.unref();
