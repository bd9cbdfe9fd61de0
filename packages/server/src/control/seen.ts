import type { KeyRecord } from '../ports/keys.ts';
import type { TeamRecord } from '../ports/teams.ts';
import type { UserRecord } from '../ports/users.ts';
import type { ControlContext } from './context.ts';
import { accountOfKey } from './keys/shape.ts';
import type { Seen } from './limits.ts';
import { accountOfTeam } from './teams/shape.ts';
import { accountOfUser } from './users/shape.ts';

/** What these objects have spent until now. */
export async function seenOf(
  { database, clock, spending }: ControlContext,
  {
    keys = [],
    teams = [],
    users = [],
  }: {
    readonly keys?: readonly KeyRecord[];
    readonly teams?: readonly TeamRecord[];
    readonly users?: readonly UserRecord[];
  },
): Promise<Seen> {
  const accounts = [...keys.map(accountOfKey), ...teams.map(accountOfTeam), ...users.map(accountOfUser)];
  await spending?.flush();
  return { nowMs: clock.now(), spent: await database.stores.spend.read([...new Set(accounts)]) };
}
