import type { Clock } from '../ports/clock.ts';
import type { Database } from '../ports/database.ts';
import type { LoaderParts } from './loader.ts';

/**
 * Takes revisions for configuration files (S9). Replicas with the same new file meet at the head's lock: the first takes
 * the revision, the others find its digest there.
 *
 * @param by who the revision is said to come from
 */
export function revisionTaker(
  database: Pick<Database, 'transaction'>,
  clock: Clock,
  by: string,
): LoaderParts['takeRevision'] {
  return (digest, base) =>
    database.transaction(async ({ policies }) => {
      const held = await policies.lockHead();
      if (held.revision !== base || held.configDigest === digest) return null;
      const revision = await policies.advance({ by, callId: '', atMs: clock.now() });
      await policies.setConfigDigest(digest);
      return revision;
    });
}
