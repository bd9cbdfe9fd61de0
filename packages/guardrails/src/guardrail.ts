import type {
  CommonParams,
  ContentKind,
  DetectorFacts,
  Edit,
  Hook,
  Outcome,
  Segment,
} from '@portcullis/policy';
import type { z } from 'zod';

/** What a detector may reach outside itself. Handed in, so that tests and the scan command choose what is real. */
export interface Ports {
  /** Milliseconds since the epoch, and a monotonic clock in milliseconds. */
  readonly clock: { now(): number; monotonic(): number };
  /** Outbound HTTP with the product's connection pool and address rules (private addresses refused unless allowed). */
  readonly http: HttpPort;
  /** The gateway's own models. Absent where there are none, as when a configuration is only checked. */
  readonly models?: ModelPort;
  /** A keyed hash of matched text for the record, so that equal values can be told apart without being stored. */
  readonly hash: (text: string) => string;
}

/** Asks models of the gateway. No guardrail runs on such a question or its answer, so that none leads to another. */
export interface ModelPort {
  /**
   * Puts one question whose answer is the arguments of one tool.
   * @throws HttpFailure when there is no answer in that form
   */
  ask(question: {
    /** Null for the first configured one. */
    readonly model: string | null;
    readonly system: string;
    readonly user: string;
    readonly temperature: number;
    /** `parameters` is a JSON schema. */
    readonly tool: {
      readonly name: string;
      readonly description: string;
      readonly parameters: Readonly<Record<string, unknown>>;
    };
    /** Whose budgets pay for it, as in {@link RequestFacts.accounts}. */
    readonly accounts: readonly string[];
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<{
    /** Parsed, not checked. */
    readonly value: unknown;
    readonly model: string;
    readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
    /** Billionths of a dollar; 0 for a model without a price. */
    readonly costNano: number;
  }>;
}

export interface HttpPort {
  /**
   * Sends a request and reads the whole answer, at most `maxBytes` of it.
   * @throws HttpFailure with the class `unreachable` (network, timeout) or `fault` (answer too large).
   */
  send(request: {
    readonly method: 'GET' | 'POST';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
    readonly timeoutMs: number;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
  }): Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }>;
}

/** A failed outbound call. The runner turns it into the outcome `error` of this class (E1). */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly errorClass: 'unreachable' | 'fault';
  constructor(errorClass: 'unreachable' | 'fault', reason: string) {
    super(reason);
    this.errorClass = errorClass;
  }
}

/** What a detector looks at in one hook of one request. */
export interface Subject {
  readonly hook: Hook;
  readonly direction: 'request' | 'response';
  /** The segments it is to scan (its `scan` list applied), as changed by the runs before it. */
  readonly segments: readonly Segment[];
  /** The same segments as they came in, before any run of the hook (C5). */
  readonly original: readonly Segment[];
  /** Facts for detectors that report to a service. Identity comes from authentication alone. */
  readonly request: RequestFacts;
  /** The caller's allow-listed parameters of this run, or null (O5). */
  readonly params: Readonly<Record<string, unknown>> | null;
}

export interface RequestFacts {
  readonly callId: string;
  /** Groups the calls of one conversation, when the caller gave one. */
  readonly traceId?: string | null;
  readonly model: string | null;
  readonly keyHash: string | null;
  readonly keyAlias: string | null;
  readonly userId: string | null;
  readonly userEmail: string | null;
  readonly teamId: string | null;
  readonly teamAlias: string | null;
  readonly endUserId: string | null;
  readonly organizationId: string | null;
  /** The accounts of key, team and user that pay for what a guardrail asks of a model. Absent: none. */
  readonly accounts?: readonly string[];
  /** Client headers, lower case; credentials removed. */
  readonly headers: Readonly<Record<string, string>>;
  /** The dialect's own request or answer value, for services that want structured messages, tools, tool calls. */
  readonly body: unknown;
}

/** One thing found. Never holds the matched text: kind, place and a keyed hash only. */
export interface Detection {
  /** What was found, for example `email`, `blocked_word`, a category's name. */
  readonly type: string;
  /** Index into `Subject.segments` and UTF-16 offsets in its text; null when a service gave no place. */
  readonly span: { readonly segment: number; readonly start: number; readonly end: number } | null;
  readonly action: 'BLOCK' | 'MASK' | 'LOG';
  readonly method: 'regex' | 'keyword' | 'model' | 'service' | 'rule';
  readonly score: number | null;
  readonly category: string | null;
  readonly severity: 'low' | 'medium' | 'high' | null;
  readonly hash: string | null;
}

