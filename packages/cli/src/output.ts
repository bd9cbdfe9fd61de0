// The only file that writes to the console.

/** Where a command writes: standard output for what was asked for, standard error for everything else. */
export interface Output {
  /** A line of the result. */
  line(text?: string): void;
  /** A line for the person in front of it: a problem, or what happens. */
  note(text: string): void;
  /** Replaces what stands in the last line for the person in front of it; absent when nobody is. */
  progress?(text: string): void;
  /** Waits until the result is taken, so that what is not yet written stays small. */
  drained(): Promise<void>;
  /** Whether the result goes to a terminal that shows colours. */
  readonly colour: boolean;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly writableNeedDrain?: boolean;
  once?(event: 'drain' | 'close', done: () => void): unknown;
  off?(event: 'drain' | 'close', done: () => void): unknown;
}

/** Writes results to one stream and notes to the other. */
export function makeOutput(result: Stream, notes: Stream, colour: boolean): Output {
  return {
    line: (text = '') => void result.write(`${text}\n`),
    note: (text) => void notes.write(`${text}\n`),
    ...(notes.isTTY === true ? { progress: (text: string) => void notes.write(text) } : {}),
    drained: async () => {
      if (result.writableNeedDrain !== true) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          result.off?.('drain', done);
          result.off?.('close', done);
          resolve();
        };
        result.once?.('drain', done);
        // Whoever reads the result may leave early; then there is nothing to wait for.
        result.once?.('close', done);
      });
    },
    colour,
  };
}

/** Paints text for an output that shows colours, and leaves it alone for any other. */
export function painter(
  output: Output,
): Record<'bold' | 'dim' | 'red' | 'yellow' | 'green', (text: string) => string> {
  const paint = (code: number) => (text: string) =>
    output.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { bold: paint(1), dim: paint(2), red: paint(31), yellow: paint(33), green: paint(32) };
}
