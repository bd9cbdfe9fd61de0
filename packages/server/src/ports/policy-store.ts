import type { Attachment, Guardrail, Policy, VersionStatus } from '@portcullis/policy';

/** One version of a policy as it is kept, with what the answers of the API show beside the policy itself. */
export interface StoredPolicy {
  readonly policy: Policy;
  readonly parentVersionId: string | null;
  readonly note: string | null;
  readonly createdAtMs: number;
  readonly createdBy: string | null;
  readonly updatedAtMs: number;
  readonly updatedBy: string | null;
  /** When the state was last entered; kept on demotion. */
  readonly publishedAtMs: number | null;
  readonly productionAtMs: number | null;
}

export interface StoredAttachment {
  readonly attachment: Attachment;
  readonly createdAtMs: number;
  readonly createdBy: string | null;
  readonly updatedAtMs: number;
  readonly updatedBy: string | null;
}

/** A guardrail of the database. Its secrets are still encrypted: only the snapshot's loader opens them. */
export interface StoredGuardrail {
  readonly guardrail: Guardrail;
  readonly createdAtMs: number;
  readonly createdBy: string | null;
  readonly updatedAtMs: number;
  readonly updatedBy: string | null;
}

/** Everything of the database that can influence a decision, at one revision (S1, S4). */
export interface StoredDocuments {
  readonly revision: number;
  /** The digest of the configuration file this revision was made with; null before the first file was seen (S9). */
  readonly configDigest: string | null;
  readonly policies: readonly StoredPolicy[];
  readonly attachments: readonly StoredAttachment[];
  readonly guardrails: readonly StoredGuardrail[];
}

/**
 * The current objects, inside a transaction. Every change takes the head first (`advance`), so changes are one after
 * another, and writes the object and its history under the new revision.
 */
export interface PolicyStore {
  /** Locks the head, gives the change its revision (gapless, S4), and tells the replicas at commit (S5). */
  advance(change: { readonly by: string; readonly callId: string; readonly atMs: number }): Promise<number>;
  head(): Promise<{ readonly revision: number; readonly configDigest: string | null }>;
  /** Records the digest of a configuration file under the revision taken in this transaction (S9). */
  setConfigDigest(digest: string): Promise<void>;

  policies(filter: {
    readonly name?: string;
    readonly status?: VersionStatus;
    readonly limit?: number;
    readonly after?: string;
  }): Promise<readonly StoredPolicy[]>;
  policy(policyId: string): Promise<StoredPolicy | null>;
  /** The next number of a name; numbers of deleted versions are never used again (D-79). */
  nextVersionNumber(policyName: string): Promise<number>;
  putPolicy(revision: number, policy: StoredPolicy): Promise<void>;
  deletePolicy(revision: number, policyId: string): Promise<void>;

  attachments(filter: {
    readonly policyName?: string;
    readonly limit?: number;
    readonly after?: string;
  }): Promise<readonly StoredAttachment[]>;
  attachment(attachmentId: string): Promise<StoredAttachment | null>;
  putAttachment(revision: number, attachment: StoredAttachment): Promise<void>;
  deleteAttachment(revision: number, attachmentId: string): Promise<void>;

  guardrails(): Promise<readonly StoredGuardrail[]>;
  guardrail(guardrailId: string): Promise<StoredGuardrail | null>;
  putGuardrail(revision: number, guardrail: StoredGuardrail): Promise<void>;
  deleteGuardrail(revision: number, guardrailId: string): Promise<void>;
}

/** The read side, for the snapshot: the only bridge between the planes. */
export interface DocumentSource {
  head(): Promise<{ readonly revision: number; readonly configDigest: string | null }>;
  /** One consistent read of everything at a revision; old ones stay readable (S4). */
  read(revision: number): Promise<StoredDocuments>;
  /**
   * Calls `listener` with a revision soon after its commit, on a best effort: messages get lost, so callers also poll
   * (S5). Resolves when listening has begun. The function it gives ends it.
   */
  listen(listener: (revision: number) => void): Promise<() => Promise<void>>;
}
