import type { Frame } from '../frame.ts';
import type { Inspection, Subject } from '../guardrail.ts';
import type { MaybePromise } from '../hook.ts';
import { inspect } from '../inspect.ts';
import type { Instance } from '../instance.ts';
import { isPromise } from '../maybe.ts';
import type { VerdictCache } from './cache.ts';
import { digestOf } from './keyed-hash.ts';
import { mergeParts, type Part } from './merge.ts';
import { Units, UNITS_PER_BLOCK } from './units.ts';

/** A text alone that is shorter is scanned faster than it is looked up and kept. UTF-16 units. */
const WORTH_KEEPING = 256;

const CLEAN: Inspection = {
  outcome: { outcome: 'clean' },
  edits: [],
  detections: [],
  unread: [],
  trace: {},
};

/**
 * Asks a detector about a content. One that judges segments by themselves is asked unit by unit, and about what it has
 * judged before not at all: a history is scanned once, not on every turn (E6). With or without the cache the answer is the
 * same. Never throws, never rejects.
 */
export function look(frame: Frame, instance: Instance, subject: Subject): MaybePromise<Inspection> {
  const { definition } = instance;
  if (definition.deterministic !== 'segment' || definition.remote === true || frame.forced !== null) {
    return inspect(frame, instance, subject);
  }
  const units = unitsOf(frame, subject.segments);
  const only = units.count === 1;
  if (only && (subject.segments[0]?.text.length ?? 0) < WORTH_KEEPING)
    return inspect(frame, instance, subject);
  // What a caller's parameters make of a detector is of that caller alone.
  const cache = subject.params === null ? frame.verdicts : null;
  return new Look(frame, instance, subject, units, cache).run();
}

/** The units of a list, made once for guardrails that see this very list one after the other. */
function unitsOf(frame: Frame, segments: Subject['segments']): Units {
  if (frame.units?.segments !== segments) frame.units = new Units(segments);
  return frame.units;
}

class Look {
  readonly #frame: Frame;
  readonly #instance: Instance;
  readonly #subject: Subject;
  readonly #units: Units;
  readonly #cache: VerdictCache | null;
  readonly #nowMs: number;
  #about: string | null = null;

  constructor(frame: Frame, instance: Instance, subject: Subject, units: Units, cache: VerdictCache | null) {
    this.#frame = frame;
    this.#instance = instance;
    this.#subject = subject;
    this.#units = units;
    this.#cache = cache;
    this.#nowMs = frame.ports.clock.monotonic();
  }

  run(): MaybePromise<Inspection> {
    const { count } = this.#units;
    const parts: { from: number; inspection: MaybePromise<Inspection> }[] = [];
    let waits = false;
    let unit = 0;
    while (unit < count) {
      const size = count - unit >= UNITS_PER_BLOCK ? UNITS_PER_BLOCK : 1;
      const inspection = size === 1 ? this.#unit(unit) : this.#block(unit / UNITS_PER_BLOCK);
      waits ||= isPromise(inspection);
      parts.push({ from: this.#units.start(unit), inspection });
      unit += size;
    }
    return waits ? Promise.all(parts.map(settledPart)).then(merged) : merged(parts as Part[]);
  }

  #block(block: number): MaybePromise<Inspection> {
    const key = this.#key('block', this.#cache === null ? null : this.#units.blockDigest(block));
    const known = this.#known(key);
    if (known !== null) return known;
    const first = block * UNITS_PER_BLOCK;
    const base = this.#units.start(first);
    const parts: { from: number; inspection: MaybePromise<Inspection> }[] = [];
    let waits = false;
    for (let unit = first; unit < first + UNITS_PER_BLOCK; unit++) {
      const inspection = this.#unit(unit);
      waits ||= isPromise(inspection);
      parts.push({ from: this.#units.start(unit) - base, inspection });
    }
    if (waits) return Promise.all(parts.map(settledPart)).then((all) => this.#keep(key, merged(all)));
    return this.#keep(key, merged(parts as Part[]));
  }

  #unit(unit: number): MaybePromise<Inspection> {
    const from = this.#units.start(unit);
    const to = this.#units.start(unit + 1);
    const { segments, original } = this.#subject;
    if (to === from + 1 && segments[from]?.text === '') return CLEAN;
    const key = this.#key('unit', this.#cache === null ? null : this.#units.digest(unit));
    const known = this.#known(key);
    if (known !== null) return known;
    const here = segments.slice(from, to);
    const part = {
      ...this.#subject,
      segments: here,
      original: original === segments ? here : original.slice(from, to),
    };
    const made = inspect(this.#frame, this.#instance, part);
    return isPromise(made) ? made.then((one) => this.#keep(key, one)) : this.#keep(key, made);
  }

  #known(key: string | null): Inspection | null {
    return key === null || this.#cache === null ? null : this.#cache.get(key, this.#nowMs);
  }

  /** Keeps a verdict; no answer, and one about content that could not be read, are none. */
  #keep(key: string | null, inspection: Inspection): Inspection {
    const { outcome, unread } = inspection;
    const isVerdict = outcome.outcome !== 'error' && unread.length === 0;
    if (key !== null && isVerdict) this.#cache?.set(key, inspection, this.#nowMs);
    return inspection;
  }

  #key(what: 'unit' | 'block', digest: string | null): string | null {
    if (digest === null || this.#cache === null) return null;
    this.#about ??= this.#aboutThis();
    return this.#cache.keys.of(`${what} ${this.#about}${digest}`);
  }

  /** What a verdict depends on besides the content: the guardrail as it is configured, the hook, and whom it is for. */
  #aboutThis(): string {
    const { hook, request } = this.#subject;
    const owner = request.teamId === null ? ['key', request.keyHash] : ['team', request.teamId];
    return digestOf(JSON.stringify([this.#instance.digest(), hook, ...owner]));
  }
}

async function settledPart({
  from,
  inspection,
}: {
  from: number;
  inspection: MaybePromise<Inspection>;
}): Promise<Part> {
  return { from, inspection: await inspection };
}

const merged = (parts: readonly Part[]): Inspection => mergeParts(parts, CLEAN);
