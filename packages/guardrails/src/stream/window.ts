import type { RunRecord } from '@portcullis/policy';
import { blockDetails, policyOf } from '../details.ts';
import { editedPlaces, execute, respondDetails } from '../execute.ts';
import type { Inspection } from '../guardrail.ts';
import type { StreamChannel, StreamPiece } from '../hook.ts';
import { settled, type Steps } from '../maybe.ts';
import { recordOf } from '../record.ts';
import { settle } from '../settle.ts';
import { notInScan } from '../view.ts';
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
import { JoinedParts } from './joined.ts';
import { leavesOf, pathOf } from './leaves.ts';
import { Stage } from './stage.ts';
import { openScanner, type Watch } from './watch.ts';

/** Releases what is certain as it comes (E8). */
export class WindowCore implements Core {
  readonly mode = 'window';
  readonly #context: CoreContext;
  readonly #watches: readonly Watch[];
  readonly #channels = new Map<StreamChannel, WindowChannel>();
  /** Complete texts to be: the arguments of tool calls. */
  readonly #collected = new Map<StreamChannel, string[]>();
  readonly #joined = new Map<number, JoinedParts>();
  #heldChars = 0;
  #open = false;

  constructor(context: CoreContext, watches: readonly Watch[]) {
    this.#context = context;
    this.#watches = watches;
  }

