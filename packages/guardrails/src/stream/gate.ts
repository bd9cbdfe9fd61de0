import { type PlannedGuardrail, type PlannedRun, type RunRecord, streamingModeOf } from '@portcullis/policy';
import { appliedOf, recordsOf, skippedEntry } from '../execute.ts';
import type { Ports } from '../guardrail.ts';
import type {
  HookInput,
  MaybePromise,
  RespondDetails,
  BlockDetails,
  StreamChannel,
  StreamGate,
  StreamInput,
  StreamLimits,
  StreamPiece,
  StreamReport,
  StreamStep,
} from '../hook.ts';
import type { Groups } from '../instance.ts';
import { drive, type Steps } from '../maybe.ts';
import { plannedRecords } from '../record.ts';
import { BufferCore } from './buffer.ts';
import { type Core, type CoreContext, type CoreStep, frameFor, hookInput } from './core.ts';
import { leavesOf } from './leaves.ts';
import { Watch } from './watch.ts';
import { WindowCore } from './window.ts';

export const STREAM_LIMITS: StreamLimits = { maxHeldChars: 1_048_576, maxChannels: 1_024 };

/** What a gate needs of the runtime that opens it. */
export interface GateHost {
  readonly groups: Groups;
  readonly ports: Ports;
  readonly counts: { planned: number; recorded: number };
  readonly runMonitored: (input: HookInput) => Promise<readonly RunRecord[]>;
}

/** Opens the gate of one streamed answer: `window` when every enforced run can work piece by piece, else `buffer`. */
export function openGate(input: StreamInput, host: GateHost): StreamGate {
  return new Gate(input, host);
}

class Gate implements StreamGate {
  readonly armed: readonly string[];
  readonly #host: GateHost;
  readonly #context: CoreContext;
  readonly #core: Core;
  /** The runs that hold the stream back, and those that look at it when it is over, with their places in the plan. */
  readonly #gating: readonly Placed[];
  readonly #later: readonly Placed[];
  readonly #channels = new Map<string, { readonly channel: StreamChannel; ended: boolean }>();
  /** The answer as it came, for the runs that look at it when it is over; null once it is too long. */
  #transcript: Map<StreamChannel, string[]> | null = new Map();
  #transcriptChars = 0;
  #released = false;
  #withheld: { readonly respond: RespondDetails; readonly asBlock: BlockDetails } | null = null;
  #over: StreamStep | null = null;
  #ended = false;

  constructor(input: StreamInput, host: GateHost) {
    const limits = { ...STREAM_LIMITS, ...input.limits };
    this.#host = host;
    this.#context = { input, limits, groups: host.groups, ports: host.ports };
    const placed = input.runs.map((run, place): Placed => ({ place, run }));
    const gates = ({ run }: Placed) => run.enforcement === 'enforce' && !isAudit(run, host.groups);
    this.#gating = placed.filter(gates);
    this.#later = placed
      .filter((item) => !gates(item))
      .map(({ place, run }) => ({ place, run: { ...run, enforcement: 'monitor' as const } }));
    const runs = this.#gating.map(({ run }) => run);
    const watches = watchesFor(runs, host);
    this.#core =
      watches === null ? new BufferCore(this.#context, runs) : new WindowCore(this.#context, watches);
    this.armed = armedNames(runs);
    host.counts.planned += plannedRecords(runs, 'enforce');
  }

  get mode(): 'window' | 'buffer' {
    return this.#core.mode;
  }

  push(channel: StreamChannel, text: string): MaybePromise<StreamStep> {
    return this.#over ?? drive(this.#push(channel, text));
  }

  endChannel(key: string): MaybePromise<StreamStep> {
    return this.#over ?? drive(this.#endChannel(key));
  }

  end(): MaybePromise<StreamStep> {
    return this.#over ?? drive(this.#end());
  }

  *#push(channel: StreamChannel, text: string): Steps<StreamStep> {
    const known = this.#channels.get(channel.key);
    if (known?.ended === true) throw new Error(`the channel ${channel.key} has ended`);
    if (known === undefined) {
      this.#channels.set(channel.key, { channel, ended: false });
      if (this.#channels.size > this.#context.limits.maxChannels) {
        const step = this.#settle(yield* this.#core.overflow());
        if (step.kind !== 'release') return step;
        const rest = yield* this.#pushKnown(channel, text);
        return rest.kind === 'release' ? { kind: 'release', pieces: [...step.pieces, ...rest.pieces] } : rest;
      }
    }
    return yield* this.#pushKnown(known?.channel ?? channel, text);
  }

