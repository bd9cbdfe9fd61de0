import {
  BINARY_KINDS,
  type Demand,
  type Edit,
  type ErrorClass,
  type Hook,
  type MatchDetail,
  type Outcome,
  type Segment,
  settleUnscanned,
  type UnscannedContent,
  type Verdict,
} from '@portcullis/policy';
import { editsFit } from './edits.ts';
import { type Frame, MAX_DETAILS, placeholdersOf } from './frame.ts';
import type { Detection, Inspection, Subject } from './guardrail.ts';
import type { MaybePromise } from './hook.ts';
import { failed, failureOf } from './inspect.ts';
import type { Instance } from './instance.ts';
import { isPromise } from './maybe.ts';
import { outranks, reports, settle } from './settle.ts';
import { applyEdits } from './text/edits.ts';
import { look } from './verdicts/look.ts';
import { unscannedSetting, type View, viewFor } from './view.ts';

/** One run of one guardrail, over. */
export interface RunResult {
  readonly guardrail: string;
  /** Null when no guardrail of that name exists. */
  readonly instance: Instance | null;
  readonly outcome: Outcome;
  /** What the run alone asks for, `unscanned: block` included. Inside a pipeline the step's action replaces it. */
  readonly verdict: Verdict;
  readonly failedOpen: boolean;
  /** The content after this run; the very list that came in when nothing changed. */
  readonly segments: readonly Segment[];
  readonly details: readonly MatchDetail[];
  readonly maskedCounts: Readonly<Record<string, number>>;
  readonly unscanned: readonly UnscannedContent[];
  readonly trace: Inspection['trace'];
  /** Milliseconds since the epoch, and milliseconds. */
  readonly startedAtMs: number;
  readonly tookMs: number;
}

/** What a run is asked to do. */
export interface RunOrder {
  readonly guardrail: string;
  readonly params: Readonly<Record<string, unknown>> | null;
  readonly demandedBy: readonly Demand[];
  readonly segments: readonly Segment[];
  /** The content before any run of the hook; the same list as `segments` when the run need not look at it (C5). */
  readonly original: readonly Segment[];
}

/** The hooks in which a rewrite reaches somebody. In the others an edit is `undeliverable` (E1, P7). */
const REWRITABLE: ReadonlySet<Hook> = new Set(['pre_call', 'post_call', 'pre_mcp_call', 'logging_only']);

const MAX_UNREAD = 20;

const NO_DETAILS: readonly MatchDetail[] = [];
const NO_COUNTS: Readonly<Record<string, number>> = {};
const NO_TRACE: Inspection['trace'] = {};
const CLEAN: Inspection = {
  outcome: { outcome: 'clean' },
  edits: [],
  detections: [],
  unread: [],
  trace: NO_TRACE,
};

/**
 * Runs one guardrail once: narrows the content to what it scans, asks its detector about the content as changed so far
 * and, when that differs, about the original, and turns the answers into one outcome. Never throws, never rejects (E1).
 */
export function runGuardrail(frame: Frame, order: RunOrder): MaybePromise<RunResult> {
  const { clock } = frame.ports;
  const startedAtMs = clock.now();
  const from = clock.monotonic();
  const group = frame.groups.get(order.guardrail);
  if (group === undefined) {
    const outcome = {
      outcome: 'error',
      error_class: 'unknown',
      reason: 'no guardrail has this name',
    } as const;
    return bare(order, null, outcome, [], startedAtMs, 0);
  }
  const instance = group.pick();
  const view = viewFor(instance, order.demandedBy, frame.input.unscanned, order.segments, order.original);
  const nothing = !view.segments.some(hasText);
  if (nothing && view.unscanned.length > 0) {
    const outcome = { outcome: 'not_run', reason: unscannedReason(view.unscanned) } as const;
    return bare(order, instance, outcome, view.unscanned, startedAtMs, 0);
  }
  // Nothing to look at, or only empty texts (a turn that only calls tools), is clean: there is nothing to ask about.
  const first = nothing
    ? CLEAN
    : look(frame, instance, subjectOf(frame, order, view.segments, view.original));
  const blocked =
    !isPromise(first) && first.outcome.outcome === 'flagged' && first.outcome.action === 'block';
  const again = blocked ? null : segmentsToSeeAgain(instance, view);
  const second =
    again === null ? null : look(frame, instance, subjectOf(frame, order, again.segments, again.segments));
  const finish = (current: Inspection, original: Inspection | null): RunResult => {
    const end = { startedAtMs, tookMs: Math.max(0, clock.monotonic() - from) };
    try {
      return conclude(frame, order, instance, view, current, again, original, end);
    } catch (error) {
      // An answer out of shape is a fault of the detector like a throw.
      const { outcome } = failureOf(error);
      return bare(order, instance, outcome, view.unscanned, end.startedAtMs, end.tookMs);
    }
  };
  if (!isPromise(first) && !isPromise(second)) return finish(first, second);
  return Promise.all([first, second]).then(([current, original]) => finish(current, original));
}

