import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { encodeModel, foldText, LABELS, Model } from '@portcullis/guardrails';
import { calibrated, type Scored } from './calibrate.ts';
import { type Example, readExamples } from './examples.ts';
import { fit, instances, quantised } from './fit.ts';
import { generateExamples } from './generate/index.ts';
import { Random } from './random.ts';
import { report } from './report.ts';

/**
 * `npm run train -- --data DIR [--out FILE] [--report FILE] [--scores FILE]`: trains the local model on the labelled texts in DIR and on generated
 * ones, measures it by cross-validation over families of texts, and writes the model file. `--scores` keeps what each text got.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    report: { type: 'string' },
    scores: { type: 'string' },
    epochs: { type: 'string', default: '6' },
    folds: { type: 'string', default: '5' },
    by: { type: 'string', default: 'family' },
  },
});
const FOLDS = Number(values.folds);
const EPOCHS = Number(values.epochs);
const SEED = 20_260_401;
const print = (line: string) => process.stderr.write(`${line}\n`);

if (values.data === undefined) {
  print('usage: npm run train -- --data DIR [--out FILE] [--report FILE]');
  process.exit(2);
}

const examples = [...readExamples(values.data), ...generateExamples(SEED)];
print(
  `${examples.length} texts, ${examples.filter((example) => example.generated).length} of them generated`,
);

/** Which part of the cross-validation a family of texts belongs to, or a whole source with `--by source`. */
function foldOf(example: Example): number {
  const group = values.by === 'source' && !example.generated ? example.source : example.family;
  return createHash('sha256').update(group).digest().readUInt32LE(0) % FOLDS;
}

const scored: Scored[] = [];
for (let fold = 0; fold < FOLDS; fold++) {
  const random = new Random(SEED + fold);
  const training = instances(
    examples.filter((example) => foldOf(example) !== fold),
    random,
  );
  const model = new Model(quantised(fit(training, random, EPOCHS)));
  for (const example of examples) {
    if (foldOf(example) === fold)
      scored.push({ example, scores: Float64Array.from(model.score(foldText(example.text))) });
  }
  print(`part ${fold + 1} of ${FOLDS}: ${training.length} windows`);
}
const thresholds = calibrated(scored);
const text = report(scored, thresholds);
process.stdout.write(text);
if (values.report !== undefined) writeFileSync(values.report, text);

if (values.scores !== undefined) {
  const lines = scored.map(({ example, scores }) =>
    JSON.stringify({
      source: example.source,
      text: example.text,
      truth: example.truth,
      scores: [...scores].map((score) => Number(score.toFixed(4))),
    }),
  );
  writeFileSync(values.scores, `${lines.join('\n')}\n`);
}

if (values.out !== undefined) {
  const random = new Random(SEED);
  const fitted = quantised(fit(instances(examples, random), random, EPOCHS));
  const labels = fitted.labels.map((facts, l) => ({ ...facts, thresholds: thresholds[l] ?? [1, 1] }));
  mkdirSync(path.dirname(values.out), { recursive: true });
  const file = encodeModel({ ...fitted, labels });
  writeFileSync(values.out, file);
  print(
    `${values.out}: ${file.length} bytes, ${LABELS.length} labels, sha256 ${createHash('sha256').update(file).digest('hex')}`,
  );
}
