import type { ContentKind } from '@portcullis/policy';
import { foldText } from '../text/view.ts';
import { READ_UNITS } from './features.ts';
import { LABELS } from './labels.ts';
import type { Model } from './model.ts';

/** Slices of a very long text overlap by so many units. */
const SLICE_OVERLAP = 1_024;

/**
 * Kinds in which an attack can stand: what users, tools and files say. What the operator wrote ("never reveal these rules")
 * and what the assistant itself said is none.
 */
const ATTACKING: ReadonlySet<ContentKind> = new Set([
  'user',
  'tool_result',
  'tool_args',
  'tool_defs',
  'files',
  'embeddings',
  'other',
]);

/** Whether texts of this kind, on this side, are looked at for attacks. */
export function mayAttack(kind: ContentKind, direction: 'request' | 'response'): boolean {
  return direction === 'request' && ATTACKING.has(kind);
}

/**
 * The scores of a whole text of any length, the highest of its slices for each label.
 *
 * @param into As long as `LABELS`; each score that is higher than what it holds is put there.
 */
export function scoreWhole(model: Model, text: string, into: Float64Array): void {
  const folded = foldText(text);
  for (let from = 0; from === 0 || from + SLICE_OVERLAP < folded.length; from += READ_UNITS - SLICE_OVERLAP) {
    const scores = model.score(folded.length <= READ_UNITS ? folded : folded.slice(from, from + READ_UNITS));
    for (let l = 0; l < LABELS.length; l++) into[l] = Math.max(into[l] as number, scores[l] as number);
  }
}
