import type { ImpactReader } from './impact.ts';
import type { LimitSettings } from './limits.ts';
import type { Protection, Sourced } from './protection.ts';
import type { TeamRecord } from './teams.ts';
import type { UserRecord } from './users.ts';

/** What a key may be used for: everything, calls of models, management, or reading management. */
export const KEY_TYPES = ['default', 'llm_api', 'management', 'read_only'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

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
  readonly limits: LimitSettings;
  /** What limits and spending are counted on: it stays when the key is replaced. */
  readonly accountId: string;
  readonly keyType: KeyType;
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
    | 'tokenHash'
    | 'keyName'
    | 'accountId'
    | 'createdAtMs'
    | 'createdBy'
    | 'updatedAtMs'
    | 'updatedBy'
    | 'ignored'
  >
> &
  Pick<KeyRecord, 'updatedAtMs' | 'updatedBy'>;

export interface KeyFilter {
  readonly tokenHash?: string;
  readonly alias?: string;
  readonly organizationId?: string;
  readonly teamId?: string;
  readonly userId?: string;
  /** Keys of these teams besides those that the other fields say. */
  readonly orTeamIds?: readonly string[];
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
  /** Null also for a user id that nobody has registered. */
  readonly user: UserRecord | null;
  /** When the key that was asked for stops to work because it was replaced; null for the key itself. */
  readonly retiresAtMs: number | null;
}

/** A new key in the place of an old one. */
export interface KeyReplacement {
  readonly tokenHash: string;
  readonly keyName: string;
  /** Until when the old one still opens; null for no longer. */
  readonly oldUntilMs: number | null;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

export interface KeyStore extends ImpactReader {
  insert(key: NewKey): Promise<'inserted' | 'token_taken' | 'alias_taken'>;
  find(tokenHash: string): Promise<KeyRecord | null>;
  /** The same, and nobody else can change the row until the transaction ends. */
  findForUpdate(tokenHash: string): Promise<KeyRecord | null>;
  findByAlias(alias: string): Promise<KeyRecord | null>;
  /** What an identity is made of. Finds the successor of a replaced key too. */
  findWithTeam(tokenHash: string): Promise<KeyWithTeam | null>;
  update(tokenHash: string, changes: KeyChanges): Promise<'updated' | 'not_found' | 'alias_taken'>;
  /** Puts another key in the place of one; everything else of the row stays. */
  replace(tokenHash: string, replacement: KeyReplacement): Promise<'replaced' | 'not_found' | 'token_taken'>;
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
  /** Every key of these users, oldest first. */
  ofUsers(userIds: readonly string[]): Promise<readonly KeyRecord[]>;
  list(page: KeyPage): Promise<{ readonly keys: readonly KeyRecord[]; readonly total: number }>;
}