/** The result of a run that did not happen. */
export function notRun(frame: Frame, order: RunOrder, reason: string): RunResult {
  const instance = frame.groups.get(order.guardrail)?.first ?? null;
  return bare(order, instance, { outcome: 'not_run', reason }, [], frame.ports.clock.now(), 0);
}

const hasText = (segment: Segment): boolean => segment.text !== '';

/** A short reason that names kinds only. */
export function unscannedReason(unscanned: readonly UnscannedContent[]): string {
  return `unscanned: ${[...new Set(unscanned.map((item) => `${item.kind} ${item.reason}`))].join(', ')}`;
}

export const refuses = (unscanned: readonly UnscannedContent[]): boolean =>
  settleUnscanned(unscanned) === 'block';

function bare(
  order: RunOrder,
  instance: Instance | null,
  outcome: Outcome,
  unscanned: readonly UnscannedContent[],
  startedAtMs: number,
  tookMs: number,
): RunResult {
  const settled = settle(outcome, instance?.allowedErrors ?? NO_ERRORS);
  return {
    guardrail: order.guardrail,
    instance,
    outcome,
    verdict: refuses(unscanned) ? 'block' : settled.verdict,
    failedOpen: settled.failedOpen,
    segments: order.segments,
    details: NO_DETAILS,
    maskedCounts: NO_COUNTS,
    unscanned,
    trace: NO_TRACE,
    startedAtMs,
    tookMs,
  };
}

const NO_ERRORS: ReadonlySet<ErrorClass> = new Set();

function subjectOf(
  frame: Frame,
  order: RunOrder,
  segments: readonly Segment[],
  original: readonly Segment[],
): Subject {
  const { hook, direction, facts } = frame.input;
  return { hook, direction, segments, original, request: facts, params: order.params };
}

interface SecondLook {
  readonly segments: readonly Segment[];
}

/**
 * The original segments to look at once more because earlier runs changed them (C5); null when nothing changed. A
 * detector that judges each segment by itself sees the changed ones and those joined with them, any other all of them.
 */
function segmentsToSeeAgain(instance: Instance, view: View): SecondLook | null {
  if (view.segments === view.original) return null;
  const changed = (place: number) => view.segments[place]?.text !== view.original[place]?.text;
  const joins = new Set<number>();
  let any = false;
  for (const [place, segment] of view.original.entries()) {
    if (!changed(place)) continue;
    any = true;
    if (segment.join !== null) joins.add(segment.join);
  }
  if (!any) return null;
  if (instance.definition.deterministic !== 'segment') return { segments: view.original };
  const segments = view.original.filter(
    (segment, place) => changed(place) || (segment.join !== null && joins.has(segment.join)),
  );
  return { segments };
}

/** Turns answers into one outcome, with its edits applied. */
function conclude(
  frame: Frame,
  order: RunOrder,
  instance: Instance,
  view: View,
  current: Inspection,
  again: SecondLook | null,
  original: Inspection | null,
  end: { readonly startedAtMs: number; readonly tookMs: number },
): RunResult {
  const applied = applyTo(frame, order, view, current);
  let settled = settle(applied.outcome, instance.allowedErrors);
  let details = detailsOf(current.detections, view.segments, frame.maxDetails);
  let trace = current.trace;
  if (original !== null && again !== null && reports(original.outcome)) {
    // Of the look at the original only a block, a report or an error counts: its masks have been made already.
    const seen = settle(original.outcome, instance.allowedErrors);
    if (outranks(seen, settled)) {
      settled = seen;
      trace = original.trace;
      details = [...details, ...detailsOf(original.detections, again.segments)];
    }
  }
  const unscanned =
    current.unread.length === 0
      ? view.unscanned
      : [...view.unscanned, ...unreadOf(frame, order, instance, view, current)];
  const edited = settled.verdict !== 'block' && settled.verdict !== 'respond';
  return {
    guardrail: order.guardrail,
    instance,
    outcome: settled.outcome,
    verdict: refuses(unscanned) ? 'block' : settled.verdict,
    failedOpen: settled.failedOpen,
    segments: edited ? applied.segments : order.segments,
    details,
    maskedCounts:
      edited && applied.segments !== order.segments ? maskedCounts(current.detections) : NO_COUNTS,
    unscanned,
    trace,
    ...end,
  };
}

