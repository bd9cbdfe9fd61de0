import {
  PortcullisError,
  type ResolveBody,
  resolveBodySchema,
  type ResolveQuery,
  resolveQuerySchema,
  type TestContext,
  testContextSchema,
} from '@portcullis/contract';
import { type Explanation, explainSteps, type ResolveQuestion, type Snapshot } from '@portcullis/policy';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { inSlices } from '../slices.ts';
import { contextOf, type Question } from './question.ts';

/** `POST /policies/resolve`: the gateway's own decision for a described request, with all its reasons (Q1, D-54). */
export function resolveRoute(context: ControlContext): Route<ResolveBody, ResolveQuery> {
  return {
    method: 'POST',
    path: '/policies/resolve',
    permission: 'admin_viewer',
    body: resolveBodySchema,
    query: resolveQuerySchema,
    async handler({ body, query }) {
      if (query.force_sync) {
        const { revision } = await context.database.documents.head();
        await context.engine.reach(revision);
      }
      const { explanation, question, snapshot } = await explained(context, body);
      const { effective_guardrails, matched_policies } = explanation;
      if (body.explain !== true) {
        refuseAsTheGateway(explanation);
        return { body: { effective_guardrails, matched_policies, ...marks(question) } };
      }
      const { plan, ...rest } = explanation;
      return {
        body: {
          ...marks(question),
          revision: snapshot.revision,
          plan_hash: plan?.hash ?? null,
          applied_policies: plan?.policies ?? [],
          key: question.key,
          team: question.team,
          context: question.context,
          ...rest,
        },
      };
    },
  };
}

/** `POST /policy/test`: the older form of the same question; both lists honour conditions (D-54). */
export function testPolicyRoute(context: ControlContext): Route<TestContext> {
  return {
    method: 'POST',
    path: '/policy/test',
    permission: 'admin_viewer',
    body: testContextSchema,
    async handler({ body }) {
      const { explanation } = await explained(context, body);
      refuseAsTheGateway(explanation);
      const { matched_policies, effective_guardrails } = explanation;
      return {
        body: {
          context: {
            team_alias: body.team_alias ?? null,
            key_alias: body.key_alias ?? null,
            model: body.model ?? null,
            tags: body.tags ?? null,
          },
          matching_policies: matched_policies.map(({ policy_name }) => policy_name),
          resolved_guardrails: effective_guardrails,
          ...(matched_policies.length === 0 ? { message: 'No policies match this context' } : {}),
        },
      };
    },
  };
}

/** The snapshot in force. @throws PortcullisError `policy_not_ready` before there is one (S2). */
export function snapshotOf({ engine }: ControlContext): Snapshot {
  const snapshot = engine.current();
  if (snapshot === null) {
    throw new PortcullisError('policy_not_ready', 'Policy engine not initialized. No policies loaded.');
  }
  return snapshot;
}

async function explained(
  context: ControlContext,
  asked: ResolveQuestion,
): Promise<{ explanation: Explanation; question: Question; snapshot: Snapshot }> {
  const snapshot = snapshotOf(context);
  const question = await contextOf(context, asked);
  const explanation = await inSlices(explainSteps(snapshot, question.context), context.clock);
  return { explanation, question, snapshot };
}

/** What would be refused has no guardrails to show: the answer is the refusal itself. */
function refuseAsTheGateway({ refusals }: Explanation): void {
  const [first] = refusals;
  if (first === undefined) return;
  throw new PortcullisError(
    first.code,
    `The request would be refused: ${first.code} (${first.names.join(', ')})`,
    {
      fields: { refusals },
    },
  );
}

/** A name that no key or team has is a name and nothing more, and the answer says so (Q1). */
function marks({ key, team }: Question): Readonly<Record<string, unknown>> {
  const isHypothetical = (known: string) => known === 'hypothetical' || known === 'unavailable';
  if (!isHypothetical(key) && !isHypothetical(team)) return {};
  const isAway = key === 'unavailable' || team === 'unavailable';
  return { hypothetical: true, ...(isAway ? { stored_lookup: 'unavailable' } : {}) };
}
