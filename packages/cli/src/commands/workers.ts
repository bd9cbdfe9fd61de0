import cluster, { type Worker } from 'node:cluster';
import type { Output } from '../output.ts';

/** A worker that ended is started again after this long, doubled each time up to the longest pause. */
const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that has lived this long does not count as one that cannot live. */
const SETTLED_MS = 60_000;

/**
 * The young generation of a worker's heap, in MB: with more room for what lives as long as a request, less of it is
 * copied. What that saves has not been measured on a quiet machine.
 */
const YOUNG_MB = 32;

/** Whether this process is one of several that a supervisor has started. */
export const isWorker = (): boolean => cluster.isWorker;

/** Whether it is the one that was started first. */
export const isFirstWorker = (): boolean => cluster.worker?.id === 1;

/**
 * Runs `count` processes of the same command that share its port, and resolves with the exit code when all have ended.
 * The first has to serve before the others start; when it cannot, nothing does. A worker that ends is started again.
 * SIGTERM and SIGINT let requests under way end, SIGHUP has every worker read its configuration again, SIGUSR2 replaces
 * the workers one by one, each new one serving before an old one stops, so that nobody is refused.
 */
export function superviseWorkers(count: number, output: Output): Promise<number> {
  return new Supervisor(count, output).run();
}

class Supervisor {
  readonly #count: number;
  readonly #output: Output;
  readonly #workers = new Set<Worker>();
  /** Those that were told to stop. */
  readonly #leaving = new Set<Worker>();
  #stopping = false;
  #replacing = false;
  #failures = 0;
  #exitCode = 0;
  #finish: (code: number) => void = () => {};

  constructor(count: number, output: Output) {
    this.#count = count;
    this.#output = output;
  }

  async run(): Promise<number> {
    cluster.setupPrimary({
      execArgv: [
        ...process.execArgv,
        `--min-semi-space-size=${YOUNG_MB / 2}`,
        `--max-semi-space-size=${YOUNG_MB}`,
      ],
    });
    const finished = new Promise<number>((finish) => {
      this.#finish = finish;
    });
    const stop = (signal: NodeJS.Signals): void => this.#stop(signal);
    const reload = (): void => this.#signal('SIGHUP');
    const replace = (): void => void this.#replaceAll();
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload).on('SIGUSR2', replace);
    try {
      const first = await this.#start();
      if (first !== null) return first;
      for (let started = 1; started < this.#count && !this.#stopping; started += 1) await this.#start();
      return await finished;
    } finally {
      process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload).off('SIGUSR2', replace);
    }
  }

  /** Starts one more worker. Gives null as soon as it serves, or the exit code of one that never did. */
  #start(): Promise<number | null> {
    return new Promise((resolve) => {
      const worker = cluster.fork();
      const startedMs = performance.now();
      let serves = false;
      this.#workers.add(worker);
      worker.once('listening', () => {
        serves = true;
        resolve(null);
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        this.#workers.delete(worker);
        const expected = this.#leaving.delete(worker) || this.#stopping;
        const exitCode = code ?? 1;
        if (expected) this.#exitCode = Math.max(this.#exitCode, exitCode);
        resolve(exitCode);
        if (this.#stopping && this.#workers.size === 0) this.#finish(this.#exitCode);
        // The first one's fault is the configuration's, and ends the command.
        const isFirst = !serves && this.#workers.size === 0;
        if (!expected && !isFirst)
          this.#again(worker, signal ?? `code ${exitCode}`, performance.now() - startedMs);
      });
    });
  }

  #again(worker: Worker, how: string, livedMs: number): void {
    this.#failures = livedMs > SETTLED_MS ? 0 : this.#failures + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures);
    this.#output.note(
      `Worker ${worker.process.pid ?? worker.id} ended (${how}); another starts in ${pauseMs} ms.`,
    );
    setTimeout(() => {
      if (!this.#stopping) void this.#start();
    }, pauseMs);
  }

  async #replaceAll(): Promise<void> {
    if (this.#replacing || this.#stopping) return;
    this.#replacing = true;
    this.#output.note('Replacing the workers one by one (SIGUSR2).');
    for (const old of Array.from(this.#workers)) {
      if (this.#stopping) break;
      if ((await this.#start()) !== null) {
        this.#output.note('A new worker did not start; the old ones go on.');
        break;
      }
      this.#leaving.add(old);
      old.process.kill('SIGTERM');
    }
    this.#replacing = false;
  }

  #stop(signal: NodeJS.Signals): void {
    if (this.#stopping) {
      this.#signal('SIGKILL');
      this.#finish(130);
      return;
    }
    this.#stopping = true;
    this.#output.note(`Stopping (${signal}); once more stops at once.`);
    if (this.#workers.size === 0) this.#finish(0);
    this.#signal('SIGTERM');
  }

  #signal(signal: NodeJS.Signals): void {
    for (const worker of this.#workers) worker.process.kill(signal);
  }
}
