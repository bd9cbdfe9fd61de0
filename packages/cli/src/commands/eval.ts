import { type Output, painter } from '../output.ts';
import { type GuardrailChoice, openGuardrail, threadsOf } from '../scan/open.ts';
import { scanAll } from '../scan/pool.ts';
import { Progress } from '../scan/progress.ts';
import { readRows } from '../scan/rows.ts';
import { labelsOf, type Report, Score } from '../scan/score.ts';
import { printTable } from '../table.ts';

export interface EvalOptions extends GuardrailChoice {
  readonly data: readonly string[];
  readonly json?: boolean;
}

/** Measures one guardrail on labelled texts and prints what it finds, misses and wrongly finds. Gives the exit code. */
export async function evaluate(options: EvalOptions, output: Output): Promise<number> {
  const scanner = await openGuardrail(options, output);
  if (scanner === null) return 1;
  const progress = await Progress.of(options.data, output);
  const score = new Score();
  const rows = readRows(options.data, (bytes) => progress.read(bytes));
  for await (const [row, scanned] of scanAll(rows, scanner, threadsOf(options))) {
    score.add(labelsOf(row.fields), scanned);
    progress.row();
  }
  progress.end();
  const report = score.report();
  if (options.json === true) output.line(JSON.stringify(report, null, 2));
  else print(report, output);
  return report.without_verdict > 0 ? 1 : 0;
}

function print(report: Report, output: Output): void {
  const { bold } = painter(output);
  const share = (value: number | null) => (value === null ? '-' : value.toFixed(3));
  const range = ([low, high]: readonly [number, number]) => `${low.toFixed(3)} - ${high.toFixed(3)}`;
  const rows = report.types.map((one) => [
    one.type,
    String(one.found),
    String(one.missed),
    String(one.wrong),
    share(one.precision),
    one.precision === null ? '-' : range(one.precision_interval),
    share(one.recall),
    one.recall === null ? '-' : range(one.recall_interval),
    share(one.f1),
    one.f1 === null ? '-' : range(one.f1_interval),
  ]);
  const head = ['type', 'found', 'missed', 'wrong', 'precision', '95 %', 'recall', '95 %', 'F1', '95 %'];
  printTable(head, rows, output);
  const { false_positives: wrong } = report;
  output.line();
  output.line(
    `${bold('ordinary texts')}  ${wrong.flagged} of ${wrong.texts} flagged: ${share(wrong.per_1000)} per 1,000 (${range(wrong.interval)})`,
  );
  if (report.without_verdict > 0) output.line(`${bold('no verdict')}  ${report.without_verdict} texts`);
}
