import type { Clock } from '../ports/clock.ts';
import type { Identities } from '../ports/identity.ts';
import type { Limits } from '../ports/limits.ts';
import type { Telemetry } from '../ports/records.ts';
import type { SnapshotHolder } from '../ports/snapshot.ts';
import type { StoredResponses } from './stored-responses.ts';
import type { HttpUpstreams } from './upstreams/http.ts';

/** What the data plane works with. Made once, by the composition root. */
export interface Gateway {
  readonly snapshots: SnapshotHolder;
  readonly identities: Identities;
  readonly limits: Limits;
  readonly upstreams: HttpUpstreams;
  readonly responses: StoredResponses;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly version: string;
}
