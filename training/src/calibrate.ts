import { FALSE_POSITIVE_RATES, LABELS } from '@portcullis/guardrails';
import type { Example } from './examples.ts';

/** A text with the scores of a model that was trained without its family. */
export interface Scored {
  readonly example: Example;
  readonly scores: Float64Array;
}

/**
 * Near misses were made or collected for their likeness to the real thing. They may be flagged this much more often than ordinary
 * texts, at each of the rates.
 */
const NEAR_MISS_ALLOWANCE = [3, 10] as const;

export function isOrdinary({ example }: Scored): boolean {
  return example.source.startsWith('ordinary/') || example.source.startsWith('generated/ordinary');
}

/** Labelled near misses of attacks and of harm; quotations of attacks are kept apart. */
export function isNearMiss({ example }: Scored): boolean {
  if (example.truth.includes(1) || example.source.endsWith('(hard)')) return false;
  return /benign_twin|indirect\/|bipia|near_|categories/.test(example.source);
}

/**
 * For each label the scores that ordinary texts exceed in the given shares of cases. The share is that of texts flagged by any
 * label of the same kind, so each label gets its part of it.
 */
export function calibrated(scored: readonly Scored[]): number[][] {
  const ordinary = scored.filter(isOrdinary);
  const near = scored.filter(isNearMiss);
  return LABELS.map((_label, l) =>
    FALSE_POSITIVE_RATES.map((rate, r) => {
      const part = rate / PARTS;
      const among = (some: readonly Scored[], share: number) => {
        const values = some
          .filter(({ example }) => example.truth[l] === 0)
          .map(({ scores }) => scores[l] as number);
        return exceededBy(values, share);
      };
      return Math.max(among(ordinary, part), among(near, (NEAR_MISS_ALLOWANCE[r] ?? 1) * part));
    }),
  );
}

/** Labels share the permitted rate: they seldom fire together. */
const PARTS = 4;

/** The value that this share of the values exceeds. */
function exceededBy(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => b - a);
  const at = Math.floor(sorted.length * share);
  return Math.min(0.9999, (sorted[at] ?? 0) + 1e-6);
}
