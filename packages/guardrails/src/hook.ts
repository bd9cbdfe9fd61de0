import type {
  ContentKind,
  Hook,
  PlannedRun,
  RunRecord,
  Segment,
  Unscanned,
  Verdict,
} from '@portcullis/policy';
import type { RequestFacts } from './guardrail.ts';
import type { Restorer } from './restore/restorer.ts';

/** A value, or the promise of one. Hooks answer without a promise as long as every detector does. */
export type MaybePromise<T> = T | Promise<T>;

/** What the `unscanned` settings outside the guardrails say (E9). A guardrail's own setting wins over both. */
export interface UnscannedDefaults {
  /** By `policy_id`, only policies that set it. Of several that demand one run, `block` wins. */
  readonly policies: ReadonlyMap<string, Unscanned>;
  readonly global: Unscanned | null;
}

/** One hook of one request. */
export interface HookInput {
  readonly hook: Hook;
  readonly direction: 'request' | 'response';
  /** All planned runs of the hook in plan order (C5), monitored ones included. */
  readonly runs: readonly PlannedRun[];
  /** The content now. Never changed: edits give a new list. */
  readonly segments: readonly Segment[];
  /** The hook's content as it came in, place for place the same leaves as `segments` (C5). Usually the same list. */
  readonly original: readonly Segment[];
  readonly facts: RequestFacts;
  /** Aborted when the caller is gone. Runs that wait then end as `undeliverable` and the hook as a block. */
  readonly signal: AbortSignal;
  /** Milliseconds this hook may wait for remote detectors altogether. */
  readonly budgetMs: number;
  readonly unscanned: UnscannedDefaults;
  /**
   * Whether a leaf that is no plain string can hold the new text (E1 `undeliverable`). Without it: a number leaf takes
   * the text of a number, a key leaf nothing.
   */
  readonly canReplace?: (segment: Segment, text: string) => boolean;
}

/** One step of a pipeline in a caller's error body and in the answer of a test run. */
export interface PipelineStepResult {
  readonly guardrail_name: string;
  readonly outcome: 'pass' | 'fail' | 'error' | 'skip';
  readonly action_taken: string;
  readonly error_detail: string | null;
  readonly duration_seconds: number;
}

export interface PipelineContext {
  readonly policy: string;
  readonly step_results: readonly PipelineStepResult[];
}

/** What a caller is told of a block, in no dialect (E7). */
export interface BlockDetails {
  readonly type: 'guardrail_violation' | 'guardrail_error' | 'guardrail_pipeline_error';
  readonly message: string;
  /** Null for a pipeline that blocks without a step that does. */
  readonly guardrail_name: string | null;
  readonly guardrail_mode: Hook;
  /** The policy through which the run was demanded, if any. */
  readonly policy: string | null;
  /** Holds `guardrail_name`, `guardrail_mode`, `policy`, and the detector's or the error's own fields. */
  readonly provider_specific_fields: Readonly<Record<string, unknown>>;
  readonly pipeline_context?: PipelineContext;
}

/** A soft block: the message is the assistant's answer (E7). */
export interface RespondDetails {
  readonly message: string;
  readonly guardrail_name: string;
}

/** What a hook came to. Exactly one of `block` and `respond` is set when the verdict says so. */
export interface HookResult {
  readonly verdict: Verdict;
  /** The content after all edits; the very list that came in when nothing changed. Not to be used after a block. */
  readonly segments: readonly Segment[];
  /** Indices into `segments` whose text differs from the `segments` that came in, ascending. */
  readonly edited: readonly number[];
  readonly block: BlockDetails | null;
  readonly respond: RespondDetails | null;
  /** One record for every enforced guardrail and every step of every enforced pipeline, in plan order (E2). */
  readonly records: readonly RunRecord[];
  /** Enforced guardrails with outcome clean, masked or flagged, in plan order, each once (E3). */
  readonly applied: readonly string[];
  /** Puts values back that this hook masked for it; null when there is none. */
  readonly restorer: Restorer | null;
}

/** Part of an answer that grows by itself: a choice's content, reasoning, refusal, or the arguments of one tool call (E8). */
export interface StreamChannel {
  /** Unique in the stream. */
  readonly key: string;
  readonly kind: ContentKind;
  readonly role: string | null;
  readonly choice: number;
  /** Where the text would be in the whole answer, as a JSON pointer; `/<key>` without it. */
  readonly path?: string;
  /** Channels with the same number are adjacent text parts of one message (see {@link Segment.join}). */
  readonly join?: number;
}

export interface StreamPiece {
  readonly channel: StreamChannel;
  readonly text: string;
}

/**
 * What a step of a stream gives. `release`: these pieces may be sent, in this order. The others end the whole stream:
 * nothing that is still held is sent, and every later call answers the same.
 */
export type StreamStep =
  | { readonly kind: 'release'; readonly pieces: readonly StreamPiece[] }
  | { readonly kind: 'block'; readonly block: BlockDetails }
  | { readonly kind: 'respond'; readonly respond: RespondDetails };

export interface StreamLimits {
  /** UTF-16 code units that may be held back over all channels (E8); beyond it the runs are `too_complex`. */
  readonly maxHeldChars: number;
  readonly maxChannels: number;
}

/** How a dialect takes the arguments of a tool call apart and puts them together again. */
export interface ArgumentsCodec {
  /** The leaves of a complete argument text. A throw makes the run `too_complex`. */
  readonly splitArguments: (text: string, channel: StreamChannel) => readonly Segment[];
  /** The text with its leaves replaced (same leaves, same order), or null when that cannot be written. */
  readonly joinArguments: (text: string, leaves: readonly Segment[]) => string | null;
}

/** The post_call hook of one stream. */
export interface StreamInput {
  /** All planned runs of the hook in plan order, monitored ones included. */
  readonly runs: readonly PlannedRun[];
  readonly facts: RequestFacts;
  readonly signal: AbortSignal;
  /** Milliseconds the checks at the stream's end may wait for remote detectors altogether. */
  readonly budgetMs: number;
  readonly unscanned: UnscannedDefaults;
  readonly limits?: Partial<StreamLimits>;
  /** Without it the arguments of a tool call are one leaf. */
  readonly codec?: ArgumentsCodec;
}

/** The outcome of a stream: as in {@link HookResult}, monitored and audited runs included in `records`. */
export interface StreamReport {
  readonly records: readonly RunRecord[];
  readonly applied: readonly string[];
}

/**
 * The gate every byte of a streamed answer passes. Calls must not overlap: await a promise before the next call.
 */
export interface StreamGate {
  /** `window` releases what is certain as it comes, `buffer` everything at the end. */
  readonly mode: 'window' | 'buffer';
  /** Enforced post_call guardrails that watch this stream, in plan order: for the headers at its start (E3). */
  readonly armed: readonly string[];
  /** The next text of a channel; a channel is opened by its first push. */
  push(channel: StreamChannel, text: string): MaybePromise<StreamStep>;
  /** The channel is complete. Does nothing for a channel without text. */
  endChannel(key: string): MaybePromise<StreamStep>;
  /** The answer is complete: ends all channels and gives the last pieces. */
  end(): MaybePromise<StreamStep>;
  /**
   * The report, once, after `end`, a block, or a broken stream (whose runs are recorded as far as they got). A promise
   * when monitored or audited runs are still to be done; never needed before the last byte is sent.
   */
  finish(): MaybePromise<StreamReport>;
}
