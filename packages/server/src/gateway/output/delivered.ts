import type { ErrorCode, PortcullisError, Usage } from '@portcullis/contract';
import type { BlockDetails, HookResult, RespondDetails } from '@portcullis/guardrails';
import type { RunRecord, Segment, Verdict } from '@portcullis/policy';
import type { RequestEnd } from '../../ports/records.ts';

/** What became of the answer. */
export interface Delivered {
  readonly status: number;
  readonly end: RequestEnd;
  readonly errorCode: ErrorCode | null;
  readonly errorMessage: string | null;
  readonly upstreamStatus: number | null;
  /** Milliseconds until the provider's answer was complete, or given up. */
  readonly upstreamMs: number;
  readonly during: HookResult | null;
  readonly post: { readonly records: readonly RunRecord[]; readonly verdict: Verdict } | null;
  readonly usage: Usage | null;
  /** The provider's id of the answer, where somebody needs it. */
  readonly answerId?: string | null;
  /** About how many tokens of the answer were seen, for providers that do not tell; absent when nobody counted. */
  readonly seenTokens?: number;
  /** What logging_only sees of the answer; worked out only when somebody asks. */
  readonly answer: () => readonly Segment[];
  /** Runs that go on after the answer: monitored and audited ones, started by the record stage. */
  readonly late: readonly (() => Promise<readonly RunRecord[]>)[];
}

/** The part of {@link Delivered} that says how the exchange with the caller ended. */
export type Ending = Pick<Delivered, 'status' | 'end' | 'errorCode' | 'errorMessage'>;

export const answered = (status: number): Ending => ({
  status,
  end: 'answered',
  errorCode: null,
  errorMessage: null,
});

export const disconnected = (status: number): Ending => ({
  status,
  end: 'disconnected',
  errorCode: 'client_disconnected',
  errorMessage: null,
});

/** `status` is what was sent: 200 for a stream that broke later. */
export const failed = (error: PortcullisError, status: number): Ending => ({
  status,
  end: error.code === 'client_disconnected' ? 'disconnected' : status === error.status ? 'refused' : 'broken',
  errorCode: error.code,
  errorMessage: error.message,
});

export const blocked = (block: BlockDetails, status: number): Ending => ({
  status,
  end: 'blocked',
  errorCode: block.type,
  errorMessage: block.message,
});

/** `sent`: as an answer; else it had to be a block. */
export const responded = (respond: RespondDetails, sent = true): Ending => ({
  status: sent ? 200 : 400,
  end: sent ? 'responded' : 'blocked',
  errorCode: sent ? null : 'guardrail_violation',
  errorMessage: respond.message,
});
