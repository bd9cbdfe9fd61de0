import type { Finding } from '@portcullis/policy';
import { DatabaseError } from '../ports/database.ts';
import type { LastGood, LastGoodStore } from '../ports/last-good.ts';
import type { DocumentSource, PolicyHead, StoredDocuments } from '../ports/policy-store.ts';
import type { ActiveSnapshot, SnapshotState, SnapshotStatus } from '../ports/snapshot.ts';
import { buildSnapshot, type BuildTools, type SnapshotSource } from './build.ts';
import type { ActiveSnapshots } from './holder.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { mergedSource, type Openers } from './source.ts';

/** Told of every attempt to load that ends otherwise than the one before. */
export interface LoadEvents {
  snapshotLoaded(revision: number, digest: string, durationMs: number): void;
  snapshotRefused(problem: string): void;
}

export type LoadOutcome =
  | { readonly ok: true; readonly revision: number; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly problem: string };

/** How waiting for a revision has ended. */
export type Reach =
  | { readonly kind: 'enforced' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'late' };

export interface LoaderParts<Config> extends Openers<Config> {
  readonly holder: ActiveSnapshots;
  readonly tools: BuildTools;
  readonly events: LoadEvents;
  readonly documents: Pick<DocumentSource, 'head' | 'read'>;
  readonly lastGood: LastGoodStore;
  /**
   * Takes a revision for a configuration file, provided that `base` is still the newest (S9). Gives null when it is not, or
   * when another replica has taken one for the same file.
   */
  readonly takeRevision: (digest: string, base: number) => Promise<number | null>;
  /** Whether no replica that lives runs the configuration file of this digest. */
  readonly isOrphaned: (digest: string) => Promise<boolean>;
}

/** A load that failed is tried again when this many times its duration have passed: a tenth of the time at most. */
const REST = 10;
const SHORTEST_REST_MS = 500;
/** How often the head is followed when other replicas move it meanwhile; the next look goes on. */
const ATTEMPTS = 3;
/** Waiting requests do not make anybody look more often than this. */
const NUDGE_MS = 200;
const REASONS_TOLD = 10;

/** What an attempt has come to: the head is enforced, what was in force is kept, or the head has moved meanwhile. */
type Followed = 'enforced' | 'kept' | 'overtaken';

interface Active<Config> {
  readonly config: Config;
  readonly revision: number;
  readonly loadedAtMs: number;
  readonly origin: NonNullable<SnapshotStatus['origin']>;
}

interface Problem {
  readonly text: string;
  readonly sinceMs: number;
}

interface SyncProblem extends Problem {
  readonly state: Extract<SnapshotState, 'rejected' | 'config_mismatch' | 'database_away'>;
  readonly revision: number | null;
}

/**
 * The only way into force: configuration and database, merged, built aside, and swapped by one assignment (S1). Whatever
 * goes wrong changes nothing but the status, which says why the last good snapshot is kept (S2).
 */
export class SnapshotLoader<Config extends SnapshotSource> {
  readonly #parts: LoaderParts<Config>;
  #active: Active<Config> | null = null;
  /** A configuration file that is newer than the one in force. */
  #candidate: Config | null = null;
  #headRevision: number | null = null;
  #syncProblem: SyncProblem | null = null;
  #configProblem: Problem | null = null;
  #lastGoodProblem: string | null = null;
  #failed: { readonly revision: number; readonly digest: string; readonly restUntil: number } | null = null;
  #warnings: readonly Finding[] = [];
  #nudgedAt = -Infinity;
  readonly #changed = new Set<() => void>();

  constructor(parts: LoaderParts<Config>) {
    this.#parts = parts;
  }

  /** The configuration file in force, or null before one is. */
  get inForce(): Config | null {
    return this.#active?.config ?? null;
  }

