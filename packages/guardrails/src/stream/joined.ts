import type { Outcome } from '@portcullis/policy';
import type { ChannelScanner } from '../guardrail.ts';
import type { StreamChannel } from '../hook.ts';
import { failed, failureOf } from '../inspect.ts';
import { settle } from '../settle.ts';
import type { Rewrite } from './stage.ts';
import { openScanner, type Watch } from './watch.ts';

const ACROSS = failed(
  'undeliverable',
  'a match in adjacent parts of the answer cannot be masked part by part',
).outcome;

/**
 * Adjacent text parts of one message, also looked at as one text (E9). From the second part on, every run has a scanner
 * on the parts joined. What it blocks is blocked. What it would mask must have been masked in just this way in the parts
 * themselves; otherwise the rewrite cannot be delivered, because earlier parts have left (E8).
 *
 * Joined it sees the parts as they came. A match across parts that only what an earlier run wrote would make is not seen.
 */
export class JoinedParts {
  /** The parts so far, as they came. All offsets here are offsets in it. */
  #text = '';
  #parts = 0;
  readonly #runs = new Map<Watch, JoinedRun>();

  /** A part begins. Gives its offset. */
  beginPart(): number {
    this.#parts++;
    return this.#text.length;
  }

  /** What the run masks in a part by itself. */
  note(watch: Watch, rewrites: readonly Rewrite[], partStart: number): void {
    const { masked } = this.#run(watch);
    for (const { start, end, replacement } of rewrites) {
      masked.set(start + partStart, { start: start + partStart, end: end + partStart, replacement });
    }
  }

  /** The next text of the newest part: how far the joined text is certain, and the runs that stop the stream. */
  push(
    text: string,
    watches: readonly Watch[],
    channel: StreamChannel,
  ): { readonly certainUpTo: number; readonly stopped: readonly Watch[] } {
    const before = this.#text;
    this.#text += text;
    let certainUpTo = this.#text.length;
    if (this.#parts < 2) return { certainUpTo, stopped: [] };
    const stopped: Watch[] = [];
    for (const watch of watches) {
      const run = this.#run(watch);
      const piece = run.scanner === null ? before + text : text;
      if (!this.#look(watch, run, channel, piece, false)) stopped.push(watch);
      certainUpTo = Math.min(certainUpTo, run.certainUpTo);
    }
    return { certainUpTo, stopped };
  }

  /** Whether everything the joined text wants masked before `upTo` has been masked by the run itself. */
  covers(watch: Watch, upTo: number): boolean {
    const run = this.#run(watch);
    const due = run.wanted.filter(({ end }) => end <= upTo);
    if (due.length === 0) return true;
    run.wanted = run.wanted.filter(({ end }) => end > upTo);
    return (
      due.every((rewrite) => isMade(rewrite, run.masked.get(rewrite.start))) || this.#fail(watch, run, ACROSS)
    );
  }

  /** No part follows. Gives the runs that stop the stream. */
  end(): readonly Watch[] {
    const stopped: Watch[] = [];
    for (const [watch, run] of this.#runs) {
      if (run.scanner === null) continue;
      if (!this.#look(watch, run, null, '', true) || !this.covers(watch, Infinity)) stopped.push(watch);
    }
    return stopped;
  }

  #run(watch: Watch): JoinedRun {
    let run = this.#runs.get(watch);
    if (run === undefined) {
      run = { scanner: null, open: false, certainUpTo: 0, masked: new Map(), wanted: [] };
      this.#runs.set(watch, run);
    }
    return run;
  }

  /** Lets the run look at the next piece. False when it stops the stream. */
  #look(watch: Watch, run: JoinedRun, channel: StreamChannel | null, piece: string, done: boolean): boolean {
    run.certainUpTo = this.#text.length;
    if (run.open) return true;
    try {
      run.scanner ??= channel === null ? null : openScanner(watch, channel);
      if (run.scanner === null) return true;
      const { certainUpTo, edits, outcome } = run.scanner.push(piece, done);
      run.certainUpTo = certainUpTo;
      run.wanted.push(...edits);
      const says = outcome.outcome === 'flagged' || outcome.outcome === 'error';
      return !says || this.#fail(watch, run, outcome);
    } catch (error) {
      return this.#fail(watch, run, failureOf(error).outcome);
    }
  }

  /** Notes what the run says. True when the stream may go on. */
  #fail(watch: Watch, run: JoinedRun, outcome: Outcome): boolean {
    watch.fail(outcome);
    const { verdict, failedOpen } = settle(outcome, watch.instance.allowedErrors);
    if (failedOpen) {
      run.open = true;
      run.wanted = [];
      run.certainUpTo = this.#text.length;
    }
    return verdict === 'allow';
  }
}

interface JoinedRun {
  scanner: ChannelScanner | null;
  /** An error was let through: it no longer looks at the joined text. */
  open: boolean;
  certainUpTo: number;
  /** What the run has masked part by part, by start. */
  readonly masked: Map<number, Rewrite>;
  /** What the joined text wants masked and nobody has compared yet. */
  wanted: Rewrite[];
}

const isMade = (wanted: Rewrite, made: Rewrite | undefined): boolean =>
  made !== undefined && made.end === wanted.end && made.replacement === wanted.replacement;
