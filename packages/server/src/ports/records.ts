import type { ErrorCode } from '@portcullis/contract';
import type { AppliedPolicy, Note, RunRecord, Verdict } from '@portcullis/policy';
import type { Role } from './identity.ts';
import type { RequestDetails } from './logs.ts';

/** Tokens as the provider counted them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** How a request ended, whatever its status. */
export type RequestEnd = 'answered' | 'blocked' | 'responded' | 'refused' | 'broken' | 'disconnected';

/**
 * The whole story of one request: one log line, and what `GET /debug/requests/{call_id}` answers. Never holds prompt or
 * answer text, matched text or a secret. Times are milliseconds.
 */
export interface RequestSummary {
  readonly call_id: string;
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly end: RequestEnd;
  /** The catalogue's code; null for an answer of the model. */
  readonly error_code: ErrorCode | null;
  /** What the caller was told, or what broke. Never matched text. */
  readonly error_message: string | null;
  readonly revision: number | null;
  readonly plan_hash: string | null;
  readonly key_hash_prefix: string | null;
  readonly key_alias: string | null;
  readonly team_id: string | null;
  readonly team_alias: string | null;
  readonly user_id: string | null;
  readonly role: Role | null;
  readonly model: string | null;
  readonly model_group: string | null;
  readonly model_id: string | null;
  readonly upstream_model: string | null;
  readonly upstream_status: number | null;
  readonly stream: boolean;
  readonly request_bytes: number;
  readonly caller_tags: readonly string[];
  /** Fields of the caller that only the gateway may set, taken out of the body (O4). */
  readonly stripped_fields: readonly string[];
  readonly notes: readonly Note[];
  readonly verdicts: Readonly<Partial<Record<string, Verdict>>>;
  readonly usage: Usage | null;
  readonly timings: Readonly<Record<string, number>>;
}

/** The summary with what the plan and the guardrails give, which is kept apart because much of it is shared. */
export interface RequestRecord extends RequestSummary {
  /** Every policy that applied, with every way in which it came to apply (H3). */
  readonly policies: readonly AppliedPolicy[];
  /** One run for each planned one of the hooks that were reached (E2). */
  readonly guardrails: readonly RunRecord[];
}

/** Where records and faults go. Nothing here throws or waits. */
export interface Telemetry {
  /**
   * The record is there to be found at once; its one log line follows when the `late` runs are added: monitored ones,
   * logging_only, and audits of streams. Null when there are none. `details` go to the log store alone.
   */
  requestFinished(
    summary: RequestSummary,
    policies: readonly AppliedPolicy[],
    runs: readonly RunRecord[],
    late: Promise<readonly RunRecord[]> | null,
    details: RequestDetails,
  ): void;
  /** The record is short of runs that the plan demands: a broken invariant (E2). */
  runsMissing(callId: string, planned: number, recorded: number): void;
  /** A fault of this product. `where` names the place; the error goes to the log alone. */
  fault(where: string, error: unknown): void;
  /** The newest records by call id. */
  find(callId: string): RequestRecord | null;
}
