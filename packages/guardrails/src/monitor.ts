/** Limits of the work done for monitored runs, shared by all requests of the process (E5). */
export interface MonitorLimits {
  /** Jobs under way at once. */
  readonly concurrency: number;
  /** Jobs waiting at most; more are turned away. */
  readonly waiting: number;
  /** Milliseconds a job may wait and run altogether. */
  readonly budgetMs: number;
}

export const MONITOR_LIMITS: MonitorLimits = { concurrency: 4, waiting: 256, budgetMs: 10_000 };

interface Job {
  readonly enqueuedAtMs: number;
  readonly run: (leftMs: number) => Promise<void>;
  readonly drop: () => void;
}

/** A bounded queue off the request's way. A job starts in a later turn of the event loop, one turn each. */
export class MonitorQueue {
  readonly #limits: MonitorLimits;
  readonly #jobs: Job[] = [];
  #running = 0;

  constructor(limits: MonitorLimits = MONITOR_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Runs `work` when there is room, with the milliseconds it has left. Answers `overloaded` when the queue is full or
   * the job waited longer than its budget; `work` is not called then.
   */
  run<T>(
    clock: { monotonic(): number },
    work: (leftMs: number) => T | Promise<T>,
  ): Promise<T | 'overloaded'> {
    if (this.#jobs.length >= this.#limits.waiting) return Promise.resolve('overloaded');
    return new Promise((resolve, reject) => {
      this.#jobs.push({
        enqueuedAtMs: clock.monotonic(),
        run: async (leftMs) => {
          try {
            resolve(await work(leftMs));
          } catch (error) {
            reject(error instanceof Error ? error : new Error('the job failed'));
          }
        },
        drop: () => resolve('overloaded'),
      });
      this.#pump(clock);
    });
  }

  #pump(clock: { monotonic(): number }): void {
    if (this.#running >= this.#limits.concurrency) return;
    const job = this.#jobs.shift();
    if (job === undefined) return;
    this.#running++;
    setImmediate(() => {
      const leftMs = this.#limits.budgetMs - (clock.monotonic() - job.enqueuedAtMs);
      const over = () => {
        this.#running--;
        this.#pump(clock);
      };
      if (leftMs <= 0) {
        job.drop();
        over();
      } else void job.run(leftMs).then(over);
    });
  }
}

/** The process's own queue: its limits hold across configurations, which come and go. */
export const sharedMonitorQueue = new MonitorQueue();
