import type { Finding } from '@portcullis/policy';
import type { SnapshotStatus } from '../ports/snapshot.ts';
import { buildSnapshot, type BuildTools, type SnapshotSource } from './build.ts';
import type { ActiveSnapshots } from './holder.ts';

/** Told of every attempt to load. */
export interface LoadEvents {
  snapshotLoaded(revision: number, digest: string, durationMs: number): void;
  snapshotRefused(problem: string): void;
}

export type LoadOutcome =
  | { readonly ok: true; readonly revision: number; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * Loads snapshots one after the other and swaps good ones in. A bad one changes nothing but the status, which says why
 * the last good one is kept (S2).
 */
export class SnapshotLoader {
  readonly #holder: ActiveSnapshots;
  readonly #tools: BuildTools;
  readonly #events: LoadEvents;
  #revision = 0;
  #status: SnapshotStatus = { revision: null, digest: null, loadedAtMs: null, problem: null };
  #queue: Promise<unknown> = Promise.resolve();

  constructor(holder: ActiveSnapshots, tools: BuildTools, events: LoadEvents) {
    this.#holder = holder;
    this.#tools = tools;
    this.#events = events;
  }

  get status(): SnapshotStatus {
    return this.#status;
  }

  /** Builds and swaps. The same digest again is no new revision. Never rejects. */
  load(source: SnapshotSource): Promise<LoadOutcome> {
    const result = this.#queue.then(() => this.#load(source));
    this.#queue = result;
    return result;
  }

  /** The source itself could not be read: the last good snapshot stays. */
  refuse(problem: string): void {
    this.#status = { ...this.#status, problem };
    this.#events.snapshotRefused(problem);
  }

  async #load(source: SnapshotSource): Promise<LoadOutcome> {
    const { clock } = this.#tools;
    const { revision, digest } = this.#status;
    if (revision !== null && digest === source.digest) {
      this.#status = { ...this.#status, problem: null };
      return { ok: true, revision, warnings: [] };
    }
    const start = clock.monotonic();
    try {
      const built = await buildSnapshot(source, this.#revision + 1, this.#tools);
      if (!built.ok) return this.#failed(built.findings);
      this.#revision += 1;
      this.#holder.swap(built.snapshot);
      this.#status = {
        revision: this.#revision,
        digest: source.digest,
        loadedAtMs: clock.now(),
        problem: null,
      };
      this.#events.snapshotLoaded(this.#revision, source.digest, clock.monotonic() - start);
      return { ok: true, revision: this.#revision, warnings: built.warnings };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.#failed([{ severity: 'error', code: 'load_failed', message, path: [] }]);
    }
  }

  #failed(findings: readonly Finding[]): LoadOutcome {
    this.refuse(findings.map(({ message, path }) => [...path, message].join(': ')).join('; '));
    return { ok: false, findings };
  }
}
