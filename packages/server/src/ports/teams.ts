import type { LimitSettings } from './limits.ts';
import type { Protection, Sourced } from './protection.ts';

export interface TeamMember {
  readonly role: 'admin' | 'user';
  readonly user_id: string | null;
  readonly user_email: string | null;
}

/** A team as it is stored. Aliases of teams are not unique. */
export interface TeamRecord {
  readonly teamId: string;
  readonly alias: Sourced<string> | null;
  readonly organizationId: string | null;
  readonly members: readonly TeamMember[];
  /** Empty means every model. */
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly protection: Protection;
  readonly limits: LimitSettings;
  readonly blocked: boolean;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
  /** What was found malformed in the stored row and is therefore ignored (O3), by field. */
  readonly ignored: readonly string[];
}

export type NewTeamRecord = Omit<TeamRecord, 'ignored'>;

export type TeamChanges = Partial<
  Omit<TeamRecord, 'teamId' | 'createdAtMs' | 'createdBy' | 'updatedAtMs' | 'updatedBy' | 'ignored'>
> &
  Pick<TeamRecord, 'updatedAtMs' | 'updatedBy'>;

export interface TeamPage {
  readonly filter: {
    readonly memberUserId?: string;
    readonly organizationId?: string;
    readonly teamId?: string;
    /** Part of the alias, any case. */
    readonly alias?: string;
  };
  readonly sortBy: 'team_id' | 'team_alias' | 'created_at';
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface TeamStore {
  insert(team: NewTeamRecord): Promise<'inserted' | 'id_taken'>;
  find(teamId: string): Promise<TeamRecord | null>;
  /** The same, and nobody else can change the row until the transaction ends. */
  findForUpdate(teamId: string): Promise<TeamRecord | null>;
  /** Aliases of teams are not unique. */
  findByAlias(alias: string): Promise<readonly TeamRecord[]>;
  /** Teams on which this policy is named (V6), by alias and id. */
  namingPolicy(policyName: string): Promise<readonly TeamRecord[]>;
  /** Teams on which this guardrail is demanded or opted out of (V6), by alias and id. */
  namingGuardrail(guardrailName: string): Promise<readonly TeamRecord[]>;
  /** Those of these aliases and ids that some team has. Only what has the form of an id is compared with ids (M9). */
  known(references: readonly string[]): Promise<ReadonlySet<string>>;
  update(teamId: string, changes: TeamChanges): Promise<'updated' | 'not_found'>;
  /** Answers the ids that were there. Keys of a team stand against it. */
  delete(teamIds: readonly string[]): Promise<readonly string[]>;
  page(page: TeamPage): Promise<{ readonly teams: readonly TeamRecord[]; readonly total: number }>;
  /** Sorted by alias, then id. `memberUserId` keeps the teams that have this member. */
  list(filter: {
    readonly memberUserId?: string;
    readonly organizationId?: string;
  }): Promise<readonly TeamRecord[]>;
}
