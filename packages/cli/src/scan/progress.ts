import { stat } from 'node:fs/promises';
import type { Output } from '../output.ts';

const EVERY_MS = 200;
const WIDTH = 24;

/** A bar on standard error while a terminal watches: how far, how many, how fast. Silent everywhere else. */
export class Progress {
  readonly #output: Output;
  readonly #total: number | null;
  readonly #from = performance.now();
  #bytes = 0;
  #rows = 0;
  #shownAt = 0;

  private constructor(output: Output, total: number | null) {
    this.#output = output;
    this.#total = total;
  }

  /** For these inputs; how much standard input holds nobody knows. */
  static async of(files: readonly string[], output: Output): Promise<Progress> {
    let total: number | null = files.length === 0 || files.includes('-') ? null : 0;
    for (const file of files) {
      if (total !== null) total += (await stat(file).catch(() => ({ size: 0 }))).size;
    }
    return new Progress(output, total === 0 ? null : total);
  }

  read(bytes: number): void {
    this.#bytes += bytes;
  }

  row(): void {
    this.#rows++;
    const now = performance.now();
    if (now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    this.#output.progress?.(this.#line());
  }

  end(): void {
    if (this.#shownAt > 0) this.#output.progress?.(`${this.#line()}\n`);
  }

  #line(): string {
    const seconds = (performance.now() - this.#from) / 1000;
    const rate = `${this.#rows} texts, ${Math.round(this.#rows / Math.max(seconds, 0.001))}/s`;
    if (this.#total === null) return `\r${rate} `;
    const share = Math.min(1, this.#bytes / this.#total);
    const done = Math.round(share * WIDTH);
    return `\r[${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}] ${Math.round(share * 100)} %  ${rate} `;
  }
}
