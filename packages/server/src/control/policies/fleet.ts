import { ALIVE_MS } from '../../ports/fleet.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';

/** `GET /policies/fleet`: how every replica of this database stands to the newest revision (S5). */
export function fleetRoute({ database }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/policies/fleet',
    permission: 'admin_viewer',
    async handler() {
      const { revision, configDigest } = await database.stores.policies.head();
      const replicas = await database.stores.fleet.list();
      return {
        body: {
          revision,
          config_digest: configDigest,
          replicas: replicas.map((replica) => ({
            replica_id: replica.replicaId,
            host: replica.host,
            pid: replica.pid,
            version: replica.version,
            started_at: isoOf(replica.startedAtMs),
            heartbeat_at: isoOf(replica.heartbeatAtMs),
            heartbeat_age_ms: replica.heartbeatAgeMs,
            alive: replica.heartbeatAgeMs < ALIVE_MS,
            state: replica.state,
            revision: replica.revision,
            lag: replica.revision === null ? null : Math.max(0, revision - replica.revision),
            config_digest: replica.configDigest,
            rejected_revision: replica.rejectedRevision,
            problem: replica.problem,
            problem_since: replica.problemSinceMs === null ? null : isoOf(replica.problemSinceMs),
          })),
        },
        headers: { 'x-portcullis-revision': String(revision) },
      };
    },
  };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
