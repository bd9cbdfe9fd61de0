import { type Output, painter } from './output.ts';

/** Prints rows below their headings, each column as wide as it has to be. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  output: Output,
): void {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  output.line(painter(output).bold(lineOf(headings)));
  for (const row of rows) output.line(lineOf(row));
}

/** A value of an answer as a cell. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map((one) => cell(one)).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
