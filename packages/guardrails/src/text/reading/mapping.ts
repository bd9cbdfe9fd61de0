/**
 * Which range of a lower text each unit of a rewritten text stands for. Kept as pieces, so that unchanged text costs nothing:
 * a piece is either copied unit by unit, or a block whose every unit stands for the whole of what it replaced.
 */
export class Mapping {
  /** Ends of the rewritten and of the lower text so far. */
  outEnd = 0;
  inEnd = 0;

  private readonly outs: number[] = [0];
  private readonly ins: number[] = [0];
  /** Length in the lower text of a block; -1 for a copied piece. */
  private readonly lengths: number[] = [-1];

  reset(): void {
    this.outEnd = 0;
    this.inEnd = 0;
    this.outs.length = 0;
    this.ins.length = 0;
    this.lengths.length = 0;
    this.push(-1);
  }

  /** Copies so many units. */
  copy(units: number): void {
    if (units === 0) return;
    const last = this.outs.length - 1;
    const shift = (this.ins[last] ?? 0) - (this.outs[last] ?? 0);
    if (this.lengths[last] !== -1 || this.inEnd - this.outEnd !== shift) this.push(-1);
    this.outEnd += units;
    this.inEnd += units;
  }

  /** Puts `units` in the place of `length` units of the lower text. No units: what is there is left out. */
  block(units: number, length: number): void {
    if (units > 0) this.push(length);
    this.outEnd += units;
    this.inEnd += length;
  }

  /** Where the unit at `position` begins below; the end of the text is the end below. */
  start(position: number): number {
    if (position >= this.outEnd) return this.inEnd;
    const piece = this.find(position);
    const from = this.ins[piece] ?? 0;
    return this.lengths[piece] === -1 ? from + position - (this.outs[piece] ?? 0) : from;
  }

  /** Where the unit before `position` ends below. */
  stop(position: number): number {
    if (position <= 0) return 0;
    const piece = this.find(position - 1);
    const from = this.ins[piece] ?? 0;
    const length = this.lengths[piece] ?? -1;
    return length === -1 ? from + position - (this.outs[piece] ?? 0) : from + length;
  }

  /** Forgets pieces that end before `position`. */
  trim(position: number): void {
    const keep = this.find(position);
    if (keep < 64) return;
    this.outs.splice(0, keep);
    this.ins.splice(0, keep);
    this.lengths.splice(0, keep);
  }

  private push(length: number): void {
    this.outs.push(this.outEnd);
    this.ins.push(this.inEnd);
    this.lengths.push(length);
  }

  /** Index of the last piece that begins at or before `position`. */
  private find(position: number): number {
    const { outs } = this;
    let low = 0;
    let high = outs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((outs[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
