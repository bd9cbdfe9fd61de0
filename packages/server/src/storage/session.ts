import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { DatabaseError, type PrincipalChange } from '../ports/database.ts';
import { withoutDriver } from './faults.ts';

export type Queries = PgDatabase<PostgresJsQueryResultHKT>;

/** What a store asks its questions with: a connection of the pool, or one transaction. */
export interface Session {
  /** Runs a question within the time limit and translates its failure. */
  ask<T>(question: (queries: Queries) => Promise<T>): Promise<T>;
  /** Says that a key or team has been written, so that copies of it are dropped after the commit (S10). */
  touchKeys(tokenHashes: Iterable<string>): void;
  touchTeam(teamId: string): void;
  touchUsers(userIds: Iterable<string>): void;
  /** Says that a revision has been taken, so that those who follow it are told after the commit (S5). */
  touchRevision(revision: number): void;
}

/** What a transaction has written. */
export interface Touched extends PrincipalChange {
  readonly keys: Set<string>;
  readonly teams: Set<string>;
  readonly users: Set<string>;
  revision: number | null;
}

/**
 * Makes a session. `queries` is asked for each question anew: it throws when the session is over, so that work which was
 * given up cannot write outside its transaction. `touched` is null where nobody would learn of a change, which forbids it.
 */
export function sessionOn(
  queries: () => Queries | Promise<Queries>,
  touched: Touched | null,
  limitMs: number,
): Session {
  const noted = (): Touched => {
    if (touched === null) {
      throw new DatabaseError('fault', 'keys, teams and policies are written in transactions only');
    }
    return touched;
  };
  return {
    async ask(question) {
      return withinTime(limitMs, async () => question(await queries()));
    },
    touchKeys(tokenHashes) {
      for (const hash of tokenHashes) noted().keys.add(hash);
    },
    touchTeam(teamId) {
      noted().teams.add(teamId);
    },
    touchUsers(userIds) {
      for (const userId of userIds) noted().users.add(userId);
    },
    touchRevision(revision) {
      noted().revision = revision;
    },
  };
}

/** Waits for `work` for at most `limitMs`. What was begun goes on, but nobody waits for it. */
export async function withinTime<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseError('timeout', `the database did not answer within ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    throw withoutDriver(error);
  } finally {
    clearTimeout(timer);
  }
}
