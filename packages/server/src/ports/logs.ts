import type { AppliedPolicy, RunRecord } from '@portcullis/policy';
import type { RequestSummary } from './records.ts';

/**
 * What guardrails did to one request, strongest first. A run that did not happen is no pass (D-62): `not_run` means that
 * nothing looked, `none` (requests only) that nothing was planned to look.
 */
export const ACTIONS = ['blocked', 'error', 'masked', 'flagged', 'passed', 'not_run'] as const;
export type Action = (typeof ACTIONS)[number];
export type RequestAction = Action | 'none';

/**
 * Upper bounds of the latency histogram in milliseconds, each exclusive; one more bucket holds what is longer. A quantile
 * is exact to the width of its bucket.
 */
export const LATENCY_BOUNDS_MS = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

/** Prompt and answer of one request, as they went on after masking. Exists only where storing them was asked for. */
export interface RequestContent {
  readonly messages: unknown;
  /** The leaves of the answer. */
  readonly answer: readonly { readonly path: string; readonly text: string }[];
  /** Why there is neither although they were asked for. */
  readonly withheld: string | null;
  /** About how much memory it holds, for the limit of the queue. */
  readonly bytes: number;
}

/** What the store keeps of a request beside its record. None of it is part of a log line. */
export interface RequestDetails {
  /** SHA-256 of the key; null for the master key and for callers that are not known. */
  readonly keyHash: string | null;
  readonly organizationId: string | null;
  /** The caller's `user` field. */
  readonly endUser: string | null;
  /** Tags of key and team; the caller's own are in the record. */
  readonly tags: readonly string[];
  /** As the reference calls it: `acompletion`, and so on. */
  readonly callType: string;
  readonly provider: string | null;
  /** What it cost, in dollars; absent when nobody knows, because the model has no price. */
  readonly spend?: number;
  readonly content: RequestContent | null;
}

/** A finished request, with all of its runs. `text` is the whole record as JSON, which telemetry makes anyway. */
export interface LoggedRequest {
  readonly summary: RequestSummary;
  readonly policies: readonly AppliedPolicy[];
  readonly runs: readonly RunRecord[];
  readonly text: string;
  readonly details: RequestDetails;
}

/** Where finished requests go to be kept. */
export interface LogSink {
  /** Takes a request over. Costs the request a microsecond or two: never waits, never throws. */
  write(request: LoggedRequest): void;
}

/**
 * Why a record is not in the store.
 * - `queue_full`: the database was away or too slow for longer than the queue has room.
 * - `too_large`: the record alone is larger than any honest one.
 * - `refused`: the database refuses this record whenever it is tried.
 * - `closed`: it came after the end, or could not be written before it.
 */
export type DropReason = 'queue_full' | 'too_large' | 'refused' | 'closed';

/** For readiness and metrics. `accepted` = `written` + all of `dropped` + `queued`, always (E2). */
export interface LogSinkStatus {
  readonly accepted: number;
  readonly written: number;
  readonly queued: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Why the newest attempt to write failed; null when it succeeded. */
  readonly problem: string | null;
}

/** What the log store has to tell about itself; telemetry makes log lines and metrics of it. */
export type LogStoreEvent =
  | { readonly kind: 'written'; readonly records: number; readonly durationMs: number }
  | { readonly kind: 'dropped'; readonly reason: DropReason; readonly records: number }
  /** Said once until it works again. */
  | { readonly kind: 'write_failed'; readonly reason: string; readonly queued: number }
  | { readonly kind: 'write_recovered'; readonly queued: number }
  | { readonly kind: 'expired'; readonly records: number; readonly durationMs: number }
  | { readonly kind: 'expiry_failed'; readonly reason: string };

export type LogStoreEvents = (event: LogStoreEvent) => void;

/** Whose requests a caller may see: of this key, this user or these teams. Null stands for everybody's. */
export interface LogScope {
  readonly keyHash: string | null;
  readonly userId: string | null;
  readonly teamIds: readonly string[];
}

/** What everything is counted for: a guardrail by its name, a policy by the id of its version. */
export interface Subject {
  readonly kind: 'guardrail' | 'policy';
  readonly id: string;
}

export interface LogFilter {
  readonly scope: LogScope | null;
  /** Milliseconds since the epoch; `from` included, `to` not. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** A whole request id or the beginning of one. */
  readonly requestId?: string;
  readonly keyHash?: string;
  readonly keyAlias?: string;
  readonly userId?: string;
  readonly teamId?: string;
  /** The requested name or the model group. */
  readonly model?: string;
  readonly endUser?: string;
  readonly tag?: string;
  readonly status?: 'success' | 'failure';
  readonly errorCode?: string;
  readonly guardrail?: string;
  /** A policy's name, which means all of its versions, or the id of one version. */
  readonly policy?: string;
  /** What the named guardrail or policy did; without one of them, what became of the request. */
  readonly action?: RequestAction;
}

