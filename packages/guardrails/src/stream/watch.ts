import type { MatchDetail, Outcome, PlannedGuardrail, UnscannedContent } from '@portcullis/policy';
import type { ChannelProgress, ChannelScanner, Inspection } from '../guardrail.ts';
import type { StreamChannel } from '../hook.ts';
import type { Instance } from '../instance.ts';
import { MAX_DETAILS } from '../frame.ts';
import { detailsOf, type RunResult, refuses, unscannedReason } from '../run.ts';
import { outranks, reports, settle } from '../settle.ts';

/** What was seen on one side of a run: the content as changed before it, or the original (C5). */
interface Side {
  outcome: Outcome;
  details: readonly MatchDetail[];
  trace: Inspection['trace'];
}

/** One enforced run over a whole stream: gathers what its scanners say, channel by channel, into one result (E2). */
export class Watch {
  readonly run: PlannedGuardrail;
  readonly instance: Instance;
  readonly #current: Side = { outcome: { outcome: 'clean' }, details: [], trace: {} };
  readonly #original: Side = { outcome: { outcome: 'clean' }, details: [], trace: {} };
  readonly #unscanned: UnscannedContent[] = [];
  readonly #masked: Record<string, number> = {};
  readonly #startedAtMs: number;
  #tookMs = 0;
  /** Whether it has looked at anything; a run whose channels were all out of its scan has not run. */
  looked = false;

  constructor(run: PlannedGuardrail, instance: Instance, startedAtMs: number) {
    this.run = run;
    this.instance = instance;
    this.#startedAtMs = startedAtMs;
  }

  /** Takes a scanner's answer. Of a look at the original only a report, a block or an error counts (C5). */
  take(progress: ChannelProgress, path: string, side: 'current' | 'original', tookMs: number): void {
    this.looked = true;
    this.#tookMs += tookMs;
    const into = side === 'current' ? this.#current : this.#original;
    this.#raise(into, progress.outcome);
    if (progress.trace !== undefined) into.trace = progress.trace;
    if (side === 'current') {
      if (progress.edits.length > 0) this.#raise(into, { outcome: 'masked' });
      for (const { action, type } of progress.detections) {
        if (action === 'MASK') this.#masked[type] = (this.#masked[type] ?? 0) + 1;
      }
    }
    if (progress.detections.length > 0 && into.details.length < MAX_DETAILS) {
      const here = detailsOf(
        progress.detections.map(onlySegment),
        // A scanner knows one text, so that every place it names is in this one.
        [{ path }],
      );
      into.details = [...into.details, ...here].slice(0, MAX_DETAILS);
    }
  }

  /** Takes the result of a run on a piece of the answer that was looked at as a whole. */
  takeResult(result: RunResult): void {
    if (result.outcome.outcome !== 'not_run') this.looked = true;
    this.#tookMs += result.tookMs;
    this.#raise(this.#current, result.outcome);
    this.#current.details = [...this.#current.details, ...result.details].slice(0, MAX_DETAILS);
    if (result.outcome.outcome === 'flagged') this.#current.trace = result.trace;
    for (const [type, count] of Object.entries(result.maskedCounts)) {
      this.#masked[type] = (this.#masked[type] ?? 0) + count;
    }
    for (const item of result.unscanned) this.addUnscanned(item);
  }

  fail(outcome: Outcome): void {
    this.looked = true;
    this.#raise(this.#current, outcome);
  }

  addUnscanned(item: UnscannedContent): void {
    const known = this.#unscanned.some((other) => other.kind === item.kind && other.reason === item.reason);
    if (!known) this.#unscanned.push(item);
  }

  #raise(side: Side, outcome: Outcome): void {
    if (outcome.outcome === 'not_run') return;
    const { allowedErrors } = this.instance;
    if (outranks(settle(outcome, allowedErrors), settle(side.outcome, allowedErrors))) side.outcome = outcome;
  }

  /** The run so far, as one result. */
  result(): RunResult {
    const { instance } = this;
    let { details, trace } = this.#current;
    let settled = settle(this.#current.outcome, instance.allowedErrors);
    const seen = settle(this.#original.outcome, instance.allowedErrors);
    if (reports(seen.outcome) && outranks(seen, settled)) {
      settled = seen;
      trace = this.#original.trace;
      details = [...details, ...this.#original.details].slice(0, MAX_DETAILS);
    }
    let { outcome } = settled;
    if (!this.looked && this.#unscanned.length > 0) {
      outcome = { outcome: 'not_run', reason: unscannedReason(this.#unscanned) };
    }
    return {
      guardrail: this.run.name,
      instance,
      outcome,
      verdict: refuses(this.#unscanned) ? 'block' : settled.verdict,
      failedOpen: settled.failedOpen,
      segments: [],
      details,
      maskedCounts: this.#masked,
      unscanned: this.#unscanned,
      trace,
      startedAtMs: this.#startedAtMs,
      tookMs: this.#tookMs,
    };
  }
}

function onlySegment(
  detection: ChannelProgress['detections'][number],
): ChannelProgress['detections'][number] {
  return detection.span === null ? detection : { ...detection, span: { ...detection.span, segment: 0 } };
}

/** Opens a scanner of the run. A window is only made of detectors that can do it. */
export function openScanner(watch: Watch, channel: StreamChannel): ChannelScanner {
  const { detector } = watch.instance;
  if (detector.openChannel === undefined) throw new Error('the detector cannot scan piece by piece');
  return detector.openChannel(channel.kind, channel.role);
}
