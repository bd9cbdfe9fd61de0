import { LRUCache } from 'lru-cache';
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
  readonly #entries: LRUCache<string, Entry>;
  readonly #ageMs: number;

  constructor(limits: VerdictCacheLimits = VERDICT_CACHE_LIMITS) {
    this.#ageMs = limits.ageMs;
    this.#entries = new LRUCache({ maxSize: limits.bytes, sizeCalculation: sizeOf });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get(key: string, nowMs: number): Inspection | null {
    const entry = this.#entries.get(key);
    if (entry === undefined || nowMs - entry.madeAtMs > this.#ageMs) {
      this.counts.misses++;
      return null;
    }
    this.counts.hits++;
    return entry.inspection;
  }

  set(key: string, inspection: Inspection, nowMs: number): void {
    this.#entries.set(key, { inspection, madeAtMs: nowMs });
  }
}

function sizeOf({ inspection }: Entry): number {
  const { detections, edits } = inspection;
  return BYTES.entry + BYTES.detection * detections.length + BYTES.edit * edits.length;
}

/** The process's own cache: verdicts outlive configurations, which come and go; their keys name the configuration. */
export const sharedVerdictCache = new VerdictCache();
