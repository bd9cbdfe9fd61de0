import type { PrincipalChange } from './database.ts';

/** Changes of keys, teams and users by any replica, in their order (S10). */
export interface PrincipalFeed {
  /** The number of the last change. */
  head(): Promise<number>;
  /**
   * What was changed after `number`, up to which change that is; null when that is not known any more, or too much: then
   * anything may have changed.
   */
  since(number: number): Promise<{ readonly number: number; readonly change: PrincipalChange | null }>;
  /** Calls `listener` with a number soon after the commit, on a best effort, as `DocumentSource.listen` does. */
  listen(listener: (number: number) => void): Promise<() => Promise<void>>;
}