  *push(channel: StreamChannel, text: string): Steps<CoreStep> {
    if (this.#open || this.#watches.length === 0) return release(channel, text);
    if (text === '') return NOTHING;
    if (channel.kind === 'tool_args') {
      const parts = this.#collected.get(channel);
      if (parts === undefined) this.#collected.set(channel, [text]);
      else parts.push(text);
      this.#heldChars += text.length;
      return this.#heldChars > this.#context.limits.maxHeldChars ? yield* this.overflow() : NOTHING;
    }
    return yield* this.#scan(channel, text, false);
  }

  *endChannel(channel: StreamChannel): Steps<CoreStep> {
    if (this.#open || this.#watches.length === 0) return NOTHING;
    const parts = this.#collected.get(channel);
    if (parts !== undefined) return yield* this.#judge(channel, parts.join(''));
    return this.#channels.has(channel) ? yield* this.#scan(channel, '', true) : NOTHING;
  }

  // oxlint-disable-next-line require-yield -- the other kind of gate has something to wait for here
  *end(): Steps<CoreStep> {
    const stopped: Watch[] = [];
    for (const parts of this.#joined.values()) stopped.push(...parts.end());
    return this.#stop(stopped) ?? NOTHING;
  }

  /** Too much is held: every run answers for it, and either all let it pass or the stream ends (E8). */
  // oxlint-disable-next-line require-yield -- the other kind of gate has something to wait for here
  *overflow(): Steps<CoreStep> {
    for (const watch of this.#watches) watch.fail(TOO_MUCH.outcome);
    const step = this.#stop(this.#watches.filter(blocks));
    if (step !== null) return step;
    this.#open = true;
    const pieces: StreamPiece[] = [];
    for (const [channel, state] of this.#channels) pieces.push({ channel, text: state.flush() });
    for (const [channel, parts] of this.#collected) pieces.push({ channel, text: parts.join('') });
    return { kind: 'release', pieces: pieces.filter((piece) => piece.text !== '') };
  }

  *#scan(channel: StreamChannel, text: string, done: boolean): Steps<CoreStep> {
    let state = this.#channels.get(channel);
    if (state === undefined) {
      const refused = this.#leftOut(channel);
      if (refused !== null) return refused;
      state = new WindowChannel(channel, this.#watching(channel), this.#joinedParts(channel), () =>
        this.#context.ports.clock.monotonic(),
      );
      this.#channels.set(channel, state);
    }
    const before = state.heldChars;
    const { text: out, stopped } = state.push(text, done);
    this.#heldChars += state.heldChars - before;
    const step = this.#stop(stopped);
    if (step !== null) return step;
    if (this.#heldChars > this.#context.limits.maxHeldChars) {
      const flushed = yield* this.overflow();
      if (flushed.kind !== 'release') return flushed;
      return {
        kind: 'release',
        pieces: out === '' ? flushed.pieces : [{ channel, text: out }, ...flushed.pieces],
      };
    }
    return release(channel, out);
  }

  /** The arguments of a tool call, complete: their leaves go through the runs like a whole answer. */
  *#judge(channel: StreamChannel, text: string): Steps<CoreStep> {
    this.#collected.delete(channel);
    this.#heldChars -= text.length;
    const leaves = leavesOf(channel, text, this.#context.input.codec);
    if (leaves.segments.every((leaf) => leaf.text === '')) return release(channel, text);
    const forced: Inspection | null = leaves.unreadable ? UNREADABLE : null;
    const runs = this.#watches.map((watch) => watch.run);
    const frame = frameFor(this.#context, runs, leaves.segments, forced);
    const over = yield* settled(execute(frame, runs));
    let masked: Watch | undefined;
    for (const [index, entry] of over.entries.entries()) {
      if (entry.kind !== 'guardrail') continue;
      this.#watches[index]?.takeResult(entry.result);
      if (entry.result.verdict === 'mask') masked = this.#watches[index];
    }
    if (over.block !== null) return { kind: 'block', block: over.block };
    const responding = this.#watches.filter((_, index) => over.entries[index]?.result.verdict === 'respond');
    const step = this.#stop(responding);
    if (step !== null) return step;
    if (editedPlaces(leaves.segments, over.segments).length === 0) return release(channel, text);
    const out = leaves.textWith(over.segments);
    if (out !== null) return release(channel, out);
    if (masked === undefined) throw new Error('content changed, but no run changed it');
    // The last run that masked answers for a rewrite that cannot be written (E1).
    masked.fail(UNWRITABLE.outcome);
    const { failedOpen } = settle(UNWRITABLE.outcome, masked.instance.allowedErrors);
    return failedOpen ? release(channel, text) : (this.#stop([masked]) ?? NOTHING);
  }

  /** Notes the runs that do not look at this kind; a step when one of them refuses such content (E9). */
  #leftOut(channel: StreamChannel): CoreStep | null {
    const refusing: Watch[] = [];
    for (const watch of this.#watches) {
      if (watch.instance.scan.has(channel.kind)) continue;
      const at = { kind: channel.kind, path: pathOf(channel) };
      const item = notInScan(watch.instance, watch.run.demanded_by, this.#context.input.unscanned, at);
      watch.addUnscanned(item);
      if (item.setting === 'block') refusing.push(watch);
    }
    return this.#stop(refusing);
  }

  #watching(channel: StreamChannel): readonly Watch[] {
    return this.#watches.filter((watch) => watch.instance.scan.has(channel.kind));
  }

  #joinedParts(channel: StreamChannel): JoinedParts | null {
    if (channel.join === undefined) return null;
    let parts = this.#joined.get(channel.join);
    if (parts === undefined) {
      parts = new JoinedParts();
      this.#joined.set(channel.join, parts);
    }
    return parts;
  }

  /** The step for runs that let nothing more pass: the first block in plan order, else a soft block. */
  #stop(stopped: readonly Watch[]): CoreStep | null {
    if (stopped.length === 0) return null;
    const inOrder = this.#watches.filter((watch) => stopped.includes(watch));
    const blocking = inOrder.find(blocks);
    if (blocking !== undefined) return { kind: 'block', block: blockOf(blocking) };
    const [first] = inOrder;
    if (first === undefined) return null;
    return { kind: 'withhold', respond: respondDetails(first.result()), asBlock: blockOf(first) };
  }

  records(ended: boolean): readonly (readonly RunRecord[])[] {
    return this.#watches.map((watch) => {
      const { run } = watch;
      const context = {
        hook: 'post_call' as const,
        enforcement: run.enforcement,
        demandedBy: run.demanded_by,
        pipeline: null,
      };
      const result = watch.result();
      const untouched = !ended && !watch.looked && result.outcome.outcome === 'clean';
      const outcome = { outcome: 'not_run', reason: 'the stream broke off' } as const;
      return [recordOf(context, untouched ? { ...result, outcome } : result)];
    });
  }
}

const blocks = (watch: Watch): boolean => watch.result().verdict === 'block';

const blockOf = (watch: Watch) =>
  blockDetails('post_call', watch.result(), policyOf(watch.run.demanded_by), null);

/**
 * One channel in two stages. First everything that only has to look, at the text as it came; what all of them have
 * passed goes through the chain of the first masking run and those after it, each seeing what the one before it made of
 * the text (C5). Runs after the first masking one are in both: they see the original and the changed text.
 */
class WindowChannel {
  readonly #look: readonly Stage[];
  readonly #chain: readonly Stage[];
  readonly #joined: JoinedParts | null;
  readonly #partStart: number;
  readonly #watches: readonly Watch[];
  readonly #channel: StreamChannel;
  /** Text not passed by the first stage yet, from the offset `#base` of the channel. */
  #waiting = '';
  #base = 0;
  /** Half a surrogate pair, which no encoder may see alone. */
  #half = '';

  constructor(
    channel: StreamChannel,
    watches: readonly Watch[],
    joined: JoinedParts | null,
    monotonic: () => number,
  ) {
    const partStart = joined?.beginPart() ?? 0;
    const masking = watches.findIndex((watch) => watch.instance.facts.masks);
    const chainFrom = masking === -1 ? watches.length : masking;
    // Exactly one stage of each masking run works on the text as it came: that one tells what it masks there.
    const stage = (watch: Watch, side: 'current' | 'original', tells: boolean) =>
      new Stage(watch, {
        path: pathOf(channel),
        side,
        open: () => openScanner(watch, channel),
        monotonic,
        onMasked: joined === null || !tells ? null : (rewrites) => joined.note(watch, rewrites, partStart),
      });
    this.#look = watches.flatMap((watch, index) =>
      index === chainFrom ? [] : [stage(watch, index < chainFrom ? 'current' : 'original', true)],
    );
    this.#chain = watches.slice(chainFrom).map((watch, index) => stage(watch, 'current', index === 0));
    this.#watches = watches;
    this.#channel = channel;
    this.#joined = joined;
    this.#partStart = partStart;
  }

  get heldChars(): number {
    let held = this.#waiting.length;
    for (const stage of this.#chain) held += stage.heldChars;
    return held;
  }

  push(text: string, done: boolean): { readonly text: string; readonly stopped: readonly Watch[] } {
    const stopped: Watch[] = [];
    this.#waiting += text;
    let gate = this.#base + this.#waiting.length;
    for (const stage of this.#look) {
      if (stage.push(text, done).stopped) stopped.push(stage.watch);
      gate = Math.min(gate, stage.certainUpTo);
    }
    if (this.#joined !== null) {
      const joint = this.#joined.push(text, this.#watches, this.#channel);
      stopped.push(...joint.stopped);
      // A part that has ended cannot wait for the next one.
      if (!done) gate = Math.min(gate, Math.max(this.#base, joint.certainUpTo - this.#partStart));
    }
    if (stopped.length > 0) return { text: '', stopped };
    let out = this.#waiting.slice(0, gate - this.#base);
    this.#waiting = this.#waiting.slice(gate - this.#base);
    this.#base = gate;
    for (const stage of this.#chain) {
      const next = stage.push(out, done);
      if (next.stopped) return { text: '', stopped: [stage.watch] };
      out = next.text;
    }
    const uncovered = this.#uncovered();
    return uncovered.length > 0
      ? { text: '', stopped: uncovered }
      : { text: this.#whole(out, done), stopped };
  }

  /** The runs that would have masked more, had they seen the adjacent parts as one text. */
  #uncovered(): readonly Watch[] {
    const joined = this.#joined;
    if (joined === null) return [];
    const [first] = this.#chain;
    return this.#watches.filter((watch) => {
      const upTo = watch === first?.watch ? first.certainUpTo : this.#base;
      return !joined.covers(watch, this.#partStart + upTo);
    });
  }

  /** Everything that is still held, as it is: only for a stream whose guardrails let errors pass. */
  flush(): string {
    let out = '';
    for (const stage of this.#chain.toReversed()) out += stage.overflow().text;
    return this.#half + out + this.#waiting;
  }

  #whole(text: string, done: boolean): string {
    const all = this.#half + text;
    const last = all.charCodeAt(all.length - 1);
    if (done || !(last >= 0xd800 && last <= 0xdbff)) {
      this.#half = '';
      return all;
    }
    this.#half = all.slice(-1);
    return all.slice(0, -1);
  }
}
