/** Where batches of lines go; sonic-boom in buffer mode. */
export interface ByteOutput {
  write(bytes: Buffer): unknown;
}

/**
 * Gathers lines and hands them on together: writing each by itself would cost as much as the request it tells of.
 * What is gathered is bounded by `batchCharacters`; how much waits behind it is the output's own limit.
 */
export class LineBatch {
  readonly #output: ByteOutput;
  readonly #batchCharacters: number;
  #lines: string[] = [];
  #size = 0;

  constructor(output: ByteOutput, batchCharacters: number) {
    this.#output = output;
    this.#batchCharacters = batchCharacters;
  }

  /** Takes one line, its line feed included. */
  write(line: string): void {
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#size >= this.#batchCharacters) this.flush();
  }

  flush(): void {
    if (this.#size === 0) return;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#size = 0;
    this.#output.write(bytes);
  }
}
