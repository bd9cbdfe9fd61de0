import type { Attachment, Guardrail, Policy, VersionStatus } from '@portcullis/policy';
import { DatabaseError } from './database.ts';

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

/** One deployment of a model. Its settings are one sealed text: only who calls models opens it. */
export interface ModelDocument {
  readonly model_id: string;
  readonly model_name: string;
  /** `provider/model`, as the engine knows it. */
  readonly provider_model: string;
  readonly guardrails: readonly string[];
  readonly sealed_params: string;
  readonly model_info: Readonly<Record<string, unknown>>;
}

export interface StoredModel {
  readonly model: ModelDocument;
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
  readonly models: readonly StoredModel[];
}

export type StoredObjectType = 'policy' | 'attachment' | 'guardrail' | 'model';

/** A stored row that is not what this program writes: by id, with the fields at fault and never their values. */
export interface UnreadableRow {
  readonly object: StoredObjectType;
  readonly id: string;
  readonly fields: readonly string[];
}

/** Rows that cannot be read. All of them are named, so that one repair is enough; nothing is left out silently (S2). */
export class UnreadableRowsError extends DatabaseError {
  readonly rows: readonly UnreadableRow[];

  constructor(rows: readonly UnreadableRow[]) {
    const named = rows.slice(0, 10).map(({ object, id, fields }) => `${object} ${id} (${fields.join(', ')})`);
    const more = rows.length > named.length ? ` and ${rows.length - named.length} more` : '';
    super('fault', `stored rows cannot be read: ${named.join('; ')}${more}`);
    this.rows = rows;
  }
}

export interface PolicyHead {
  readonly revision: number;
  readonly configDigest: string | null;
}

/** One change, as `GET /policies/revision` and a refused `If-Match` tell it (V7). */
export interface RevisionEntry {
  readonly revision: number;
  readonly atMs: number;
  readonly by: string;
  readonly callId: string;
  readonly objects: readonly {
    readonly object: StoredObjectType;
    readonly id: string;
    readonly name: string | null;
    readonly change: 'created' | 'changed' | 'deleted';
  }[];
}

/** What has become of the objects since a revision: those that are new or different now, and those that are gone. */
export interface StoredDelta {
  readonly policies: readonly StoredPolicy[];
  readonly attachments: readonly StoredAttachment[];
  readonly guardrails: readonly StoredGuardrail[];
  readonly models: readonly StoredModel[];
  readonly gone: readonly { readonly object: StoredObjectType; readonly id: string }[];
}

/** Where a page ended: the moment and id of its last row. */
export interface PagePlace {
  readonly createdAtMs: number;
  readonly id: string;
}

/**
 * The current objects, inside a transaction. Every change takes the head first (`lockHead`), so changes are one after
 * another, and writes the object and its history under the new revision (`advance`).
 */
export interface PolicyStore {
  head(): Promise<PolicyHead>;
  /** The same, and nobody else can change policies until the transaction ends. */
  lockHead(): Promise<PolicyHead>;
  /** Locks the head, gives the change its revision (gapless, S4), and tells the replicas at commit (S5). */
  advance(change: { readonly by: string; readonly callId: string; readonly atMs: number }): Promise<number>;
  /** Records the digest of a configuration file under the revision taken in this transaction (S9). */
  setConfigDigest(digest: string): Promise<void>;
  /** The way from the objects of `revision` to the current ones. @throws UnreadableRowsError as `policies` does. */
  deltaSince(revision: number): Promise<StoredDelta>;
  /** What was changed after `revision`, newest first. */
  changesSince(revision: number, limit: number): Promise<readonly RevisionEntry[]>;

  /** Newest first. @throws UnreadableRowsError naming every row that is malformed. */
  policies(filter: {
    readonly name?: string;
    readonly status?: VersionStatus;
    readonly limit?: number;
    readonly after?: PagePlace;
  }): Promise<readonly StoredPolicy[]>;
  countPolicies(filter: { readonly status?: VersionStatus }): Promise<number>;
  policy(policyId: string): Promise<StoredPolicy | null>;
  /** The highest number among the versions that a name still has (D-19, D-79). */
  latestVersions(policyNames: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The next number of a name; numbers of deleted versions are never used again (D-79). */
  nextVersionNumber(policyName: string): Promise<number>;
  /** Numbers of this name below `next` are taken, as when the name is given to a policy that had another. */
  reserveNumbers(policyName: string, next: number): Promise<void>;
  putPolicy(revision: number, policy: StoredPolicy): Promise<void>;
  deletePolicy(revision: number, policyId: string): Promise<void>;

  /** Newest first. @throws UnreadableRowsError naming every row that is malformed. */
  attachments(filter: {
    readonly policyName?: string;
    readonly limit?: number;
    readonly after?: PagePlace;
  }): Promise<readonly StoredAttachment[]>;
  countAttachments(filter: { readonly policyName?: string }): Promise<number>;
  attachment(attachmentId: string): Promise<StoredAttachment | null>;
  /** The stored attachment of the same policy and selectors, in whatever order they are written (D-29). */
  sameAttachment(attachment: Attachment): Promise<string | null>;
  putAttachment(revision: number, attachment: StoredAttachment): Promise<void>;
  deleteAttachment(revision: number, attachmentId: string): Promise<void>;

  guardrails(): Promise<readonly StoredGuardrail[]>;
  guardrail(guardrailId: string): Promise<StoredGuardrail | null>;
  putGuardrail(revision: number, guardrail: StoredGuardrail): Promise<void>;
  deleteGuardrail(revision: number, guardrailId: string): Promise<void>;

  /** In the order in which they were made. @throws UnreadableRowsError naming every row that is malformed. */
  models(): Promise<readonly StoredModel[]>;
  putModel(revision: number, model: StoredModel): Promise<void>;
  deleteModel(revision: number, modelId: string): Promise<void>;
}

/** The read side, for the snapshot: the only bridge between the planes. */
export interface DocumentSource {
  head(): Promise<PolicyHead>;
  /**
   * Everything at a revision; old ones stay readable (S4). Lets others work in between.
   * @throws UnreadableRowsError naming every row that is malformed: a snapshot is never made of the rest (S2).
   */
  read(revision: number): Promise<StoredDocuments>;
  /**
   * Calls `listener` with a revision soon after its commit, on a best effort: messages get lost, so callers also poll
   * (S5). Changes of this process are heard before the transaction's promise settles. Resolves when listening has begun,
   * or when the database does not answer, which is then tried again. The function it gives ends it.
   */
  listen(listener: (revision: number) => void): Promise<() => Promise<void>>;
}
