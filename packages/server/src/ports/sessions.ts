import type { Identity, LoginMethod } from './identity.ts';
import type { UserRecord } from './users.ts';

/** A session as it is kept: its token is known to the browser alone. */
export interface SessionRecord {
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string;
  /** Null for the holder of the admin key. */
  readonly userId: string | null;
  readonly method: LoginMethod;
  /** For the admin key a digest of it; null for users. */
  readonly credential: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface SessionStore {
  /** Also drops what has expired, and the oldest of this user's sessions when there are too many. */
  insert(session: SessionRecord): Promise<void>;
  /** A session that has not expired, with its user as the user is now. */
  find(
    tokenHash: string,
    nowMs: number,
  ): Promise<{ readonly session: SessionRecord; readonly user: UserRecord | null } | null>;
  delete(tokenHash: string): Promise<void>;
  /** Ends the sessions of these users; those of the admin key when `null` is among them. */
  deleteOf(userIds: readonly (string | null)[]): Promise<void>;
}

/** A link with which a user chooses a password, once. */
export interface InvitationRecord {
  /** SHA-256 of the secret in the link, hexadecimal. */
  readonly hash: string;
  readonly userId: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number;
  readonly acceptedAtMs: number | null;
}

export interface InvitationStore {
  /** Replaces the invitations of the user that nobody has taken. */
  insert(invitation: InvitationRecord): Promise<void>;
  find(hash: string): Promise<InvitationRecord | null>;
  /** The same as `find`, and nobody else can change the row until the transaction ends. */
  findForUpdate(hash: string): Promise<InvitationRecord | null>;
  accept(hash: string, atMs: number): Promise<void>;
  delete(hash: string): Promise<boolean>;
}

/** Who holds a session, for the control plane alone. */
export interface Sessions {
  /**
   * Asks the database each time, so that what was revoked opens nothing a moment later, on any replica.
   * @throws DatabaseError when it cannot be asked.
   */
  find(token: string): Promise<Identity | null>;
  /** What a session of the admin key is bound to. */
  readonly adminCredential: string;
  /** Whether a text is the admin key; takes the same time for every text of one length. */
  isAdminKey(text: string): boolean;
}