/** Applies the edits of an inspection, or says why they cannot be (E1). */
function applyTo(
  frame: Frame,
  order: RunOrder,
  view: View,
  inspection: Inspection,
): { readonly outcome: Outcome; readonly segments: readonly Segment[] } {
  const { outcome, edits } = inspection;
  const unchanged = (result: Outcome) => ({ outcome: result, segments: order.segments });
  const stops = outcome.outcome === 'error' || (outcome.outcome === 'flagged' && outcome.action !== 'log');
  if (stops || (edits.length === 0 && outcome.outcome !== 'masked')) return unchanged(outcome);
  if (edits.length === 0) {
    return unchanged(failed('fault', 'masked, but no edit was given').outcome);
  }
  if (!REWRITABLE.has(frame.input.hook)) {
    return unchanged(failed('undeliverable', `content cannot be changed in ${frame.input.hook}`).outcome);
  }
  if (!editsFit(edits, view.segments)) {
    return unchanged(failed('fault', 'edits outside the text, overlapping or out of order').outcome);
  }
  const segments = order.segments.slice();
  for (const [index, ofSegment] of bySegment(withPlaceholders(frame, view.segments, edits))) {
    const place = view.places === null ? index : (view.places[index] ?? -1);
    const segment = segments[place];
    if (segment === undefined) continue;
    const text = applyEdits(segment.text, ofSegment);
    if (!canHold(frame, segment, text)) {
      return unchanged(failed('undeliverable', `a ${segment.leaf} cannot hold the masked text`).outcome);
    }
    segments[place] = { ...segment, text };
  }
  return { outcome: { outcome: 'masked' }, segments };
}

/** Edits whose values are to be put back get stable placeholders instead of their replacements. */
function withPlaceholders(
  frame: Frame,
  segments: readonly Segment[],
  edits: readonly Edit[],
): readonly Edit[] {
  if (!edits.some((edit) => edit.restore !== undefined)) return edits;
  const placeholders = placeholdersOf(frame);
  if (placeholders === null) return edits;
  const textOf = (edit: Edit) => segments[edit.segment]?.text.slice(edit.start, edit.end) ?? '';
  return edits.map((edit, index) => {
    if (edit.restore === undefined || 'continues' in edit.restore) return edit;
    let value = textOf(edit);
    for (let next = index + 1; next < edits.length; next++) {
      const further = edits[next];
      if (further?.restore === undefined || !('continues' in further.restore)) break;
      value += textOf(further);
    }
    return { ...edit, replacement: placeholders.placeholderFor(edit.restore.type, value) };
  });
}

function bySegment(edits: readonly Edit[]): Map<number, Edit[]> {
  const groups = new Map<number, Edit[]>();
  for (const edit of edits) {
    const group = groups.get(edit.segment);
    if (group === undefined) groups.set(edit.segment, [edit]);
    else group.push(edit);
  }
  return groups;
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u;

function canHold(frame: Frame, segment: Segment, text: string): boolean {
  if (segment.leaf === 'string') return true;
  if (frame.input.canReplace !== undefined) return frame.input.canReplace(segment, text);
  return segment.leaf === 'number' && JSON_NUMBER.test(text);
}

function unreadOf(
  frame: Frame,
  order: RunOrder,
  instance: Instance,
  view: View,
  inspection: Inspection,
): UnscannedContent[] {
  const list: UnscannedContent[] = [];
  for (const { segment: index, reason } of inspection.unread) {
    const segment = view.segments[index];
    if (segment === undefined) throw new RangeError('unread segment');
    const fallback = BINARY_KINDS.has(segment.kind) ? 'allow' : 'block';
    const setting = unscannedSetting(instance, order.demandedBy, frame.input.unscanned, fallback);
    // The list is cut, but never a part that decides.
    if (list.length < MAX_UNREAD || (setting === 'block' && !refuses(list))) {
      list.push({ kind: segment.kind, path: segment.path, setting, reason });
    }
  }
  return list;
}

/** The record's form of what was found: places and kinds, never text. */
export function detailsOf(
  detections: readonly Detection[],
  segments: readonly Pick<Segment, 'path'>[],
  limit = MAX_DETAILS,
): readonly MatchDetail[] {
  if (detections.length === 0) return NO_DETAILS;
  return detections.slice(0, limit).map((detection) => ({
    type: detection.type,
    action_taken: detection.action,
    detection_method: detection.method,
    category: detection.category,
    severity: detection.severity,
    score: detection.score,
    path: detection.span === null ? null : (segments[detection.span.segment]?.path ?? null),
    start: detection.span?.start ?? null,
    end: detection.span?.end ?? null,
    hash: detection.hash,
  }));
}

function maskedCounts(detections: readonly Detection[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { action, type } of detections) {
    if (action === 'MASK') counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}
