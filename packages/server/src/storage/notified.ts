import type { Sql } from 'postgres';

/**
 * Tells which numbers have been committed on one channel: those of this process at once, those of others by `LISTEN` on a
 * connection for it alone, which the driver makes anew when it is lost.
 */
export class Notified {
  readonly #sql: Sql | null;
  readonly #channel: string;
  readonly #limitMs: number;
  readonly #listeners = new Set<(number: number) => void>();
  #connection: Promise<unknown> | null = null;

  /** @param sql where others may change something, or null when only this process can. */
  constructor(sql: Sql | null, channel: string, limitMs: number) {
    this.#sql = sql;
    this.#channel = channel;
    this.#limitMs = limitMs;
  }

  /** A transaction of this process that took this number has ended. */
  tell(number: number): void {
    for (const listener of this.#listeners) listener(number);
  }

  /** @param head asked after a gap in listening: what was told meanwhile is lost. */
  async listen(
    listener: (number: number) => void,
    head: () => Promise<number>,
  ): Promise<() => Promise<void>> {
    // A listener of its own, also when the same function listens twice.
    const own = (number: number) => listener(number);
    this.#listeners.add(own);
    if (this.#sql !== null) {
      this.#connection ??= this.#connect(this.#sql, head);
      await this.#atMost(this.#connection);
    }
    return async () => {
      this.#listeners.delete(own);
    };
  }

  async #connect(sql: Sql, head: () => Promise<number>): Promise<void> {
    try {
      await sql.listen(
        this.#channel,
        (payload) => {
          const number = Number(payload);
          if (Number.isSafeInteger(number)) this.tell(number);
        },
        () => {
          void head().then(
            (number) => this.tell(number),
            () => undefined, // Away again: the next connection asks again, and callers poll.
          );
        },
      );
    } catch {
      // The driver goes on trying; nobody waits for it, because polling finds every change.
    }
  }

  async #atMost(connection: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#limitMs);
    });
    await Promise.race([connection, late]);
    clearTimeout(timer);
  }
}
