import type { PrincipalChange } from '../ports/database.ts';
import type { PrincipalFeed } from '../ports/principal-feed.ts';
import { oneAtATime } from './one-at-a-time.ts';

export interface PrincipalParts {
  readonly feed: PrincipalFeed;
  /** Drops the copies of what was changed. */
  readonly forget: (change: PrincipalChange) => void;
  /** Drops every copy: what was changed is not known. */
  readonly forgetAll: () => void;
}

/** Drops copies of keys, teams and users that any replica has changed, revocations included (S10). */
export class PrincipalFollower {
  readonly #parts: PrincipalParts;
  #seen: number | null = null;

  constructor(parts: PrincipalParts) {
    this.#parts = parts;
  }

  /** The number up to which everything has been dropped, or null before the feed was read. */
  get seen(): number | null {
    return this.#seen;
  }

  /** Drops what was changed since the last look. A database that is away is asked again at the next look. Never rejects. */
  readonly look = oneAtATime(async () => {
    const { feed, forget, forgetAll } = this.#parts;
    try {
      if (this.#seen === null) {
        this.#seen = await feed.head();
        // What was copied before may have been changed before.
        forgetAll();
        return;
      }
      const { number, change } = await feed.since(this.#seen);
      if (change === null) forgetAll();
      else if (change.keys.size + change.teams.size + change.users.size > 0) forget(change);
      this.#seen = number;
    } catch {
      // Copies grow old by themselves, and readiness tells of the database.
    }
  });
}