  *#pushKnown(channel: StreamChannel, text: string): Steps<StreamStep> {
    this.#remember(channel, text);
    return this.#settle(yield* this.#core.push(channel, text));
  }

  *#endChannel(key: string): Steps<StreamStep> {
    const known = this.#channels.get(key);
    if (known === undefined || known.ended) return NOTHING;
    known.ended = true;
    return this.#settle(yield* this.#core.endChannel(known.channel));
  }

  *#end(): Steps<StreamStep> {
    const pieces: StreamPiece[] = [];
    for (const key of this.#channels.keys()) {
      const step = yield* this.#endChannel(key);
      if (step.kind !== 'release') return step;
      pieces.push(...step.pieces);
    }
    const last = this.#settle(yield* this.#core.end());
    this.#ended = true;
    if (last.kind !== 'release') return last;
    if (this.#withheld !== null) {
      this.#over = { kind: 'respond', respond: this.#withheld.respond };
      return this.#over;
    }
    this.#over = NOTHING;
    return { kind: 'release', pieces: [...pieces, ...last.pieces] };
  }

  /** Makes the public step, and remembers what ends the stream. */
  #settle(step: CoreStep): StreamStep {
    switch (step.kind) {
      case 'release':
        if (this.#withheld !== null) return NOTHING;
        this.#released ||= step.pieces.length > 0;
        return step;
      case 'block':
        return this.#finishWith(step);
      case 'respond':
      case 'withhold':
        // What has been sent cannot be replaced by another answer any more.
        if (this.#released) return this.#finishWith({ kind: 'block', block: step.asBlock });
        if (step.kind === 'respond') return this.#finishWith({ kind: 'respond', respond: step.respond });
        this.#withheld ??= step;
        return NOTHING;
    }
  }

  #finishWith(step: StreamStep): StreamStep {
    this.#over = step;
    this.#ended = true;
    return step;
  }

  #remember(channel: StreamChannel, text: string): void {
    if (this.#transcript === null || this.#later.length === 0) return;
    this.#transcriptChars += text.length;
    if (this.#transcriptChars > this.#context.limits.maxHeldChars) {
      this.#transcript = null;
      return;
    }
    const parts = this.#transcript.get(channel);
    if (parts === undefined) this.#transcript.set(channel, [text]);
    else parts.push(text);
  }

  finish(): MaybePromise<StreamReport> {
    const gating = this.#core.records(this.#ended);
    for (const records of gating) this.#host.counts.recorded += records.length;
    if (this.#later.length === 0) return this.#report(gating, []);
    return this.#lookLater().then((later) => this.#report(gating, later));
  }

  async #lookLater(): Promise<readonly (readonly RunRecord[])[]> {
    const runs = this.#later.map(({ run }) => run);
    const segments = [...(this.#transcript ?? [])].flatMap(
      ([channel, parts]) => leavesOf(channel, parts.join(''), this.#context.input.codec).segments,
    );
    if (this.#transcript !== null) {
      const one = (run: PlannedRun) =>
        this.#host.runMonitored(hookInput(this.#context.input, [run], segments));
      return Promise.all(runs.map(one));
    }
    // Nobody waits for these runs, so that an answer too long to be kept is simply not looked at.
    const frame = frameFor(this.#context, runs, segments, null);
    const records = runs.map((run) =>
      recordsOf(frame, [skippedEntry(frame, run, [], 'the answer is too large')]),
    );
    for (const list of records) {
      this.#host.counts.planned += list.length;
      this.#host.counts.recorded += list.length;
    }
    return records;
  }

  #report(gating: readonly (readonly RunRecord[])[], later: readonly (readonly RunRecord[])[]): StreamReport {
    const byPlace: (readonly RunRecord[])[] = [];
    for (const [index, { place }] of this.#gating.entries()) byPlace[place] = gating[index] ?? [];
    for (const [index, { place }] of this.#later.entries()) byPlace[place] = later[index] ?? [];
    const records = byPlace.flat();
    return { records, applied: appliedOf(records) };
  }
}

interface Placed {
  readonly place: number;
  readonly run: PlannedRun;
}

const NOTHING: StreamStep = { kind: 'release', pieces: [] };

const isAudit = (run: PlannedRun, groups: Groups): boolean => {
  const group = run.kind === 'guardrail' ? groups.get(run.name) : undefined;
  return group !== undefined && streamingModeOf(group.first.params) === 'audit';
};

/** The runs of a window, or null when one of them can only judge a whole answer. */
function watchesFor(runs: readonly PlannedRun[], host: GateHost): readonly Watch[] | null {
  const watches: Watch[] = [];
  for (const run of runs) {
    const group = run.kind === 'guardrail' ? host.groups.get(run.name) : undefined;
    if (group === undefined || !worksInWindow(run)) return null;
    const unable = group.instances.some(
      ({ params, detector }) => streamingModeOf(params) === 'buffer' || detector.openChannel === undefined,
    );
    if (unable) return null;
    watches.push(new Watch(run, group.pick(), host.ports.clock.now()));
  }
  return watches;
}

/** A scanner is opened without the caller's parameters, so that a run that has some looks at the whole. */
const worksInWindow = (run: PlannedRun): run is PlannedGuardrail =>
  run.kind === 'guardrail' && run.params === null;

function armedNames(runs: readonly PlannedRun[]): readonly string[] {
  const names = new Set<string>();
  for (const run of runs) {
    if (run.kind === 'guardrail') names.add(run.name);
    else for (const step of run.steps) if (!step.monitored) names.add(step.guardrail);
  }
  return [...names];
}