/** The answer of one `inspect`. `edits` do not overlap and are ordered by segment, then start. */
export interface Inspection {
  readonly outcome: Exclude<Outcome, { outcome: 'not_run' }>;
  readonly edits: readonly Edit[];
  readonly detections: readonly Detection[];
  /** Segments (by index) that could not be read, with the reason; the runner applies the `unscanned` setting (E9). */
  readonly unread: readonly { readonly segment: number; readonly reason: string }[];
  /** Further fields of the trace record; never matched text. */
  readonly trace: {
    readonly confidence_score?: number;
    readonly risk_score?: number;
    /** A judge's classes, such as `{"toxicity": 0.9}`. */
    readonly classification?: Readonly<Record<string, unknown>>;
    readonly patterns_checked?: number;
    readonly guardrail_response?: unknown;
    /** Further fields of the caller's error body; unlike the rest they never reach the record. */
    readonly provider_fields?: Readonly<Record<string, unknown>>;
    /** What the record says instead of the outcome's message, when a service wrote that message and may quote content. */
    readonly reason?: string;
  };
}

/**
 * A detector made for one configuration. It says what it found and never decides what that means, and it holds no state
 * of a request: any number of calls run at once.
 */
export interface Detector {
  /**
   * Scans the subject. Local detectors answer synchronously (no promise), remote ones obey `signal`.
   * A throw becomes the outcome `error` of class `fault`, or of the class of an {@link HttpFailure}.
   */
  inspect(subject: Subject, signal: AbortSignal): Inspection | Promise<Inspection>;
  /**
   * Opens an incremental scan of one output channel, for streams in `window` mode. Absent: streams are buffered.
   */
  readonly openChannel?: (kind: ContentKind, role: string | null) => ChannelScanner;
  /** False when it would fail now without asking: of several guardrails of one name another one is taken. Absent: true. */
  readonly available?: () => boolean;
  /** Frees what garbage collection cannot, such as WebAssembly memory. */
  readonly dispose?: () => void;
}

/**
 * Scans one growing text without looking at any part twice for ever: bounded memory, any chunking gives the same spans.
 */
export interface ChannelScanner {
  /**
   * Takes the next piece of the channel. `done` marks the last one (the text may be empty then).
   * Returns what has become certain: text up to `certainUpTo` (absolute UTF-16 offset from the channel's start) can be
   * released after applying `edits` (absolute offsets, no overlap, in order, all ending at or before `certainUpTo`);
   * a `block` or `respond` stops the stream before `certainUpTo`.
   */
  push(text: string, done: boolean): ChannelProgress;
}

export interface ChannelProgress {
  readonly certainUpTo: number;
  readonly edits: readonly { readonly start: number; readonly end: number; readonly replacement: string }[];
  readonly detections: readonly Detection[];
  readonly outcome: Exclude<Outcome, { outcome: 'not_run' }>;
  /** As in {@link Inspection.trace}, for the text so far; the last one counts. Absent: nothing new. */
  readonly trace?: Inspection['trace'];
}

/** A kind of guardrail, by the provider id written in `litellm_params.guardrail`. */
export interface DetectorDefinition<Config extends CommonParams = CommonParams> {
  /** Provider ids it answers to, the canonical one first. */
  readonly ids: readonly [string, ...string[]];
  readonly title: string;
  /** Strict schema of the whole `litellm_params`; unknown keys are errors. */
  readonly configSchema: z.ZodType<Config>;
  /** What the engine needs to know to refuse configurations that cannot be kept. */
  facts(config: Config): DetectorFacts;
  /** Content kinds it can read. */
  reads(config: Config): ReadonlySet<ContentKind>;
  /**
   * What a verdict depends on besides the configuration. `segment`: on the text, kind and role of one segment and those
   * joined with it alone, so that the answer for many is that of each, in their order; such a detector is asked piece by
   * piece, and verdicts are kept (E6). `subject`: on all segments together. `false`: on something else.
   */
  readonly deterministic: 'segment' | 'subject' | false;
  /**
   * Digest of the data that `create` reads besides the configuration, such as files; the empty string for none. Null or
   * absent: nobody can say, and kept verdicts do not outlive the detector.
   */
  dataDigest?(config: Config): string | null;
  /**
   * Asks something outside the process. Its runs get a signal of their own that the timeout aborts, and are not started
   * when the time budget is used up; everything else always runs. Absent: local.
   */
  readonly remote?: boolean;
  /** Default time for one run in milliseconds when `timeout` is not set. */
  readonly timeoutMs: number;
  /**
   * Compiles a configuration. Never touches the network. `name` is the guardrail's, for what a caller is told.
   * @throws ConfigProblem for what a schema cannot see (a pattern that does not compile, a missing file).
   */
  create(config: Config, ports: Ports, name?: string): Detector;
}

/** A configuration that parses and still cannot work. `path` is relative to `litellm_params`. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
  readonly path: readonly (string | number)[];
  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.path = path;
  }
}
