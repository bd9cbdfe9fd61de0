import type { Guardrail } from '@portcullis/policy';

/** `active` means approved: from then on the guardrail is one of the database like any other. */
export type SubmissionStatus = 'pending_review' | 'active' | 'rejected';

/** A guardrail that a team brought. It never runs from here: only an approval makes a guardrail of it. */
export interface Submission {
  /** Its secrets are sealed. */
  readonly guardrail: Guardrail;
  readonly teamId: string | null;
  readonly status: SubmissionStatus;
  readonly submittedAtMs: number;
  readonly submittedBy: string;
  readonly review: {
    readonly atMs: number;
    readonly by: string;
    readonly reason: string | null;
  } | null;
}

export interface SubmissionStore {
  insert(submission: Submission): Promise<void>;
  find(guardrailId: string): Promise<Submission | null>;
  /** The same, and nobody else can review it until the transaction ends. */
  findForUpdate(guardrailId: string): Promise<Submission | null>;
  /** Newest first. `search` is part of the name, in any case. */
  list(filter: { readonly teamId?: string; readonly search?: string }): Promise<readonly Submission[]>;
  review(
    guardrailId: string,
    status: Exclude<SubmissionStatus, 'pending_review'>,
    review: NonNullable<Submission['review']>,
  ): Promise<void>;
}
