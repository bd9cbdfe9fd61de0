import type { PortcullisError } from '@portcullis/contract';
import { DatabaseError } from '../ports/database.ts';
import { actorOf, type ControlContext } from './context.ts';
import type { RawRouteInput, Route } from './route.ts';

/** Writes an attempt to change what the role does not allow into the audit log (V10). */
export async function recordRefusal(
  { database, clock }: ControlContext,
  { method, path }: Route,
  { identity, callId }: RawRouteInput,
  refusal: PortcullisError,
): Promise<void> {
  if (identity === null || method === 'GET' || refusal.status !== 403) return;
  try {
    await database.transaction(({ audit }) =>
      audit.append({
        atMs: clock.now(),
        actor: actorOf(identity),
        action: 'refused',
        object: { type: 'route', id: `${method} ${path}` },
        before: null,
        after: null,
        refused: refusal.message,
        callId,
      }),
    );
  } catch (error) {
    // It stays refused: a log that cannot be written must not turn the refusal into a fault that invites a retry.
    if (!(error instanceof DatabaseError)) throw error;
  }
}
