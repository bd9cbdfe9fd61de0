import { asc, eq, lt, sql } from 'drizzle-orm';
import type { FleetStore } from '../ports/fleet.ts';
import type { Session } from './session.ts';
import { replicas } from './tables.ts';

/** The replicas of this database, on a connection or in a transaction. */
export function fleetStore(session: Session): FleetStore {
  return {
    async report({ replicaId, startedAtMs, problemSinceMs, ...report }) {
      const row = {
        ...report,
        startedAt: new Date(startedAtMs),
        problemSince: problemSinceMs === null ? null : new Date(problemSinceMs),
        heartbeatAt: sql`clock_timestamp()`,
      };
      await session.ask((queries) =>
        queries
          .insert(replicas)
          .values({ replicaId, ...row })
          .onConflictDoUpdate({ target: replicas.replicaId, set: row }),
      );
      await session.ask((queries) =>
        queries.delete(replicas).where(lt(replicas.heartbeatAt, sql`now() - interval '1 hour'`)),
      );
    },

    async leave(replicaId) {
      await session.ask((queries) => queries.delete(replicas).where(eq(replicas.replicaId, replicaId)));
    },

    async list() {
      const rows = await session.ask((queries) =>
        queries
          .select({
            row: replicas,
            age: sql<number>`(extract(epoch from clock_timestamp() - ${replicas.heartbeatAt}) * 1000)::float8`,
          })
          .from(replicas)
          .orderBy(asc(replicas.startedAt), asc(replicas.replicaId)),
      );
      return rows.map(({ row: { startedAt, heartbeatAt, problemSince, ...row }, age }) => ({
        ...row,
        startedAtMs: startedAt.getTime(),
        heartbeatAtMs: heartbeatAt.getTime(),
        heartbeatAgeMs: Math.max(0, Math.round(age)),
        problemSinceMs: problemSince?.getTime() ?? null,
      }));
    },
  };
}
