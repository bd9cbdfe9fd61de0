import type { Caller, Principal, PrincipalSelectors } from '@portcullis/policy';

/** Stored keys that an attachment's selectors match, counted together because they may call the same models. */
export interface KeyGroup {
  readonly teamId: string | null;
  readonly caller: Caller;
  readonly keys: number;
  /** Those without an alias. */
  readonly unnamed: number;
  /** Names this group in {@link ImpactReader.matchedKeys}. */
  readonly signature: string;
}

/** A stored team that an attachment's selectors match on its own facts. */
export interface MatchedTeam {
  readonly teamId: string;
  readonly alias: string | null;
  readonly caller: Caller;
}

export interface MatchedKey {
  readonly tokenHash: string;
  readonly alias: string | null;
  readonly signature: string;
}

/** A stored key or team as the gateway would know it. */
export interface KnownCaller {
  readonly principal: Principal;
  readonly caller: Caller;
}

/** Stored requests that were made for one model by callers with the same aliases. */
export interface RequestGroup {
  readonly model: string | null;
  readonly aliases: Caller['aliases'];
  readonly requests: number;
}

/**
 * Counts whom an attachment reaches (Q2), set by set in the database, with the same result as the matcher for each key and
 * team. Facts that only a request brings are no part of it. Which models a group may call is for the engine to judge.
 */
export interface ImpactReader {
  totals(): Promise<{ readonly keys: number; readonly teams: number }>;
  /** @param byModels whether keys that may call different models must be told apart. */
  keyGroups(selectors: PrincipalSelectors, byModels: boolean): Promise<readonly KeyGroup[]>;
  /** All of them, by alias and id. */
  matchedTeams(selectors: PrincipalSelectors): Promise<readonly MatchedTeam[]>;
  /**
   * Some keys of these groups. `named`: the first by alias among those that have one; `varied`: one for each set of tags
   * in each group.
   */
  matchedKeys(question: {
    readonly selectors: PrincipalSelectors;
    readonly byModels: boolean;
    readonly signatures: readonly string[];
    readonly choice: 'named' | 'varied';
    readonly limit: number;
  }): Promise<readonly MatchedKey[]>;
  /** Those that are there, in no particular order. */
  callers(who: {
    readonly tokenHashes: readonly string[];
    readonly teamIds: readonly string[];
  }): Promise<readonly KnownCaller[]>;
  /** The requests since a time whose key the selectors match today, and how many there were in all. */
  traffic(
    selectors: PrincipalSelectors,
    sinceMs: number,
  ): Promise<{ readonly total: number; readonly groups: readonly RequestGroup[] }>;
}
