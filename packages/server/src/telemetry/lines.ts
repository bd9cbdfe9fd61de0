/** Where batches of lines go; sonic-boom in buffer mode. It keeps the bytes until they are written. */
export interface ByteOutput {
  write(bytes: Buffer): unknown;
}

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const BYTES_PER_UNIT = 3;

/**
 * Gathers lines and hands them on together: writing each by itself would cost as much as the request it tells of. They are
 * encoded where they will be sent from, so that no list of strings has to live until then. What is gathered is bounded by
 * `batchBytes` and one line; how much waits behind it is the output's own limit.
 */
export class LineBatch {
  readonly #output: ByteOutput;
  readonly #batchBytes: number;
  #batch: Buffer | null = null;
  #used = 0;

  constructor(output: ByteOutput, batchBytes: number) {
    this.#output = output;
    this.#batchBytes = batchBytes;
  }

  /** Takes one line, its line feed included. */
  write(line: string): void {
    const most = line.length * BYTES_PER_UNIT;
    if (this.#used + most > this.#batchBytes) this.flush();
    if (most > this.#batchBytes) {
      this.#output.write(Buffer.from(line));
      return;
    }
    this.#batch ??= Buffer.allocUnsafeSlow(this.#batchBytes);
    this.#used += this.#batch.write(line, this.#used);
  }

  flush(): void {
    if (this.#batch === null) return;
    const bytes = this.#batch.subarray(0, this.#used);
    this.#batch = null;
    this.#used = 0;
    this.#output.write(bytes);
  }
}
