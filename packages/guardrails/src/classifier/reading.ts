import type { ContentKind } from '@portcullis/policy';
import { Reading } from '../text/reading/reading.ts';
import { Suspicion } from '../text/reading/suspicion.ts';
import { foldText } from '../text/view.ts';
import { READ_UNITS } from './features.ts';
import { LABELS } from './labels.ts';
import type { Model } from './model.ts';
import { spelledPlainly } from './plain-spelling.ts';

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

const reading = new Reading();
const suspicion = new Suspicion();

/**
 * The scores of a whole text of any length, the highest of all ways to read it for each label: as written, through the usual
 * disguises (see `text/reading/`), and with its words spelled plainly.
 *
 * @param into As long as `LABELS`; each score that is higher than what it holds is put there.
 */
export function scoreWhole(model: Model, text: string, into: Float64Array): void {
  const folded = foldText(text);
  scoreSlices(model, folded, into);
  let shown = folded;
  if (suspicion.falls(text, folded, folded === text)) {
    shown = reading.read(text) ?? folded;
    reading.reset();
    if (shown !== folded) scoreSlices(model, shown, into);
  }
  const plain = spelledPlainly(shown);
  if (plain !== shown) scoreSlices(model, plain, into);
}

function scoreSlices(model: Model, folded: string, into: Float64Array): void {
  for (let from = 0; from === 0 || from + SLICE_OVERLAP < folded.length; from += READ_UNITS - SLICE_OVERLAP) {
    const scores = model.score(folded.length <= READ_UNITS ? folded : folded.slice(from, from + READ_UNITS));
    for (let l = 0; l < LABELS.length; l++) into[l] = Math.max(into[l] as number, scores[l] as number);
  }
}
