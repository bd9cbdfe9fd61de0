import type { Inspection } from '../guardrail.ts';
import { KeyedHash } from './keyed-hash.ts';

/** Bounds of the cache of verdicts (E6). */
export interface VerdictCacheLimits {
  /** About so many bytes of memory. */
  readonly bytes: number;
  /** Milliseconds after which a verdict is made anew. */
  readonly ageMs: number;
}

export const VERDICT_CACHE_LIMITS: VerdictCacheLimits = { bytes: 64 * 1024 * 1024, ageMs: 3_600_000 };

interface Entry {
  readonly inspection: Inspection;
  readonly madeAtMs: number;
}

/** About what one entry takes: key, list and map; and what each thing found adds. */
const BYTES = { entry: 250, detection: 300, edit: 150 } as const;

/**
 * Verdicts of detectors whose answer depends on the bytes of a segment alone (E6), found by a keyed hash of everything
 * that they depend on. Holds kinds, places and keyed hashes; never a text, a masked text or a placeholder.
 */
export class VerdictCache {
  /** Makes the keys: of this process alone, so that nobody can find out from outside what has been seen. */
  readonly keys = new KeyedHash();
  /** Questions answered from the cache, and those that were not, since the start. */
  readonly counts = { hits: 0, misses: 0 };
  readonly #halfBytes: number;
  readonly #ageMs: number;
  /** Entries come into the young half; when it is full it becomes the old one, and what nobody asked for is gone. */
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(limits: VerdictCacheLimits = VERDICT_CACHE_LIMITS) {
    this.#halfBytes = limits.bytes / 2;
    this.#ageMs = limits.ageMs;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  get(key: string, nowMs: number): Inspection | null {
    let entry = this.#young.get(key);
    if (entry === undefined) {
      entry = this.#old.get(key);
      if (entry !== undefined) this.#add(key, entry);
    }
    if (entry === undefined || nowMs - entry.madeAtMs > this.#ageMs) {
      this.counts.misses++;
      return null;
    }
    this.counts.hits++;
    return entry.inspection;
  }

  set(key: string, inspection: Inspection, nowMs: number): void {
    this.#add(key, { inspection, madeAtMs: nowMs });
  }

  #add(key: string, entry: Entry): void {
    const bytes = sizeOf(entry);
    if (this.#youngBytes + bytes > this.#halfBytes) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
      if (bytes > this.#halfBytes) return;
    }
    const before = this.#young.get(key);
    if (before !== undefined) this.#youngBytes -= sizeOf(before);
    this.#young.set(key, entry);
    this.#youngBytes += bytes;
  }
}

function sizeOf({ inspection }: Entry): number {
  const { detections, edits } = inspection;
  return BYTES.entry + BYTES.detection * detections.length + BYTES.edit * edits.length;
}

/** The process's own cache: verdicts outlive configurations, which come and go; their keys name the configuration. */
export const sharedVerdictCache = new VerdictCache();
