/** Looks for the mark of a complete answer in bytes that pass, keeping no more of them than a mark is long. */
export class EndMark {
  readonly #marks: readonly string[];
  readonly #overlap: number;
  /** Marks begin with a line end, and the first line has one before it, too. */
  #rest: Buffer = LINE_END;
  #seen = false;

  constructor(marks: readonly string[]) {
    this.#marks = marks;
    this.#overlap = Math.max(0, ...marks.map((mark) => mark.length - 1));
  }

  get seen(): boolean {
    return this.#seen;
  }

  add(bytes: Buffer): void {
    if (this.#seen) return;
    // Only what stands over the edge of two pieces needs them joined.
    const edge = Buffer.concat([this.#rest, bytes.subarray(0, this.#overlap)]);
    this.#seen = this.#marks.some((mark) => bytes.includes(mark) || edge.includes(mark));
    this.#rest =
      bytes.length >= this.#overlap
        ? bytes.subarray(bytes.length - this.#overlap)
        : Buffer.concat([this.#rest, bytes]).subarray(-this.#overlap);
  }
}

const LINE_END = Buffer.from('\n');
