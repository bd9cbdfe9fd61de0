import { DatabaseError } from '../ports/database.ts';
import { actorOf, type ControlContext } from './context.ts';
import type { Refusal, Route } from './route.ts';

/** The same route; an attempt to change what one may not change is part of the audit log (V10). */
export function withRefusalsRecorded(route: Route, { database, clock }: ControlContext): Route {
  if (route.method === 'GET') return route;
  return {
    ...route,
    async refused({ identity, callId, reason, params }: Refusal) {
      try {
        await database.transaction(({ audit }) =>
          audit.append({
            atMs: clock.now(),
            actor: actorOf(identity),
            action: 'refused',
            object: { type: 'route', id: `${route.method} ${pathOf(route, params)}` },
            before: null,
            after: null,
            refused: reason,
            callId,
          }),
        );
      } catch (error) {
        // It stays refused: a log that cannot be written must not turn the refusal into a fault that invites a retry.
        if (!(error instanceof DatabaseError)) throw error;
      }
    },
  };
}

/** The path with what was asked for in it, so that the log says which object an attempt was about. */
function pathOf({ path }: Route, params: Refusal['params']): string {
  const asked = path.replaceAll(/:(\w+)/gu, (placeholder, name: string) => params[name] ?? placeholder);
  // A character that cannot be kept must not keep the attempt out of the log.
  return asked.replaceAll('\u0000', '\ufffd');
}
