import { PortcullisError, type TeamPoliciesQuery, teamPoliciesQuerySchema } from '@portcullis/contract';
import {
  ANONYMOUS,
  type Attachment,
  explainSteps,
  matchesPattern,
  parsePattern,
  resolvedGuardrails,
  type Snapshot,
} from '@portcullis/policy';
import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import { type ControlContext, seesAll } from '../context.ts';
import { snapshotOf } from '../policies/resolve.ts';
import type { Route } from '../route.ts';
import { inSlices } from '../slices.ts';
import { isTeamAdmin, teamNotFound } from './access.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * `GET /team/policies`: what is in force for a team, for its admins to read (D-70). Of an attachment they see what concerns
 * their team: the patterns that select other teams and keys are left out.
 */
export function teamPoliciesRoute(context: ControlContext): Route<unknown, TeamPoliciesQuery> {
  const { database, principalOf } = context;
  return {
    method: 'GET',
    path: '/team/policies',
    permission: 'any_key',
    query: teamPoliciesQuerySchema,
    async handler({ query, identity }) {
      const team = await database.stores.teams.find(query.team_id);
      // Whoever may not see a team is not told either whether it exists.
      if (!seesAll(identity) && (team === null || !isTeamAdmin(team, identity))) {
        throw new PortcullisError(
          'admin_only',
          'Only an admin of the team or a proxy_admin may see what is in force for it.',
          { param: 'team_id' },
        );
      }
      if (team === null) throw teamNotFound(query.team_id);
      const snapshot = snapshotOf(context);
      const keys = await database.stores.keys.ofTeams([team.teamId]);
      const principal = { ...ANONYMOUS, ...principalOf({ key: null, team }) };
      const question = { principal, model: null, tags: [], guardrails: [], policies: [] };
      const explanation = await inSlices(explainSteps(snapshot, question), context.clock);
      const concerning = new Set(
        explanation.attachments
          .filter(({ dimensions }) =>
            dimensions.every(({ dimension, passes }) => dimension !== 'teams' || passes),
          )
          .map(({ attachment_id }) => attachment_id),
      );
      const attachments = snapshot.documents.attachments
        .filter(({ attachment_id }) => concerning.has(attachment_id))
        .map((attachment) => ({ attachment, keys: ownKeys(attachment, keys) }))
        .filter(({ attachment, keys: own }) => attachment.keys.length === 0 || own.length > 0);
      const named = team.protection.policies?.value ?? [];
      const names = [...new Set([...named, ...attachments.map(({ attachment }) => attachment.policy_name)])];
      return {
        body: {
          team_id: team.teamId,
          revision: snapshot.revision,
          attachments: attachments.map(({ attachment, keys: own }) => attachmentFor(team, attachment, own)),
          team_policies: named,
          policies: names.flatMap((name) => policyFor(snapshot, name)),
          effective_guardrails: explanation.effective_guardrails,
        },
      };
    },
  };
}

/** The patterns of an attachment that select keys of the team. */
function ownKeys({ keys: patterns }: Attachment, keys: readonly KeyRecord[]): readonly string[] {
  return patterns.filter((text) => {
    const pattern = parsePattern(text);
    return keys.some(
      ({ alias, tokenHash }) =>
        matchesPattern(pattern, alias?.value.normalize('NFC') ?? null) || matchesPattern(pattern, tokenHash),
    );
  });
}

function attachmentFor(team: TeamRecord, attachment: Attachment, keys: readonly string[]): Row {
  const { attachment_id, policy_name, scope, teams, models, tags, enforcement } = attachment;
  const own = teams.filter((text) => {
    const pattern = parsePattern(text);
    return (
      matchesPattern(pattern, team.alias?.value.normalize('NFC') ?? null) ||
      matchesPattern(pattern, team.teamId)
    );
  });
  return { attachment_id, policy_name, scope, teams: own, keys, models, tags, enforcement };
}

/** The version that is in force; none for a name without one. */
function policyFor(snapshot: Snapshot, name: string): readonly Row[] {
  const policy = snapshot.production.get(name)?.policy;
  if (policy === undefined) return [];
  const { policy_id, policy_name, version_number, description, definition_location } = policy;
  return [
    {
      policy_id,
      policy_name,
      version_number,
      description,
      definition_location,
      resolved_guardrails: resolvedGuardrails(snapshot, policy_id) ?? [],
    },
  ];
}