  /** The digest that this process has: of the file in force, or of the one that waits to be. */
  get digest(): string | null {
    return (this.#active?.config ?? this.#candidate)?.digest ?? null;
  }

  get status(): SnapshotStatus {
    const problems = [this.#syncProblem, this.#configProblem].filter((problem) => problem !== null);
    return {
      state: this.#state(),
      revision: this.#active?.revision ?? null,
      digest: this.digest,
      loadedAtMs: this.#active?.loadedAtMs ?? null,
      origin: this.#active?.origin ?? null,
      headRevision: this.#headRevision,
      rejectedRevision: this.#syncProblem?.revision ?? null,
      problem: problems.length === 0 ? null : problems.map(({ text }) => text).join('; '),
      problemSinceMs: problems.length === 0 ? null : Math.min(...problems.map(({ sinceMs }) => sinceMs)),
      lastGoodProblem: this.#lastGoodProblem,
    };
  }

  /** Calls `listener` whenever the status may have become another one. */
  onChange(listener: () => void): void {
    this.#changed.add(listener);
  }

  /**
   * Puts the last known good documents in force, so that a start need not wait for the database (S3). They go with one
   * configuration file: under another one their revision would mean something else, so then the database is waited for.
   * Says what was found.
   */
  async restore(config: Config): Promise<LastGood['kind']> {
    this.#candidate = config;
    const found = await this.#parts.lastGood.read();
    if (found.kind === 'found') await this.#restore(config, found.documents);
    else if (found.kind === 'refused') {
      this.#lastGoodProblem = found.reason;
      this.#parts.events.snapshotRefused(found.reason);
    }
    return found.kind;
  }

  async #restore(config: Config, documents: StoredDocuments): Promise<void> {
    const { revision, configDigest } = documents;
    if (configDigest !== config.digest) {
      this.#lastGoodProblem = `the last known good revision ${revision} was made with another configuration file: start with that file, or wait for the database`;
      return;
    }
    const start = this.#parts.tools.clock.monotonic();
    const built = await this.#build(config, documents, revision);
    if (!built.ok) {
      this.#lastGoodProblem = `the last known good revision ${revision} cannot be loaded: ${built.problem}`;
      this.#parts.events.snapshotRefused(this.#lastGoodProblem);
      return;
    }
    this.#enforce(config, built.snapshot, 'last_known_good', start);
  }

  /**
   * Puts the configuration in force by itself. Only for a database that nobody can have written to: anywhere else it could
   * lack policies.
   */
  async loadAlone(config: Config): Promise<LoadOutcome> {
    const start = this.#parts.tools.clock.monotonic();
    const documents = {
      revision: 0,
      configDigest: null,
      policies: [],
      attachments: [],
      guardrails: [],
      models: [],
    };
    const built = await this.#build(config, documents, 0);
    if (!built.ok) return { ok: false, problem: built.problem };
    this.#enforce(config, built.snapshot, 'configuration', start);
    return { ok: true, revision: 0, warnings: built.warnings };
  }

  /** Takes over a configuration file that was read anew; says whether it is in force. Never rejects. */
  async configure(config: Config): Promise<LoadOutcome> {
    this.#configProblem = null;
    this.#failed = null;
    if (this.#active?.config.digest === config.digest) this.#candidate = null;
    else this.#candidate = config;
    await this.sync();
    const active = this.#active;
    if (active !== null && active.config.digest === config.digest) {
      return { ok: true, revision: active.revision, warnings: this.#warnings };
    }
    return { ok: false, problem: this.status.problem ?? 'a newer configuration file was read meanwhile' };
  }

  /** The configuration file could not be read: the one in force stays. */
  refuseConfiguration(problem: string): void {
    this.#candidate = null;
    this.#noteConfig(problem);
  }

  /**
   * Brings this process to the newest revision, once for all who ask meanwhile. Resolves when an attempt that began after
   * the call has ended, well or not. Never rejects.
   */
  readonly sync = oneAtATime(async () => {
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const head = await this.#parts.documents.head();
        this.#headRevision = head.revision;
        if (this.#syncProblem?.state === 'database_away') this.#syncProblem = null;
        if ((await this.#follow(head)) !== 'overtaken') break;
      }
    } catch (error) {
      this.#note('database_away', null, whyAway(error));
    }
    this.#tell();
  });

  /** Somebody waits for a newer revision (S6): looks for it, in case nobody told of it. */
  nudge(): void {
    const now = this.#parts.tools.clock.monotonic();
    if (now - this.#nudgedAt < NUDGE_MS) return;
    this.#nudgedAt = now;
    void this.sync();
  }

  /** Waits until this revision, or a later one, is enforced here (S5). Never rejects. */
  async ensureRevision(revision: number, limitMs: number): Promise<Reach> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), limitMs);
    const late = new Promise<Reach>((resolve) => {
      patience.signal.addEventListener('abort', () => resolve({ kind: 'late' }));
    });
    try {
      return await Promise.race([this.#reach(revision, patience.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #reach(revision: number, patience: AbortSignal): Promise<Reach> {
    while (!this.#enforces(revision) && !patience.aborted) {
      await this.sync();
      if (this.#enforces(revision)) break;
      if (this.#syncProblem !== null) return { kind: 'refused', reason: this.#syncProblem.text };
      if (this.#headRevision === null || this.#headRevision < revision) {
        return { kind: 'refused', reason: `the database has no revision ${revision}` };
      }
      // The head moved on during the attempt: the next one follows it.
    }
    return this.#enforces(revision) ? { kind: 'enforced' } : { kind: 'late' };
  }

  #enforces(revision: number): boolean {
    return this.#active !== null && this.#active.revision >= revision;
  }

  /** Decides which configuration goes with the head, and loads. */
  async #follow(head: PolicyHead): Promise<Followed> {
    const active = this.#active;
    if (active !== null && head.revision < active.revision) {
      this.#note(
        'rejected',
        head.revision,
        `the database is at revision ${head.revision}, before the ${active.revision} in force here: it was exchanged or restored from a backup; to take what it holds now, remove last-known-good.jsonl from the data directory and start again`,
      );
      return 'kept';
    }
    const candidate = this.#candidate;
    if (candidate !== null) {
      if (head.configDigest === candidate.digest) return this.#load(candidate, head);
      const taken = await this.#take(candidate, head);
      if (taken !== 'kept') return taken;
    }
    if (active === null) return 'kept';
    const { config } = active;
    if (head.configDigest === config.digest) return this.#load(config, head);
    // A file that is in force without a revision of its own, or whose revision was given by a replica that is gone.
    if (head.configDigest === null || (await this.#parts.isOrphaned(head.configDigest))) {
      return this.#take(config, head);
    }
    this.#note(
      'config_mismatch',
      head.revision,
      `revision ${head.revision} was made with another configuration file than the one of this replica; give every replica the same file`,
    );
    return 'kept';
  }

  /** Loads the revision of the head, which was made with this configuration. */
  async #load(config: Config, head: PolicyHead): Promise<Followed> {
    const active = this.#active;
    if (active?.config === config && active.revision === head.revision && active.origin === 'database') {
      this.#syncProblem = null;
      return 'enforced';
    }
    if (this.#rests(config, head.revision)) return 'kept';
    const { clock } = this.#parts.tools;
    const start = clock.monotonic();
    const stored = await this.#read(config, head.revision, start);
    if (stored === null) return 'kept';
    const built = await this.#build(config, stored, head.revision);
    if (!built.ok) {
      this.#failure(config, head.revision, start, built.problem);
      return 'kept';
    }
    await this.#keep(stored);
    this.#enforce(config, built.snapshot, 'database', start);
    this.#warnings = built.warnings;
    return 'enforced';
  }

  /**
   * Takes a revision for a configuration that no revision goes with (S9): built before it is taken, so that the head never
   * names what nobody can load.
   */
  async #take(config: Config, head: PolicyHead): Promise<Followed> {
    const next = head.revision + 1;
    if (this.#rests(config, next)) return 'kept';
    const { clock } = this.#parts.tools;
    const start = clock.monotonic();
    const stored = await this.#read(config, head.revision, start);
    if (stored === null) return 'kept';
    const built = await this.#build(config, stored, next);
    if (!built.ok) {
      this.#rest(config, next, start);
      this.#noteConfig(`the configuration file is not used: ${built.problem}`);
      return 'kept';
    }
    const { snapshot } = built;
    try {
      const taken = await this.#parts.takeRevision(config.digest, head.revision);
      if (taken !== next) {
        snapshot.runtime.dispose();
        return 'overtaken';
      }
    } catch (error) {
      snapshot.runtime.dispose();
      throw error;
    }
    this.#headRevision = next;
    await this.#keep({ ...stored, revision: next, configDigest: config.digest });
    this.#enforce(config, snapshot, 'database', start);
    this.#warnings = built.warnings;
    return 'enforced';
  }

  /** The documents of a revision, or null when they cannot be read; a database that is away is thrown. */
  async #read(config: Config, revision: number, start: number): Promise<StoredDocuments | null> {
    try {
      return await this.#parts.documents.read(revision);
    } catch (error) {
      if (isAway(error)) throw error;
      this.#failure(config, revision, start, messageOf(error));
      return null;
    }
  }

  async #build(
    config: Config,
    stored: StoredDocuments,
    revision: number,
  ): Promise<
    { ok: true; snapshot: ActiveSnapshot; warnings: readonly Finding[] } | { ok: false; problem: string }
  > {
    try {
      const source = mergedSource(config, stored, this.#parts);
      const built = await buildSnapshot(source, revision, this.#parts.tools);
      return built.ok ? built : { ok: false, problem: problemOf(built.findings) };
    } catch (error) {
      return { ok: false, problem: messageOf(error) };
    }
  }

  /** Before the swap: what has been in force must never be missing from the disk. */
  async #keep(stored: StoredDocuments): Promise<void> {
    try {
      await this.#parts.lastGood.write(stored);
      this.#lastGoodProblem = null;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#lastGoodProblem) this.#parts.events.snapshotRefused(problem);
      this.#lastGoodProblem = problem;
    }
  }

  #enforce(config: Config, snapshot: ActiveSnapshot, origin: Active<Config>['origin'], start: number): void {
    const { holder, tools, events } = this.#parts;
    const { revision } = snapshot;
    holder.swap(snapshot);
    this.#active = { config, revision, origin, loadedAtMs: tools.clock.now() };
    if (this.#candidate?.digest === config.digest) {
      this.#candidate = null;
      this.#configProblem = null;
    }
    this.#syncProblem = null;
    this.#failed = null;
    events.snapshotLoaded(revision, config.digest, tools.clock.monotonic() - start);
    this.#tell();
  }

  #failure(config: Config, revision: number, start: number, problem: string): void {
    this.#rest(config, revision, start);
    this.#note('rejected', revision, `revision ${revision} cannot be loaded: ${problem}`);
  }

  #rest({ digest }: Config, revision: number, start: number): void {
    const now = this.#parts.tools.clock.monotonic();
    const restUntil = now + Math.max(SHORTEST_REST_MS, REST * (now - start));
    this.#failed = { revision, digest, restUntil };
  }

