import type { PlannedRun, RunRecord } from '@portcullis/policy';
import { type Frame, makeFrame } from '../frame.ts';
import type { Inspection, Ports } from '../guardrail.ts';
import type {
  BlockDetails,
  HookInput,
  RespondDetails,
  StreamChannel,
  StreamInput,
  StreamLimits,
  StreamPiece,
} from '../hook.ts';
import { failed } from '../inspect.ts';
import type { Groups } from '../instance.ts';
import type { Steps } from '../maybe.ts';

/** What both kinds of gate work with. */
export interface CoreContext {
  readonly input: StreamInput;
  readonly limits: StreamLimits;
  readonly groups: Groups;
  readonly ports: Ports;
}

/** What a step of a gate's inside gives. `withhold`: a soft block is due at the end unless something blocks. */
export type CoreStep =
  | { readonly kind: 'release'; readonly pieces: readonly StreamPiece[] }
  | { readonly kind: 'block'; readonly block: BlockDetails }
  | { readonly kind: 'respond'; readonly respond: RespondDetails; readonly asBlock: BlockDetails }
  | { readonly kind: 'withhold'; readonly respond: RespondDetails; readonly asBlock: BlockDetails };

/** The inside of a gate. Channels are known to it from their first push; it is told of each end once. */
export interface Core {
  readonly mode: 'window' | 'buffer';
  push(channel: StreamChannel, text: string): Steps<CoreStep>;
  endChannel(channel: StreamChannel): Steps<CoreStep>;
  end(): Steps<CoreStep>;
  /** There are more channels than anybody may ask us to hold. */
  overflow(): Steps<CoreStep>;
  /** The records of its runs, one list for each run in plan order. */
  records(ended: boolean): readonly (readonly RunRecord[])[];
}

export const NOTHING: CoreStep = { kind: 'release', pieces: [] };

export const release = (channel: StreamChannel, text: string): CoreStep =>
  text === '' ? NOTHING : { kind: 'release', pieces: [{ channel, text }] };

export const TOO_MUCH = failed('too_complex', 'the answer is too large to be held back');
export const UNREADABLE = failed('too_complex', 'the arguments of a tool call could not be taken apart');
export const UNWRITABLE = failed('undeliverable', 'the masked arguments of a tool call cannot be written');

/** A hook over a piece of the answer. */
export function frameFor(
  context: CoreContext,
  runs: readonly PlannedRun[],
  segments: HookInput['segments'],
  forced: Inspection | null,
): Frame {
  return makeFrame(hookInput(context.input, runs, segments), context.groups, context.ports, { forced });
}

export function hookInput(
  input: StreamInput,
  runs: readonly PlannedRun[],
  segments: HookInput['segments'],
): HookInput {
  const { facts, signal, budgetMs, unscanned } = input;
  return {
    hook: 'post_call',
    direction: 'response',
    runs,
    segments,
    original: segments,
    facts,
    signal,
    budgetMs,
    unscanned,
  };
}
