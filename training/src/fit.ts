import {
  BUCKETS,
  FeatureReader,
  foldText,
  type LabelFacts,
  LABELS,
  type ModelData,
  Windows,
} from '@portcullis/guardrails';
import type { Example, Truth } from './examples.ts';
import type { Random } from './random.ts';

const WIDTH = LABELS.length;
/** Windows taken from one long ordinary text. */
const WINDOWS_PER_TEXT = 12;

/** One part of a text, as features, with what is known of it. */
interface Instance {
  readonly features: Int32Array;
  readonly truth: readonly Truth[];
  readonly weight: number;
}

/** A model with fractional weights, before it is made small. */
export interface Fitted {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Cuts examples into the parts that training looks at. */
export function instances(examples: readonly Example[], random: Random): Instance[] {
  const reader = new FeatureReader();
  const windows = new Windows();
  const made: Instance[] = [];
  for (const example of examples) {
    const folded = foldText(example.text);
    reader.read(folded);
    windows.over(reader);
    const part = (w: number) => {
      const from = windows.bounds[w * 2] as number;
      const to = windows.bounds[w * 2 + 1] as number;
      const first = from === 0 ? 0 : (reader.unitEnds[from - 1] as number);
      return reader.features.slice(first, reader.unitEnds[to - 1]);
    };
    if (windows.count === 0) continue;
    const positive = example.truth.includes(1);
    if (example.span !== null && positive) {
      // The planted text by itself, and the whole; what surrounds it is like the ordinary rows of the same kind.
      made.push({ features: part(0), truth: example.truth, weight: 0.5 });
      reader.read(foldText(example.text.slice(example.span.start, example.span.end)));
      windows.over(reader);
      made.push({ features: part(0), truth: example.truth, weight: 1 });
      continue;
    }
    made.push({ features: part(0), truth: example.truth, weight: 1 });
    if (windows.count === 1) continue;
    const chosen = random.shuffle(Array.from({ length: windows.count - 1 }, (_, i) => i + 1));
    // Every part of an ordinary text is ordinary; of a positive one, only the whole is known.
    if (!positive)
      for (const w of chosen.slice(0, WINDOWS_PER_TEXT))
        made.push({ features: part(w), truth: example.truth, weight: 0.5 });
  }
  return made;
}

/** Logistic regression for all labels at once, by AdaGrad. `boost` weighs positives, by label. */
export function fit(data: readonly Instance[], random: Random, epochs: number): Fitted {
  const weights = new Float32Array(BUCKETS * WIDTH);
  const squares = new Float32Array(BUCKETS * WIDTH).fill(0.02);
  const bias = new Float32Array(WIDTH).fill(-3);
  const biasSquares = new Float32Array(WIDTH).fill(1);
  const boost = LABELS.map((_, l) => {
    let [yes, no] = [0, 0];
    for (const { truth } of data) {
      if (truth[l] === 1) yes += 1;
      if (truth[l] === 0) no += 1;
    }
    return Math.min(8, Math.sqrt(no / Math.max(1, yes)));
  });
  const order = data.map((_, i) => i);
  const sums = new Float64Array(WIDTH);
  const steps = new Float64Array(WIDTH);
  const rate = 0.12;
  const decay = 2e-5;
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    for (const index of order) {
      const { features, truth, weight } = data[index] as Instance;
      const root = 1 / Math.sqrt(features.length);
      sums.fill(0);
      for (let i = 0; i < features.length; i++) {
        const base = (features[i] as number) * WIDTH;
        for (let l = 0; l < WIDTH; l++) sums[l] = (sums[l] as number) + (weights[base + l] as number);
      }
      let any = false;
      for (let l = 0; l < WIDTH; l++) {
        const known = truth[l] as Truth;
        if (known < 0) {
          steps[l] = 0;
          continue;
        }
        const p = 1 / (1 + Math.exp(-((bias[l] as number) + (sums[l] as number) * root)));
        const error = (p - known) * weight * (known === 1 ? (boost[l] as number) : 1);
        steps[l] = Math.abs(error) < 1e-4 ? 0 : error * root;
        if (steps[l] === 0) continue;
        any = true;
        biasSquares[l] = (biasSquares[l] as number) + error * error;
        bias[l] = (bias[l] as number) - (0.05 * error) / Math.sqrt(biasSquares[l] as number);
      }
      if (!any) continue;
      for (let i = 0; i < features.length; i++) {
        const base = (features[i] as number) * WIDTH;
        for (let l = 0; l < WIDTH; l++) {
          const step = steps[l] as number;
          if (step === 0) continue;
          const at = base + l;
          const gradient = step + decay * (weights[at] as number);
          const square = (squares[at] as number) + gradient * gradient;
          squares[at] = square;
          weights[at] = (weights[at] as number) - (rate * gradient) / Math.sqrt(square);
        }
      }
    }
  }
  return { weights, bias };
}

/** Makes a model small: one byte for a weight. Outliers are cut off, so that the others keep their precision. */
export function quantised({ weights, bias }: Fitted): ModelData {
  const bytes = new Int8Array(BUCKETS * WIDTH);
  const labels = LABELS.map((_, l): LabelFacts => {
    const sizes = new Float32Array(BUCKETS);
    for (let b = 0; b < BUCKETS; b++) sizes[b] = Math.abs(weights[b * WIDTH + l] as number);
    const limit = sizes.sort()[Math.floor(BUCKETS * 0.9998)] ?? 1;
    const scale = Math.max(limit, 1e-6) / 127;
    for (let b = 0; b < BUCKETS; b++) {
      const value = Math.round((weights[b * WIDTH + l] as number) / scale);
      bytes[b * WIDTH + l] = Math.max(-127, Math.min(127, value));
    }
    return { bias: bias[l] as number, scale, thresholds: [1, 1] };
  });
  return { labels, weights: bytes };
}