  /** The same was tried a moment ago; its problem stands. */
  #rests({ digest }: Config, revision: number): boolean {
    const failed = this.#failed;
    if (failed === null || failed.revision !== revision || failed.digest !== digest) return false;
    return this.#parts.tools.clock.monotonic() < failed.restUntil;
  }

  #note(state: SyncProblem['state'], revision: number | null, text: string): void {
    const former = this.#syncProblem;
    const isSame = former !== null && former.state === state && former.revision === revision;
    const sinceMs = isSame ? former.sinceMs : this.#parts.tools.clock.now();
    this.#syncProblem = { state, revision, text, sinceMs };
    if (!isSame) this.#parts.events.snapshotRefused(text);
  }

  #noteConfig(text: string): void {
    const former = this.#configProblem;
    this.#configProblem = { text, sinceMs: former?.sinceMs ?? this.#parts.tools.clock.now() };
    if (former?.text !== text) this.#parts.events.snapshotRefused(text);
    this.#tell();
  }

  #state(): SnapshotState {
    if (this.#syncProblem !== null) return this.#syncProblem.state;
    if (this.#configProblem !== null) return 'config_refused';
    const { revision } = this.#active ?? { revision: null };
    if (revision === null) return 'starting';
    return this.#headRevision !== null && this.#headRevision > revision ? 'behind' : 'in_force';
  }

  #tell(): void {
    for (const listener of this.#changed) listener();
  }
}

function isAway(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && (error.kind === 'unavailable' || error.kind === 'timeout');
}

function whyAway(error: unknown): string {
  const reason = messageOf(error);
  return isAway(error)
    ? `the database is away, so newer policies cannot be seen: ${reason}`
    : `the newest revision cannot be asked for: ${reason}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function problemOf(findings: readonly Finding[]): string {
  const told = findings.slice(0, REASONS_TOLD).map(({ path, message }) => [...path, message].join(': '));
  const more = findings.length > told.length ? [`and ${findings.length - told.length} more`] : [];
  return [...told, ...more].join('; ');
}
