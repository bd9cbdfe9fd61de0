import { Reading } from '../text/reading/reading.ts';
import { Suspicion } from '../text/reading/suspicion.ts';
import { LooseScan, type LooseWords } from './loose-words.ts';
import { type Cluster, compareMatches, takeClusters } from './overlaps.ts';
import type { Program } from './program.ts';
import type { View } from '../text/view.ts';
import { type Match, RANK } from './rule.ts';
import { Scan } from './scan.ts';

/** What to look at: the text as written, and, unless switched off, the text read through the usual disguises. */
export interface ScanPlan {
  readonly program: Program;
  readonly readThrough: boolean;
  /** Keywords to find in odd spellings, too. */
  readonly loose: LooseWords | null;
}

const suspicion = new Suspicion();

const NO_CLUSTERS: readonly Cluster[] = [];

/**
 * One pass over one text in all the ways in which it is looked at, whole or in pieces, with the same result for any cutting.
 *
 * What is found by reading through is mapped back to the source, so that edits change nothing else. A whole text that shows
 * no sign of a disguise is only scanned as written; that leaves nothing out, because reading it through would change nothing.
 */
export class TextScan {
  /** Source position up to which everything is decided. */
  certainUpTo = 0;
  /** More came out of encoded runs than is looked at. */
  overflows = false;

  private readonly written: Scan;
  private readonly through: Scan | null;
  private readonly loose: LooseScan | null;
  private readonly reading: Reading | null;
  private readonly found: Match[] = [];
  private begun = false;
  private formKnown = false;

  constructor(plan: ScanPlan) {
    this.written = new Scan(plan.program);
    this.reading = plan.readThrough ? new Reading() : null;
    this.through = plan.readThrough ? new Scan(plan.program, true) : null;
    this.loose = plan.loose === null ? null : new LooseScan(plan.loose);
  }

  /** Forgets everything, ready for another text. */
  reset(): void {
    this.certainUpTo = 0;
    this.overflows = false;
    this.written.reset();
    this.found.length = 0;
    this.formKnown = false;
    if (!this.begun) return;
    this.begun = false;
    this.reading?.reset();
    this.through?.reset();
    this.loose?.reset();
  }

  /**
   * Takes the next piece; `done` marks the last one.
   * @returns the clusters that have become certain, in order of position.
   */
  feed(piece: string, done: boolean): readonly Cluster[] {
    if (!this.formKnown) this.lookAtForm(piece);
    let limit = this.written.advance(piece, done);
    this.take(this.written.found, null);
    if (this.reading !== null && this.through !== null) {
      if (done && !this.begun) this.readWhole(this.reading, this.through, piece);
      else limit = Math.min(limit, this.readOn(this.reading, this.through, piece, done));
    }
    let clusters = NO_CLUSTERS;
    if (this.found.length > 0) {
      this.found.sort(compareMatches);
      clusters = takeClusters(this.found, limit);
    }
    this.certainUpTo = Math.min(limit, this.found[0]?.start ?? limit);
    return clusters;
  }

  /** Reads a whole text through when that can show anything. Gives the same as reading it in pieces. */
  private readWhole(reading: Reading, through: Scan, text: string): void {
    const { view } = this.written;
    const shown = suspicion.falls(text, view.text, view.ascii) ? reading.read(text) : null;
    if (shown !== null) {
      this.begun = true;
      through.advance(shown, true);
      this.take(through.found, reading);
      this.overflows ||= reading.overflows;
    }
    if (this.loose === null) return;
    this.loose.reset();
    this.loose.advance(shown ?? view.text, true);
    this.take(this.loose.found, shown === null ? view : reading);
  }

  private readOn(reading: Reading, through: Scan, piece: string, done: boolean): number {
    this.begun = true;
    const text = reading.append(piece, done);
    let limit = through.advance(text, done);
    this.take(through.found, reading);
    let retained = through.retainedFrom;
    if (this.loose !== null) {
      limit = Math.min(limit, this.loose.advance(text, done));
      this.take(this.loose.found, reading);
      retained = Math.min(retained, this.loose.retainedFrom);
    }
    this.overflows ||= reading.overflows;
    const source = reading.sourceStart(limit);
    if (!done) reading.trim(retained);
    return source;
  }

  /** Moves matches here, in positions of the source. */
  private take(matches: Match[], reading: Reading | View | null): void {
    for (const match of matches) {
      if (reading === null) {
        this.found.push(match);
        continue;
      }
      const doubtful = reading instanceof Reading && reading.isDoubtful(match.start, match.end);
      if (doubtful && !isFounded(match)) continue;
      this.found.push({
        ...match,
        start: reading.sourceStart(match.start),
        end: reading.sourceStop(match.end),
        via: doubtful ? 'doubtful' : 'reading',
      });
    }
    matches.length = 0;
  }

  /** JSON is known by its first character. Edits in it must leave its escapes whole. */
  private lookAtForm(piece: string): void {
    const first = /\S/.exec(piece)?.[0];
    if (first === undefined) return;
    this.formKnown = true;
    this.written.json = first === '{' || first === '[' || first === '"';
  }
}

/**
 * Whether a match over a joined line break is more than two numbers by chance: a word of its context is near, or a check
 * passed on something that is not only digits.
 */
function isFounded({ rule, strength, value }: Match): boolean {
  if (rule.kind !== 'pattern') return true;
  if (rule.rank === RANK.credential) return strength > 0;
  return strength % 2 === 1 || (strength >= 2 && /[A-Za-z]/.test(value));
}
