import { PortcullisError } from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { TeamRecord } from '../../ports/teams.ts';

/** The team of this id, or the refusal that names it. */
export async function requireTeam({ teams }: Pick<Stores, 'teams'>, teamId: string): Promise<TeamRecord> {
  const team = await teams.find(teamId);
  if (team === null) throw teamNotFound(teamId);
  return team;
}

export function teamNotFound(teamId: string): PortcullisError {
  return new PortcullisError('not_found', `Team not found, passed team_id=${teamId}`, { param: 'team_id' });
}
