import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CliProblem } from '../problem.ts';

/** One text of an input, with what else its line holds. */
export interface InputRow {
  readonly id: string | number;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The rows of files, or of standard input (`-`, or no file): lines of JSON `{id, text}`, or plain lines, which are
 * numbered. The first line of an input tells which; of `.gz` files the content counts. Empty lines are no rows.
 * @param onBytes is told how many bytes have been read
 * @throws CliProblem with file and line for what is no row
 */
export async function* readRows(
  files: readonly string[],
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<InputRow> {
  for (const file of files.length === 0 ? ['-'] : files) {
    const source: Readable = file === '-' ? process.stdin : createReadStream(file);
    source.on('data', (chunk: Buffer | string) => onBytes(chunk.length));
    const input: Readable = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
    // A fault of the file ends the reader of its content, and with it the lines.
    source.on('error', (error) => input.destroy(error));
    let isJson: boolean | null = null;
    let number = 0;
    for await (const line of linesOf(input, file)) {
      number++;
      if (line.trim() === '') continue;
      const row = rowOf(line);
      isJson ??= row !== null;
      if (!isJson) yield { id: number, text: line, fields: {} };
      else if (row === null) {
        throw new CliProblem(`${file}:${number}: not a JSON object with a "text"; write one per line`);
      } else {
        const { id, text, ...fields } = row;
        yield { id: typeof id === 'string' || typeof id === 'number' ? id : number, text, fields };
      }
    }
  }
}

/** @throws CliProblem for a stream that cannot be read to its end */
async function* linesOf(input: Readable, file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (error) {
    throw new CliProblem(
      `${file} cannot be read: ${error instanceof Error ? error.message : 'unknown fault'}`,
    );
  }
}

function rowOf(line: string): { readonly text: string; readonly id?: unknown } | null {
  if (!line.trimStart().startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    const isRow =
      typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string';
    return isRow ? (value as { text: string }) : null;
  } catch {
    return null; // Not JSON is an answer here: the caller says what that means.
  }
}
