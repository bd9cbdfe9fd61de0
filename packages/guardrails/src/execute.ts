import {
  combineVerdicts,
  type PlannedGuardrail,
  type PlannedPipeline,
  type PlannedRun,
  type RunRecord,
  type Segment,
  type Verdict,
} from '@portcullis/policy';
import { blockDetails, policyOf } from './details.ts';
import { type Frame, stopWaiting } from './frame.ts';
import type { BlockDetails, HookResult, MaybePromise, RespondDetails } from './hook.ts';
import { drive, isPromise, type Steps, settled } from './maybe.ts';
import { type PipelineResult, pipelineNotRun, pipelineSteps } from './pipeline.ts';
import { recordOf } from './record.ts';
import { notRun, type RunOrder, type RunResult, runGuardrail } from './run.ts';

/** What one planned run came to. */
export type Entry =
  | { readonly kind: 'guardrail'; readonly run: PlannedGuardrail; readonly result: RunResult }
  | { readonly kind: 'pipeline'; readonly run: PlannedPipeline; readonly result: PipelineResult };

/** A hook, over, before records are written. */
export interface Execution {
  readonly verdict: Verdict;
  readonly segments: readonly Segment[];
  readonly block: BlockDetails | null;
  readonly respond: RespondDetails | null;
  readonly entries: readonly Entry[];
}

/** How many inspections of one hook may be under way at once. */
const MAX_AT_ONCE = 8;

/**
 * Runs planned runs in their order (C5). Remote runs that cannot change content are started together with what follows
 * them, because that sees the same content either way; their results are still taken in order, so that the outcome is the
 * one of the order: the first block in order is reported, and what comes after it counts as not run.
 */
export function execute(frame: Frame, runs: readonly PlannedRun[]): MaybePromise<Execution> {
  return drive(executeSteps(frame, runs));
}

function* executeSteps(frame: Frame, runs: readonly PlannedRun[]): Steps<Execution> {
  const { hook } = frame.input;
  let segments = frame.input.segments;
  let verdict: Verdict = 'allow';
  let block: BlockDetails | null = null;
  let respond: RespondDetails | null = null;
  let stoppedBy: string | null = null;
  const entries: Entry[] = [];
  let next = 0;

  while (next < runs.length) {
    if (stoppedBy !== null) {
      const run = runs[next++];
      if (run !== undefined) entries.push(skippedEntry(frame, run, segments, `stopped_by:${stoppedBy}`));
      continue;
    }
    const started = startTogether(frame, runs, next, segments);
    next += started.length;
    for (const [index, { run, pending }] of started.entries()) {
      if (stoppedBy !== null) {
        entries.push(skippedEntry(frame, run, segments, `stopped_by:${stoppedBy}`));
        continue;
      }
      const entry = yield* settled(pending);
      entries.push(entry);
      const { result } = entry;
      const changed = result.segments !== segments;
      segments = result.segments;
      verdict = combineVerdicts([verdict, result.verdict]);
      if (result.verdict === 'block') {
        block =
          entry.kind === 'pipeline'
            ? entry.result.block
            : blockDetails(hook, entry.result, policyOf(run.demanded_by), null);
        stoppedBy = run.name;
        stopWaiting(frame);
      } else if (result.verdict === 'respond') {
        respond ??= entry.kind === 'pipeline' ? entry.result.respond : respondDetails(entry.result);
      }
      const early = started.length - index - 1;
      if (changed && early > 0) {
        // A run that was not expected to change content did: those started early saw content that is no more.
        stopWaiting(frame);
        next -= early;
        break;
      }
    }
  }
  return { verdict, segments, block, respond: block === null ? respond : null, entries };
}

interface Started {
  readonly run: PlannedRun;
  readonly pending: MaybePromise<Entry>;
}

