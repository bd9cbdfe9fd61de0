import type { PlannedRun, RunRecord, Segment } from '@portcullis/policy';
import { blockDetails, pipelineBlockDetails, policyOf } from '../details.ts';
import { type Entry, execute, editedPlaces, recordsOf, skippedEntry } from '../execute.ts';
import type { Inspection } from '../guardrail.ts';
import type { BlockDetails, RespondDetails, StreamChannel, StreamPiece } from '../hook.ts';
import { settled, type Steps } from '../maybe.ts';
import { settle } from '../settle.ts';
import {
  type Core,
  type CoreContext,
  type CoreStep,
  frameFor,
  NOTHING,
  release,
  TOO_MUCH,
  UNREADABLE,
  UNWRITABLE,
} from './core.ts';
import { type ChannelLeaves, leavesOf } from './leaves.ts';

/** Holds the whole answer, runs the whole hook over it at the end, and releases all or nothing (E8). */
export class BufferCore implements Core {
  readonly mode = 'buffer';
  readonly #context: CoreContext;
  readonly #runs: readonly PlannedRun[];
  readonly #held = new Map<StreamChannel, string[]>();
  #heldChars = 0;
  #entries: readonly Entry[] | null = null;
  /** The answer outgrew the buffer, and every guardrail lets that pass. */
  #open = false;

  constructor(context: CoreContext, runs: readonly PlannedRun[]) {
    this.#context = context;
    this.#runs = runs;
  }

  *push(channel: StreamChannel, text: string): Steps<CoreStep> {
    if (this.#open) return release(channel, text);
    const parts = this.#held.get(channel);
    if (parts === undefined) this.#held.set(channel, [text]);
    else parts.push(text);
    this.#heldChars += text.length;
    return this.#heldChars > this.#context.limits.maxHeldChars ? yield* this.overflow() : NOTHING;
  }

  // oxlint-disable-next-line require-yield -- the other kind of gate has something to wait for here
  *endChannel(): Steps<CoreStep> {
    return NOTHING;
  }

  *overflow(): Steps<CoreStep> {
    if (this.#open) return NOTHING;
    const step = yield* this.#judge(TOO_MUCH);
    this.#open = step.kind === 'release';
    return step;
  }

  *end(): Steps<CoreStep> {
    return this.#open ? NOTHING : yield* this.#judge(null);
  }

  *#judge(verdict: Inspection | null): Steps<CoreStep> {
    const channels: { channel: StreamChannel; text: string; leaves: ChannelLeaves; from: number }[] = [];
    const segments: Segment[] = [];
    let forced = verdict;
    for (const [channel, parts] of this.#held) {
      const text = parts.join('');
      const leaves = leavesOf(channel, text, this.#context.input.codec);
      if (leaves.unreadable) forced ??= UNREADABLE;
      channels.push({ channel, text, leaves, from: segments.length });
      segments.push(...leaves.segments);
    }
    const frame = frameFor(this.#context, this.#runs, segments, forced);
    const over = yield* settled(execute(frame, this.#runs));
    this.#entries = over.entries;
    if (over.block !== null) return { kind: 'block', block: over.block };
    if (over.respond !== null) {
      return { kind: 'respond', respond: over.respond, asBlock: this.#asBlock(over.respond) };
    }
    const edited = new Set(editedPlaces(segments, over.segments));
    const pieces: StreamPiece[] = [];
    for (const { channel, text, leaves, from } of channels) {
      const to = from + leaves.segments.length;
      let out: string | null = text;
      if ([...edited].some((place) => place >= from && place < to)) {
        out = leaves.textWith(over.segments.slice(from, to));
        if (out === null) {
          const block = this.#undeliverable();
          if (block !== null) return { kind: 'block', block };
          out = text;
        }
      }
      if (out !== '') pieces.push({ channel, text: out });
    }
    this.#held.clear();
    return { kind: 'release', pieces };
  }

  /** The last run that masked answers for a rewrite that cannot be written; null when it lets that pass (E1). */
  #undeliverable(): BlockDetails | null {
    const entries = [...(this.#entries ?? [])];
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry = entries[index];
      if (entry === undefined || entry.result.verdict !== 'mask') continue;
      if (entry.kind === 'pipeline') {
        const steps = entry.result.steps.map((step) =>
          step.result.verdict === 'mask'
            ? {
                ...step,
                result: { ...step.result, outcome: UNWRITABLE.outcome, verdict: 'block' as const },
              }
            : step,
        );
        entries[index] = { ...entry, result: { ...entry.result, steps, verdict: 'block' } };
        this.#entries = entries;
        const blamed = steps.find((step) => step.result.verdict === 'block');
        return blamed === undefined
          ? pipelineBlockDetails('post_call', entry.result.context)
          : blockDetails('post_call', blamed.result, entry.run.name, entry.result.context);
      }
      const now = settle(UNWRITABLE.outcome, entry.result.instance?.allowedErrors ?? new Set());
      const result = { ...entry.result, ...now };
      entries[index] = { ...entry, result };
      this.#entries = entries;
      return now.failedOpen ? null : blockDetails('post_call', result, policyOf(entry.run.demanded_by), null);
    }
    throw new Error('content changed, but no run changed it');
  }

  #asBlock(respond: RespondDetails): BlockDetails {
    const base = {
      guardrail_name: respond.guardrail_name,
      guardrail_mode: 'post_call' as const,
      policy: null,
    };
    return {
      type: 'guardrail_violation',
      message: respond.message,
      ...base,
      provider_specific_fields: base,
    };
  }

  records(): readonly (readonly RunRecord[])[] {
    const frame = frameFor(this.#context, this.#runs, [], null);
    const entries =
      this.#entries ?? this.#runs.map((run) => skippedEntry(frame, run, [], 'the stream broke off'));
    return entries.map((entry) => recordsOf(frame, [entry]));
  }
}
