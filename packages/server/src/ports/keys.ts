import type { Protection, Sourced } from './protection.ts';
import type { TeamRecord } from './teams.ts';

/** A virtual key as it is stored. The key itself is not: only its hash. */
export interface KeyRecord {
  /** SHA-256 of the key, hexadecimal. */
  readonly tokenHash: string;
  /** `sk-...` and the last four characters, for people. */
  readonly keyName: string;
  readonly alias: Sourced<string> | null;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly organizationId: string | null;
  /** Empty means every model. */
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly protection: Protection;
  readonly blocked: boolean;
  readonly expiresAtMs: number | null;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
  /** What was found malformed in the stored row and is therefore ignored (O3), by field. */
  readonly ignored: readonly string[];
}

export type NewKey = Omit<KeyRecord, 'ignored'>;

export type KeyChanges = Partial<
  Omit<
    KeyRecord,
    'tokenHash' | 'keyName' | 'createdAtMs' | 'createdBy' | 'updatedAtMs' | 'updatedBy' | 'ignored'
  >
> &
  Pick<KeyRecord, 'updatedAtMs' | 'updatedBy'>;

export interface KeyFilter {
  readonly tokenHash?: string;
  readonly alias?: string;
  readonly organizationId?: string;
  readonly teamId?: string;
  readonly userId?: string;
}

export interface KeyPage {
  readonly filter: KeyFilter;
  readonly sortBy: 'created_at' | 'updated_at' | 'key_alias' | 'expires' | 'team_id' | 'user_id' | 'token';
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface KeyWithTeam {
  readonly key: KeyRecord;
  readonly team: TeamRecord | null;
}

export interface KeyStore {
  insert(key: NewKey): Promise<'inserted' | 'token_taken' | 'alias_taken'>;
  find(tokenHash: string): Promise<KeyRecord | null>;
  /** The same, and nobody else can change the row until the transaction ends. */
  findForUpdate(tokenHash: string): Promise<KeyRecord | null>;
  findByAlias(alias: string): Promise<KeyRecord | null>;
  /** What an identity is made of, in one question. */
  findWithTeam(tokenHash: string): Promise<KeyWithTeam | null>;
  update(tokenHash: string, changes: KeyChanges): Promise<'updated' | 'not_found' | 'alias_taken'>;
  /** Answers the hashes that were there. */
  delete(tokenHashes: readonly string[]): Promise<readonly string[]>;
  /** Keys on which this policy is named (V6), by alias and hash. */
  namingPolicy(policyName: string): Promise<readonly KeyRecord[]>;
  /** Keys on which this guardrail is demanded or opted out of (V6), by alias and hash. */
  namingGuardrail(guardrailName: string): Promise<readonly KeyRecord[]>;
  /**
   * Keys whose alias fits one of these names or prefixes and was given by somebody who may not protect (M9): an attachment
   * that goes by such an alias depends on a user's choice.
   */
  withUserAlias(
    names: readonly string[],
    prefixes: readonly string[],
    limit: number,
  ): Promise<readonly KeyRecord[]>;
  /** Those of these aliases and hashes that some key has. Only what has the form of an id is compared with hashes (M9). */
  known(references: readonly string[]): Promise<ReadonlySet<string>>;
  /** Every key of these teams, oldest first. */
  ofTeams(teamIds: readonly string[]): Promise<readonly KeyRecord[]>;
  list(page: KeyPage): Promise<{ readonly keys: readonly KeyRecord[]; readonly total: number }>;
}
