// How findings of a configuration file look on a terminal.
import type { PlacedFinding } from '@portcullis/server';
import { type Output, painter } from './output.ts';

/** The source line of a finding, with its secrets hidden, and where the caret stands. */
type Excerpt = (finding: PlacedFinding) => { readonly line: string; readonly column: number } | null;

/** Prints findings as `file:line:col  severity  code  message`, each with its line, and a summary. */
export function printFindings(
  file: string,
  findings: readonly PlacedFinding[],
  excerpt: Excerpt,
  output: Output,
): void {
  const { bold, dim, red, yellow } = painter(output);
  for (const finding of findings) {
    const { place, severity, code, message } = finding;
    const at = place === null ? file : `${place.file}:${place.line}:${place.column}`;
    const word = severity === 'error' ? red('error') : yellow('warning');
    output.line(`${bold(at)}  ${word}  ${code}  ${message}`);
    const shown = excerpt(finding);
    if (shown !== null && place !== null) {
      const number = String(place.line);
      output.line(`  ${dim(`${number} |`)} ${shown.line}`);
      output.line(`  ${' '.repeat(number.length)} ${dim('|')} ${' '.repeat(shown.column - 1)}^`);
    }
    output.line();
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counts = `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}`;
  const { green } = painter(output);
  output.line(errors > 0 ? red(`${file} is refused: ${counts}`) : green(`${file} is valid: ${counts}`));
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
