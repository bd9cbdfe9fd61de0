import type { Clock } from '../ports/clock.ts';
import type { Database } from '../ports/database.ts';
import type { SnapshotSource } from './build.ts';
import type { FleetMember } from './fleet.ts';
import type { LoaderParts } from './loader.ts';

export interface TakerParts {
  readonly database: Pick<Database, 'transaction'>;
  readonly fleet: Pick<FleetMember, 'claim' | 'unclaim'>;
  readonly clock: Clock;
  /** Who the revision is said to come from. */
  readonly by: string;
}

/**
 * Takes revisions for configuration files (S9). Replicas with the same new file meet at the head's lock: the first takes
 * the revision, the others find its digest there.
 */
export function revisionTaker({
  database,
  fleet,
  clock,
  by,
}: TakerParts): LoaderParts<SnapshotSource>['takeRevision'] {
  return async (digest, base) => {
    let taken: number | null = null;
    try {
      taken = await database.transaction(async (stores) => {
        const { policies } = stores;
        const held = await policies.lockHead();
        if (held.revision !== base || held.configDigest === digest) return null;
        const revision = await policies.advance({ by, callId: '', atMs: clock.now() });
        await policies.setConfigDigest(digest);
        await fleet.claim(stores, digest);
        return revision;
      });
      return taken;
    } finally {
      // After a success the claim stands until the file is in force.
      if (taken === null) fleet.unclaim();
    }
  };
}
