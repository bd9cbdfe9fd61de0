import type { ActiveSnapshot, SnapshotHolder } from '../ports/snapshot.ts';

/**
 * Holds the active snapshot and counts its users. A snapshot that was replaced is freed after its last request, streams
 * included (S1).
 */
export class ActiveSnapshots implements SnapshotHolder {
  readonly #users = new Map<ActiveSnapshot, number>();
  readonly #waiting = new Set<{ readonly revision: number; readonly reached: () => void }>();
  #current: ActiveSnapshot | null = null;
  /** Called when somebody waits for a revision that is not here. */
  onAwaited: (() => void) | null = null;

  current(): ActiveSnapshot | null {
    return this.#current;
  }

  acquire(): ActiveSnapshot | null {
    const snapshot = this.#current;
    if (snapshot !== null) this.#users.set(snapshot, (this.#users.get(snapshot) ?? 0) + 1);
    return snapshot;
  }

  release(snapshot: ActiveSnapshot): void {
    const users = this.#users.get(snapshot);
    if (users === undefined) return;
    if (users > 1) {
      this.#users.set(snapshot, users - 1);
      return;
    }
    this.#users.delete(snapshot);
    if (snapshot !== this.#current) snapshot.runtime.dispose();
  }

  reached(revision: number, limitMs: number): Promise<boolean> {
    if (this.#current !== null && this.#current.revision >= revision) return Promise.resolve(true);
    this.onAwaited?.();
    return new Promise((resolve) => {
      const waiter = {
        revision,
        reached: (): void => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        resolve(false);
      }, limitMs);
      this.#waiting.add(waiter);
    });
  }

  /** Puts `next` in force for every request that starts from now on. */
  swap(next: ActiveSnapshot): void {
    const old = this.#current;
    this.#current = next;
    if (old !== null && !this.#users.has(old)) old.runtime.dispose();
    for (const waiter of this.#waiting) if (next.revision >= waiter.revision) waiter.reached();
  }

  /** Frees the active one when nobody will ask any more. */
  close(): void {
    const last = this.#current;
    this.#current = null;
    if (last !== null && !this.#users.has(last)) last.runtime.dispose();
  }
}
