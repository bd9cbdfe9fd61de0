import { readFileSync } from 'node:fs';
import { decodeModel, Model } from './model.ts';

let shipped: Model | null = null;

/**
 * The model that comes with the product, read when it is first asked for.
 * @throws Error when the file is missing or damaged: a guardrail without its model must not seem to work.
 */
export function shippedModel(): Model {
  shipped ??= new Model(decodeModel(readFileSync(new URL('./model.bin', import.meta.url))));
  return shipped;
}
