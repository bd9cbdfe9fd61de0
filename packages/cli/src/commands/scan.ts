import type { Output } from '../output.ts';
import { type GuardrailChoice, openGuardrail, threadsOf } from '../scan/open.ts';
import { scanAll } from '../scan/pool.ts';
import { Progress } from '../scan/progress.ts';
import { readRows } from '../scan/rows.ts';

/**
 * Asks one guardrail about every text of files or of standard input, and prints one line of JSON for each, in their order.
 * Gives the exit code: 1 when a text got no verdict.
 */
export async function scan(
  files: readonly string[],
  choice: GuardrailChoice,
  output: Output,
): Promise<number> {
  const options = await openGuardrail(choice, output);
  if (options === null) return 1;
  const progress = await Progress.of(files, output);
  const rows = readRows(files, (bytes) => progress.read(bytes));
  let failed = 0;
  for await (const [{ id }, scanned] of scanAll(rows, options, threadsOf(choice))) {
    output.line(JSON.stringify({ id, ...scanned }));
    await output.drained();
    progress.row();
    if (scanned.error !== undefined) failed++;
  }
  progress.end();
  if (failed > 0)
    output.note(`portcullis: ${failed} texts got no verdict; the "error" of their lines says why`);
  return failed > 0 ? 1 : 0;
}
