import type { Outcome } from '@portcullis/policy';
import type { ChannelProgress, ChannelScanner } from '../guardrail.ts';
import { failed, failureOf } from '../inspect.ts';
import { settle } from '../settle.ts';
import { applyEdits } from '../text/edits.ts';
import type { Watch } from './watch.ts';

type ScannerOutcome = Exclude<Outcome, { outcome: 'not_run' }>;

export type Rewrite = ChannelProgress['edits'][number];

interface StageOptions {
  readonly path: string;
  /** The text it looks at: as changed by the stages before it, or as it came. */
  readonly side: 'current' | 'original';
  readonly open: () => ChannelScanner;
  readonly monotonic: () => number;
  /** Told what the scanner masks, with offsets from the start of the channel. */
  readonly onMasked: ((rewrites: readonly Rewrite[]) => void) | null;
}

/**
 * One scanner on one channel. Keeps the text that is not certain yet, checks what the scanner answers, and applies its
 * edits. Text that leaves it has been looked at by its scanner, or the guardrail says that errors let it pass (E1).
 */
export class Stage {
  readonly watch: Watch;
  readonly #scanner: ChannelScanner | null;
  readonly #options: StageOptions;
  #held = '';
  /** Offset of the held text from the start of the channel. */
  #base = 0;
  /** An error was let through: from here on everything passes. */
  #open = false;

  constructor(watch: Watch, options: StageOptions) {
    this.watch = watch;
    this.#options = options;
    let scanner: ChannelScanner | null = null;
    try {
      scanner = options.open();
    } catch (error) {
      this.#fail(failureOf(error).outcome);
    }
    this.#scanner = scanner;
  }

  /** Offset up to which the text of the channel has become certain. */
  get certainUpTo(): number {
    return this.#base;
  }

  /** UTF-16 units held back. */
  get heldChars(): number {
    return this.#held.length;
  }

  /**
   * Takes the next text and gives what has become certain, edited. `stopped` says that nothing more may pass: the watch
   * knows why.
   */
  push(text: string, done: boolean): { readonly text: string; readonly stopped: boolean } {
    this.#held += text;
    if (this.#open || this.#scanner === null) return this.#passAll();
    if (text === '' && !done) return NOTHING;
    const { monotonic, path, side, onMasked } = this.#options;
    const from = monotonic();
    let progress: ChannelProgress;
    try {
      progress = this.#checked(this.#scanner.push(text, done), done);
    } catch (error) {
      progress = { ...EMPTY, certainUpTo: this.#base, outcome: failureOf(error).outcome };
    }
    this.watch.take(progress, path, side, monotonic() - from);
    if (progress.edits.length > 0) onMasked?.(progress.edits);
    return this.#advance(progress);
  }

  /** Gives up: the held text outgrew the limit. */
  overflow(): { readonly text: string; readonly stopped: boolean } {
    this.#fail(failed('too_complex', 'too much text had to be held back').outcome);
    return this.#passAll();
  }

  #advance(progress: ChannelProgress): { readonly text: string; readonly stopped: boolean } {
    const { verdict, failedOpen } = settle(progress.outcome, this.watch.instance.allowedErrors);
    if (verdict === 'block' || verdict === 'respond') return STOPPED;
    if (failedOpen) {
      this.#open = true;
      return this.#passAll();
    }
    const length = progress.certainUpTo - this.#base;
    if (length === 0) return NOTHING;
    const certain = this.#held.slice(0, length);
    const edits = progress.edits.map((edit) => ({
      ...edit,
      start: edit.start - this.#base,
      end: edit.end - this.#base,
    }));
    this.#held = this.#held.slice(length);
    this.#base = progress.certainUpTo;
    return { text: this.#options.side === 'current' ? applyEdits(certain, edits) : certain, stopped: false };
  }

  /** An answer that cannot be true is an error of the scanner, never a reason to release text. */
  #checked(progress: ChannelProgress, done: boolean): ChannelProgress {
    const end = this.#base + this.#held.length;
    const { certainUpTo, edits, outcome } = progress;
    const stops = outcome.outcome === 'error' || (outcome.outcome === 'flagged' && outcome.action !== 'log');
    if (stops) return { ...progress, edits: [] };
    let at = this.#base;
    // A run that says it never masks only looks: its edits would be lost without a trace.
    let fits = edits.length === 0 || this.watch.instance.facts.masks;
    fits &&= certainUpTo >= this.#base && certainUpTo <= end && (!done || certainUpTo === end);
    for (const edit of edits) {
      fits &&= edit.start >= at && edit.end >= edit.start && edit.end <= certainUpTo;
      at = edit.end;
    }
    if (fits) return progress;
    const fault = failed('fault', 'the scanner gave an answer that cannot be used').outcome;
    return { ...EMPTY, certainUpTo: this.#base, outcome: fault };
  }

  #fail(outcome: ScannerOutcome): void {
    this.watch.fail(outcome);
    this.#open = settle(outcome, this.watch.instance.allowedErrors).failedOpen;
  }

  #passAll(): { readonly text: string; readonly stopped: boolean } {
    if (!this.#open) return STOPPED;
    const text = this.#held;
    this.#base += text.length;
    this.#held = '';
    return { text, stopped: false };
  }
}

const EMPTY: ChannelProgress = {
  certainUpTo: 0,
  edits: [],
  detections: [],
  outcome: { outcome: 'clean' },
};
const NOTHING = { text: '', stopped: false } as const;
const STOPPED = { text: '', stopped: true } as const;
