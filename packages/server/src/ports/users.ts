import type { Role } from './identity.ts';
import type { LimitSettings } from './limits.ts';

/** A person or program that owns keys. */
export interface UserRecord {
  readonly userId: string;
  readonly email: string | null;
  readonly alias: string | null;
  readonly role: Role;
  /** Whether a password was set; the hash itself is read by who signs people in. */
  readonly hasPassword: boolean;
  /** Whom an identity provider means by this user; null for nobody. */
  readonly ssoSubject: string | null;
  /** Empty means every model. */
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly limits: LimitSettings;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

export type NewUserRecord = Omit<UserRecord, 'hasPassword' | 'ssoSubject'> & {
  readonly passwordHash: string | null;
  readonly ssoSubject?: string | null;
};

export type UserChanges = Partial<
  Omit<NewUserRecord, 'userId' | 'createdAtMs' | 'createdBy' | 'updatedAtMs' | 'updatedBy'>
> &
  Pick<UserRecord, 'updatedAtMs' | 'updatedBy'>;

export interface UserPage {
  readonly filter: {
    readonly role?: Role;
    readonly userIds?: readonly string[];
    /** Part of the address, any case. */
    readonly email?: string;
  };
  readonly sortBy: 'created_at' | 'user_id' | 'user_email' | 'user_alias' | 'user_role';
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface UserStore {
  /** Addresses are unique in any case. */
  insert(user: NewUserRecord): Promise<'inserted' | 'id_taken' | 'email_taken'>;
  find(userId: string): Promise<UserRecord | null>;
  findByEmail(email: string): Promise<UserRecord | null>;
  findBySubject(ssoSubject: string): Promise<UserRecord | null>;
  /** The same as `find`, and nobody else can change the row until the transaction ends. */
  findForUpdate(userId: string): Promise<UserRecord | null>;
  /** The stored hash of the password, for who signs people in. */
  passwordHash(userId: string): Promise<string | null>;
  update(userId: string, changes: UserChanges): Promise<'updated' | 'not_found' | 'email_taken'>;
  /** Answers the ids that were there. */
  delete(userIds: readonly string[]): Promise<readonly string[]>;
  list(page: UserPage): Promise<{ readonly users: readonly UserRecord[]; readonly total: number }>;
}
