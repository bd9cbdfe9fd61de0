import { randomUUID } from 'node:crypto';
import {
  type NamedTeam,
  type NewTeam,
  namedTeamSchema,
  newTeamSchema,
  type PatchTeam,
  patchTeamSchema,
  PortcullisError,
  type UpdateTeam,
  updateTeamSchema,
} from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { NewTeamRecord, TeamChanges, TeamMember, TeamRecord } from '../../ports/teams.ts';
import { actorOf, type ControlContext, setByOf } from '../context.ts';
import { applyLimits } from '../limits.ts';
import { applyProtection, readProtection } from '../protection.ts';
import type { Route } from '../route.ts';
import { seenOf } from '../seen.ts';
import { teamNotFound } from './access.ts';
import { accountOfTeam, teamRow } from './shape.ts';

/** `POST /team/new`. */
export function newTeamRoute({ database, clock, knownNames }: ControlContext): Route<NewTeam> {
  return {
    method: 'POST',
    path: '/team/new',
    permission: 'admin',
    body: newTeamSchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const setBy = setByOf(identity, nowMs);
      const request = readProtection(body, { knownNames, object: 'team' });
      const fresh: NewTeamRecord = {
        teamId: body.team_id ?? randomUUID(),
        alias: typeof body.team_alias === 'string' ? { value: body.team_alias, setBy } : null,
        organizationId: body.organization_id ?? null,
        members: membersOf(body.members_with_roles),
        models: body.models ?? [],
        metadata: request.metadata ?? {},
        protection: applyProtection({}, request.written, identity, setBy),
        limits: applyLimits({}, body, nowMs),
        blocked: body.blocked ?? false,
        createdAtMs: nowMs,
        createdBy: setBy.by,
        updatedAtMs: nowMs,
        updatedBy: setBy.by,
      };
      const team: TeamRecord = { ...fresh, ignored: [] };
      await database.transaction(async (stores) => {
        if ((await stores.teams.insert(fresh)) === 'id_taken') {
          throw new PortcullisError(
            'name_taken',
            `Team id = ${fresh.teamId} already exists. Please use a different team id.`,
            { param: 'team_id' },
          );
        }
        await stores.audit.append({
          atMs: nowMs,
          actor: actorOf(identity),
          action: 'team.new',
          object: { type: 'team', id: team.teamId },
          before: null,
          after: teamRow(team),
          refused: null,
          callId,
        });
      });
      return { body: teamRow(team) };
    },
  };
}

/** `POST /team/update`: only given fields change. */
export function updateTeamRoute(context: ControlContext): Route<UpdateTeam> {
  return {
    method: 'POST',
    path: '/team/update',
    permission: 'admin',
    body: updateTeamSchema,
    async handler({ body, identity, callId }) {
      const team = await updateTeam(context, body.team_id, body, identity, callId);
      return { body: { team_id: team.teamId, data: team.row } };
    },
  };
}

/** `PATCH /team/{team_id}`: the same, with the id in the path. */
export function patchTeamRoute(context: ControlContext): Route<PatchTeam> {
  return {
    method: 'PATCH',
    path: '/team/:team_id',
    permission: 'admin',
    body: patchTeamSchema,
    async handler({ body, params, identity, callId }) {
      const team = await updateTeam(context, params['team_id'] ?? '', body, identity, callId);
      return { body: { team_id: team.teamId, data: team.row } };
    },
  };
}

async function updateTeam(
  context: ControlContext,
  teamId: string,
  body: PatchTeam,
  identity: Identity,
  callId: string,
): Promise<{ readonly teamId: string; readonly row: Readonly<Record<string, unknown>> }> {
  const request = readProtection(body, { knownNames: context.knownNames, object: 'team' });
  const about = { teamId, identity, callId, action: 'team.update' };
  const team = await changeTeam(context, about, async (before, nowMs, stores) => {
    const setBy = setByOf(identity, nowMs);
    const alias = body.team_alias;
    if (body.spend === 0) await stores.spend.delete([accountOfTeam(before)]);
    return {
      ...(alias === undefined || alias === before.alias?.value
        ? {}
        : { alias: alias === null ? null : { value: alias, setBy } }),
      ...(body.organization_id === undefined ? {} : { organizationId: body.organization_id }),
      ...(body.members_with_roles === undefined ? {} : { members: membersOf(body.members_with_roles) }),
      ...(body.models === undefined ? {} : { models: body.models ?? [] }),
      ...(body.blocked === undefined || body.blocked === null ? {} : { blocked: body.blocked }),
      // Always together: what is taken away here must not come back from an old twin in the stored metadata.
      metadata: request.metadata ?? before.metadata,
      protection: applyProtection(before.protection, request.written, identity, setBy),
      limits: applyLimits(before.limits, body, nowMs),
    };
  });
  if (body.spend === 0) context.spending?.forget([accountOfTeam(team)]);
  return { teamId, row: teamRow(team, await seenOf(context, { teams: [team] })) };
}

/** `POST /team/block` and `/team/unblock`: a blocked team's keys are refused. */
export function blockTeamRoute(context: ControlContext, blocked: boolean): Route<NamedTeam> {
  return {
    method: 'POST',
    path: blocked ? '/team/block' : '/team/unblock',
    permission: 'admin',
    body: namedTeamSchema,
    async handler({ body, identity, callId }) {
      const action = blocked ? 'team.block' : 'team.unblock';
      const about = { teamId: body.team_id, identity, callId, action };
      const team = await changeTeam(context, about, () => ({ blocked }));
      return { body: teamRow(team, await seenOf(context, { teams: [team] })) };
    },
  };
}

type TeamWrite = Omit<TeamChanges, 'updatedAtMs' | 'updatedBy'>;

/** Changes one team and writes it into the audit log, in one transaction. */
export async function changeTeam(
  { database, clock }: ControlContext,
  {
    teamId,
    identity,
    callId,
    action,
  }: { teamId: string; identity: Identity; callId: string; action: string },
  decide: (before: TeamRecord, nowMs: number, stores: Stores) => TeamWrite | Promise<TeamWrite>,
): Promise<TeamRecord> {
  const nowMs = clock.now();
  const actor = actorOf(identity);
  return database.transaction(async (stores: Stores) => {
    const before = await stores.teams.findForUpdate(teamId);
    if (before === null) throw teamNotFound(teamId);
    const changes = await decide(before, nowMs, stores);
    await stores.teams.update(teamId, { ...changes, updatedAtMs: nowMs, updatedBy: actor.by });
    const after = await stores.teams.find(teamId);
    if (after === null) throw teamNotFound(teamId);
    await stores.audit.append({
      atMs: nowMs,
      actor,
      action,
      object: { type: 'team', id: teamId },
      before: teamRow(before),
      after: teamRow(after),
      refused: null,
      callId,
    });
    return after;
  });
}

export function membersOf(given: NewTeam['members_with_roles']): readonly TeamMember[] {
  return (given ?? []).map(({ role, user_id, user_email }) => ({
    role,
    user_id: user_id ?? null,
    user_email: user_email ?? null,
  }));
}