export interface LogPage {
  readonly filter: LogFilter;
  readonly sortBy: 'startTime' | 'endTime' | 'spend' | 'total_tokens' | 'request_duration_ms';
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** One request as it is stored. */
export interface StoredRequest {
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly callType: string;
  readonly status: 'success' | 'failure';
  readonly action: RequestAction;
  readonly errorCode: string | null;
  readonly teamId: string | null;
  readonly keyHash: string | null;
  readonly keyAlias: string | null;
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly endUser: string | null;
  readonly model: string | null;
  readonly modelGroup: string | null;
  readonly provider: string | null;
  readonly tags: readonly string[];
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly totalTokens: number | null;
  readonly spend: number;
  /** False as long as nobody worked the cost out: a spend of 0 then means "unknown". */
  readonly costKnown: boolean;
  /** The whole record (ports/records.ts), as JSON. */
  readonly record: Readonly<Record<string, unknown>>;
}

/** Stored prompt and answer; `withheld` says why they are not there although storing was asked for. */
export interface StoredContent {
  readonly messages: unknown;
  readonly response: unknown;
  readonly withheld: string | null;
}

/** What one guardrail or policy version did to one request. */
export interface StoredDecision {
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly action: Action;
  readonly score: number | null;
  readonly latencyMs: number | null;
  readonly model: string | null;
  readonly reason: string | null;
  readonly inputSnippet: string | null;
  readonly outputSnippet: string | null;
}

/** The counts of one subject on one day (UTC). `evaluated` leaves out `notRun`, and is the sum of the five others. */
export interface DailyCounts {
  readonly subject: string;
  /** The name people know: of a policy version, the policy's. */
  readonly name: string;
  readonly version: number | null;
  readonly provider: string | null;
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly evaluated: number;
  readonly passed: number;
  readonly masked: number;
  readonly blocked: number;
  readonly flagged: number;
  readonly errors: number;
  readonly notRun: number;
  /** Requests that waited for it, how long in all, and by {@link LATENCY_BOUNDS_MS}. */
  readonly timed: number;
  readonly latencyMs: number;
  readonly buckets: readonly number[];
  readonly scored: number;
  readonly score: number;
}

/** The requests of one key, user and model on one day (UTC). */
export interface DailySpend {
  readonly day: string;
  readonly keyHash: string | null;
  readonly userId: string | null;
  readonly model: string | null;
  readonly requests: number;
  readonly totalTokens: number;
  readonly spend: number;
  readonly costKnown: boolean;
}

/** Questions about stored requests. */
export interface LogReader {
  list(page: LogPage): Promise<{ readonly rows: readonly StoredRequest[]; readonly total: number }>;
  find(requestId: string, scope: LogScope | null): Promise<StoredRequest | null>;
  /** Null when nothing was stored. */
  content(requestId: string): Promise<StoredContent | null>;
  /** Newest first. */
  decisions(page: {
    readonly subject: Subject;
    readonly action?: Action;
    readonly fromMs: number;
    readonly toMs: number;
    readonly scope: LogScope | null;
    readonly offset: number;
    readonly limit: number;
  }): Promise<{ readonly rows: readonly StoredDecision[]; readonly total: number }>;
  /** From the daily tables; for a scope, counted from the requests that it sees. Days in order. */
  dailyCounts(question: {
    readonly kind: Subject['kind'];
    readonly id?: string;
    /** YYYY-MM-DD, both included. */
    readonly fromDay: string;
    readonly toDay: string;
    readonly scope: LogScope | null;
  }): Promise<readonly DailyCounts[]>;
  dailySpend(filter: LogFilter): Promise<readonly DailySpend[]>;
}

/** Requests at rest: rows, their guardrail and policy decisions, and the daily counts, written together or not at all. */
export interface LogStore extends LogReader {
  /**
   * Writes in a transaction. A request that is already stored is left alone and counted nowhere again, so a batch whose
   * fate is unknown may be written once more. Answers how many were new.
   */
  append(batch: readonly LoggedRequest[]): Promise<number>;
  /** Deletes the oldest requests before a time, at most `limit`, with all that belongs to them. The daily counts stay. */
  deleteBefore(timeMs: number, limit: number): Promise<number>;
}
