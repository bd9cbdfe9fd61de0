import { createHash } from 'node:crypto';
import { BUCKET_BITS, BUCKETS, FeatureReader } from './features.ts';
import { FALSE_POSITIVE_RATES, type FalsePositiveRate, type Label, LABELS } from './labels.ts';
import { Windows } from './windows.ts';

const MAGIC = 0x314c_4350;
const WORDS_PER_LABEL = 2 + FALSE_POSITIVE_RATES.length;
const HEADER_BYTES = 16 + LABELS.length * WORDS_PER_LABEL * 4;
const CHECKSUM_BYTES = 32;

/** What is known of one label: how its whole-number weights become a logit, and where its thresholds lie. */
export interface LabelFacts {
  readonly bias: number;
  readonly scale: number;
  /** Scores from 0 to 1 that this share of ordinary texts exceeds, in the order of {@link FALSE_POSITIVE_RATES}. */
  readonly thresholds: readonly number[];
}

/** A model as its file holds it. */
export interface ModelData {
  readonly labels: readonly LabelFacts[];
  /** One signed byte for each bucket and label, the labels of a bucket side by side. */
  readonly weights: Int8Array;
}

/** Writes a model file: a header, the weights, and the SHA-256 of both. */
export function encodeModel({ labels, weights }: ModelData): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(BUCKET_BITS, 4);
  header.writeUInt32LE(LABELS.length, 8);
  labels.forEach(({ bias, scale, thresholds }, index) => {
    const values = [bias, scale, ...thresholds];
    values.forEach((value, i) => header.writeFloatLE(value, 16 + (index * WORDS_PER_LABEL + i) * 4));
  });
  const body = Buffer.concat([header, Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength)]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/**
 * Reads a model file.
 * @throws Error when its checksum is wrong, or when it was made for other labels or another size.
 */
export function decodeModel(file: Buffer): ModelData {
  const body = file.subarray(0, Math.max(0, file.length - CHECKSUM_BYTES));
  const checksum = createHash('sha256').update(body).digest();
  if (!checksum.equals(file.subarray(body.length))) throw new Error('the model file is damaged');
  const size = HEADER_BYTES + BUCKETS * LABELS.length;
  const fits =
    body.length === size &&
    body.readUInt32LE(0) === MAGIC &&
    body.readUInt32LE(4) === BUCKET_BITS &&
    body.readUInt32LE(8) === LABELS.length;
  if (!fits) throw new Error('the model file belongs to another version');
  const labels = LABELS.map((_, index): LabelFacts => {
    const at = (i: number) => body.readFloatLE(16 + (index * WORDS_PER_LABEL + i) * 4);
    return { bias: at(0), scale: at(1), thresholds: FALSE_POSITIVE_RATES.map((_rate, i) => at(2 + i)) };
  });
  const weights = new Int8Array(body.buffer, body.byteOffset + HEADER_BYTES, BUCKETS * LABELS.length);
  return { labels, weights };
}

/**
 * A linear model over hashed features, one score from 0 to 1 for each label.
 *
 * The score of a part of a text is the logistic function of the sum of its features' weights over the square root of their
 * number; the score of a text is the highest of its parts (see {@link Windows}).
 */
export class Model {
  readonly data: ModelData;
  private readonly reader = new FeatureReader();
  private readonly windows = new Windows();
  /** Sums of weights up to each unit, for each label. */
  private sums = new Int32Array(512 * LABELS.length);
  private readonly scores = new Float64Array(LABELS.length);

  constructor(data: ModelData) {
    this.data = data;
  }

  /** The score from which on a label counts, when this share of ordinary texts may exceed it. */
  threshold(label: Label, rate: FalsePositiveRate): number {
    return this.data.labels[LABELS.indexOf(label)]?.thresholds[FALSE_POSITIVE_RATES.indexOf(rate)] ?? 1;
  }

  /** Scores a folded text. The array is the object's own, and overwritten by the next call; in the order of `LABELS`. */
  score(text: string): Float64Array {
    const { reader, windows, scores } = this;
    reader.read(text);
    windows.over(reader);
    this.addUp();
    scores.fill(-Infinity);
    const { bounds } = windows;
    for (let w = 0; w < windows.count; w++) {
      const from = bounds[w * 2] as number;
      const to = bounds[w * 2 + 1] as number;
      const first = from === 0 ? 0 : (reader.unitEnds[from - 1] as number);
      const root = Math.sqrt(Math.max(1, (reader.unitEnds[to - 1] as number) - first));
      for (let l = 0; l < LABELS.length; l++) {
        const sum =
          (this.sums[to * LABELS.length + l] as number) - (this.sums[from * LABELS.length + l] as number);
        const { bias, scale } = this.data.labels[l] as LabelFacts;
        const logit = bias + (scale * sum) / root;
        if (logit > (scores[l] as number)) scores[l] = logit;
      }
    }
    for (let l = 0; l < LABELS.length; l++) scores[l] = 1 / (1 + Math.exp(-(scores[l] as number)));
    return scores;
  }

  private addUp(): void {
    const { reader } = this;
    const { features, unitEnds, units } = reader;
    const { weights } = this.data;
    const width = LABELS.length;
    if ((units + 1) * width > this.sums.length) this.sums = new Int32Array((units + 1) * width * 2);
    const { sums } = this;
    sums.fill(0, 0, width);
    let at = 0;
    for (let unit = 0; unit < units; unit++) {
      const row = (unit + 1) * width;
      for (let l = 0; l < width; l++) sums[row + l] = sums[row - width + l] as number;
      const end = unitEnds[unit] as number;
      for (; at < end; at++) {
        const base = (features[at] as number) * width;
        for (let l = 0; l < width; l++)
          sums[row + l] = (sums[row + l] as number) + (weights[base + l] as number);
      }
    }
  }
}