/** Starts the run at `from`, and those after it whose content is already known. */
function startTogether(
  frame: Frame,
  runs: readonly PlannedRun[],
  from: number,
  segments: readonly Segment[],
): readonly Started[] {
  const started: Started[] = [];
  let waiting = false;
  for (let index = from; index < runs.length && started.length < MAX_AT_ONCE; index++) {
    const run = runs[index];
    if (run === undefined) break;
    const pending = start(frame, run, segments);
    started.push({ run, pending });
    waiting ||= isPromise(pending);
    // What follows can only be started when this run cannot change what it would see, and is only worth starting early
    // when there is something to wait for.
    const settles = isPromise(pending) ? mayChange(frame, run) : pending.result.segments !== segments;
    const blocks = !isPromise(pending) && pending.result.verdict === 'block';
    if (!waiting || settles || blocks) break;
  }
  return started;
}

function mayChange(frame: Frame, run: PlannedRun): boolean {
  return run.kind === 'pipeline' || frame.groups.get(run.name)?.masks === true;
}

function start(frame: Frame, run: PlannedRun, segments: readonly Segment[]): MaybePromise<Entry> {
  if (run.kind === 'pipeline') {
    const result = drive(pipelineSteps(frame, run, segments));
    return isPromise(result)
      ? result.then((over): Entry => ({ kind: 'pipeline', run, result: over }))
      : { kind: 'pipeline', run, result };
  }
  const result = runGuardrail(frame, orderOf(frame, run, segments));
  return isPromise(result)
    ? result.then((over): Entry => ({ kind: 'guardrail', run, result: over }))
    : { kind: 'guardrail', run, result };
}

function orderOf(frame: Frame, run: PlannedGuardrail, segments: readonly Segment[]): RunOrder {
  return {
    guardrail: run.name,
    params: run.params,
    demandedBy: run.demanded_by,
    segments,
    original: frame.input.original,
  };
}

export function skippedEntry(
  frame: Frame,
  run: PlannedRun,
  segments: readonly Segment[],
  reason: string,
): Entry {
  return run.kind === 'pipeline'
    ? { kind: 'pipeline', run, result: pipelineNotRun(frame, run, segments, reason) }
    : { kind: 'guardrail', run, result: notRun(frame, orderOf(frame, run, segments), reason) };
}

export function respondDetails(result: RunResult): RespondDetails {
  const { outcome } = result;
  return {
    message: outcome.outcome === 'flagged' ? outcome.message : '',
    guardrail_name: result.guardrail,
  };
}

/** The records of a hook, in plan order, one for each guardrail and each step (E2). */
export function recordsOf(frame: Frame, entries: readonly Entry[]): readonly RunRecord[] {
  const { hook } = frame.input;
  const records: RunRecord[] = [];
  for (const { kind, run, result } of entries) {
    const base = { hook, enforcement: run.enforcement, demandedBy: run.demanded_by };
    if (kind === 'guardrail') {
      records.push(recordOf({ ...base, pipeline: null }, result));
      continue;
    }
    for (const [step, { result: stepResult, action }] of result.steps.entries()) {
      const pipeline = { policy_name: run.name, step, action };
      records.push(recordOf({ ...base, pipeline }, stepResult));
    }
  }
  return records;
}

/** Enforced guardrails that looked at the content and said so, each once, in plan order (E3). */
export function appliedOf(records: readonly RunRecord[]): readonly string[] {
  const names = new Set<string>();
  for (const { enforcement, outcome, guardrail_name } of records) {
    const looked = outcome === 'clean' || outcome === 'masked' || outcome === 'flagged';
    if (enforcement === 'enforce' && looked) names.add(guardrail_name);
  }
  return [...names];
}

/** The public result of a hook. */
export function hookResultOf(frame: Frame, execution: Execution): HookResult {
  const records = recordsOf(frame, execution.entries);
  const { verdict, segments, block, respond } = execution;
  return {
    verdict,
    segments,
    edited: editedPlaces(frame.input.segments, segments),
    block,
    respond,
    records,
    applied: appliedOf(records),
    restorer: frame.placeholders,
  };
}

const NO_PLACES: readonly number[] = [];

/** The places whose text differs. */
export function editedPlaces(before: readonly Segment[], after: readonly Segment[]): readonly number[] {
  if (before === after) return NO_PLACES;
  const places: number[] = [];
  for (const [place, segment] of after.entries()) {
    if (segment.text !== before[place]?.text) places.push(place);
  }
  return places;
}
