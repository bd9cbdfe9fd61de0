import { randomUUID } from 'node:crypto';
import {
  type FieldProblem,
  FieldsError,
  PortcullisError,
  type RegisterGuardrail,
  registerGuardrailSchema,
  type ReviewSubmission,
  reviewSubmissionSchema,
  type SubmissionsQuery,
  submissionsQuerySchema,
} from '@portcullis/contract';
import type { Guardrail } from '@portcullis/policy';
import type { Stores } from '../../ports/database.ts';
import { type GuardrailSecrets, SecretProblem } from '../../ports/guardrail-secrets.ts';
import type { Identity } from '../../ports/identity.ts';
import type { Submission } from '../../ports/submissions.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import { actorOf, type ControlContext, isAdmin, seesAll } from '../context.ts';
import type { Route } from '../route.ts';
import { readCandidate } from './candidate.ts';
import { submissionRow } from './shape.ts';
import { putNew } from './write.ts';

/** The one kind that a team may bring: it runs outside, at the team's own risk. */
const TEAM_KIND = 'generic_guardrail_api';

/** `POST /guardrails/register`: a team brings a guardrail of its own. It runs when an administrator has approved it. */
export function registerGuardrailRoute(context: ControlContext): Route<RegisterGuardrail> {
  const { secrets } = context.guardrails;
  return {
    method: 'POST',
    path: '/guardrails/register',
    permission: 'any_key',
    recordsEveryRefusal: true,
    body: registerGuardrailSchema,
    async handler({ body, identity, callId }) {
      const teamId = teamOf(body, identity);
      refuseParams(body.litellm_params);
      const candidate = readCandidate(
        {
          guardrail_id: randomUUID(),
          guardrail_name: body.guardrail_name,
          litellm_params: body.litellm_params,
          guardrail_info: body.guardrail_info ?? {},
          policy_template: null,
        },
        { ...context.guardrails, root: [], current: null },
      );
      const actor = actorOf(identity);
      const submission: Submission = {
        guardrail: secrets.seal(candidate),
        teamId,
        status: 'pending_review',
        submittedAtMs: context.clock.now(),
        submittedBy: actor.by,
        review: null,
      };
      const row = submissionRow(submission, secrets);
      await context.database.transaction(async (stores) => {
        await refuseTaken(context, stores, submission);
        await stores.submissions.insert(submission);
        await stores.audit.append({
          atMs: submission.submittedAtMs,
          actor,
          action: 'guardrail.register',
          object: { type: 'guardrail', id: candidate.guardrail_id },
          before: null,
          after: row,
          refused: null,
          callId,
        });
      });
      return { body: row };
    },
  };
}

/** `GET /guardrails/submissions`: an administrator sees all of them, everybody else those of the own team. */
export function listSubmissionsRoute(context: ControlContext): Route<unknown, SubmissionsQuery> {
  return {
    method: 'GET',
    path: '/guardrails/submissions',
    permission: 'any_key',
    query: submissionsQuerySchema,
    async handler({ query, identity }) {
      const { team_id: teamId, search, status } = query;
      const own = identity.policy.team_id;
      if (!seesAll(identity) && teamId !== undefined && teamId !== own) throw notYours('list');
      const all =
        !seesAll(identity) && own === null
          ? []
          : await context.database.stores.submissions.list({
              ...(seesAll(identity) ? {} : { teamId: own ?? '' }),
              ...(teamId === undefined ? {} : { teamId }),
              ...(search === undefined ? {} : { search }),
            });
      const count = (wanted: Submission['status']) => all.filter((one) => one.status === wanted).length;
      return {
        body: {
          submissions: all
            .filter((one) => status === undefined || one.status === status)
            .map((one) => submissionRow(one, context.guardrails.secrets)),
          summary: {
            total: all.length,
            pending_review: count('pending_review'),
            active: count('active'),
            rejected: count('rejected'),
          },
        },
      };
    },
  };
}

/** `GET /guardrails/submissions/{id}`. */
export function submissionRoute(context: ControlContext): Route {
  return {
    method: 'GET',
    path: '/guardrails/submissions/:guardrail_id',
    permission: 'any_key',
    async handler({ params, identity }) {
      const id = params['guardrail_id'] ?? '';
      const submission = await context.database.stores.submissions.find(id);
      const own = identity.policy.team_id;
      const isSeen =
        submission !== null && (seesAll(identity) || (own !== null && submission.teamId === own));
      if (submission === null || !isSeen) throw submissionNotFound(id);
      return { body: submissionRow(submission, context.guardrails.secrets) };
    },
  };
}

/** `POST /guardrails/submissions/{id}/approve`: from now on it is a guardrail of the database like any other. */
export function approveSubmissionRoute(
  context: ControlContext,
  changes: ChangeMaker,
): Route<ReviewSubmission> {
  const { secrets } = context.guardrails;
  return {
    method: 'POST',
    path: '/guardrails/submissions/:guardrail_id/approve',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: reviewSubmissionSchema,
    handler(input) {
      const id = input.params['guardrail_id'] ?? '';
      return changes.change(input, 'guardrail.approve', async (change) => {
        const { stores, actor, nowMs } = change;
        const submission = pending(id, await stores.submissions.findForUpdate(id));
        // Checked again: what was possible when it was submitted may not be any more.
        const candidate = readCandidate(openedSubmission(submission, secrets), {
          ...context.guardrails,
          root: [],
          current: null,
        });
        putNew(context, change, candidate, { createdBy: submission.submittedBy, root: [] });
        const review = { atMs: nowMs, by: actor.by, reason: input.body?.reason ?? null };
        await stores.submissions.review(id, 'active', review);
        return submissionRow({ ...submission, status: 'active', review }, secrets);
      });
    },
  };
}

/** `POST /guardrails/submissions/{id}/reject`. */
export function rejectSubmissionRoute(context: ControlContext): Route<ReviewSubmission> {
  const { secrets } = context.guardrails;
  return {
    method: 'POST',
    path: '/guardrails/submissions/:guardrail_id/reject',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: reviewSubmissionSchema,
    async handler({ body, params, identity, callId }) {
      const id = params['guardrail_id'] ?? '';
      const actor = actorOf(identity);
      const review = { atMs: context.clock.now(), by: actor.by, reason: body?.reason ?? null };
      const rejected = await context.database.transaction(async (stores) => {
        const submission = pending(id, await stores.submissions.findForUpdate(id));
        await stores.submissions.review(id, 'rejected', review);
        const after: Submission = { ...submission, status: 'rejected', review };
        await stores.audit.append({
          atMs: review.atMs,
          actor,
          action: 'guardrail.reject',
          object: { type: 'guardrail', id },
          before: submissionRow(submission, secrets),
          after: submissionRow(after, secrets),
          refused: null,
          callId,
        });
        return after;
      });
      return { body: submissionRow(rejected, secrets) };
    },
  };
}

function teamOf({ team_id: given }: RegisterGuardrail, identity: Identity): string | null {
  const own = identity.policy.team_id;
  if (isAdmin(identity)) return given ?? own;
  if (given !== undefined && given !== null && given !== own) throw notYours('register one');
  if (own === null) {
    throw new PortcullisError(
      'invalid_request',
      'A guardrail is registered for a team, and this key belongs to none: use a key of the team.',
      { param: 'team_id' },
    );
  }
  return own;
}

/** Told at once instead of at the approval; a retry of the same registration makes no second one. */
async function refuseTaken(
  { guardrails: { tools } }: ControlContext,
  { submissions, policies }: Stores,
  { guardrail: { guardrail_name: name }, teamId }: Submission,
): Promise<void> {
  const taken = (message: string) => new PortcullisError('name_taken', message, { param: 'guardrail_name' });
  const stored = (await policies.guardrails()).map(({ guardrail }) => guardrail);
  if ([...stored, ...tools.inForce()].some(({ guardrail_name }) => guardrail_name === name)) {
    throw taken(`Guardrail '${name}' already exists.`);
  }
  const waiting = await submissions.list({ search: name });
  const isSame = (other: Submission) =>
    other.status === 'pending_review' && other.guardrail.guardrail_name === name && other.teamId === teamId;
  if (waiting.some(isSame)) throw taken(`A submission '${name}' of this team is waiting for review.`);
}

function refuseParams(params: RegisterGuardrail['litellm_params']): void {
  const problems: FieldProblem[] = [];
  const problem = (field: string, msg: string) =>
    problems.push({ loc: ['body', 'litellm_params', field], msg, type: 'value' });
  if (params['guardrail'] !== TEAM_KIND) problem('guardrail', `a team can bring "${TEAM_KIND}" alone`);
  if (params['default_on'] !== undefined && params['default_on'] !== false && params['default_on'] !== null) {
    problem('default_on', 'only an administrator decides what runs for everybody; leave it out');
  }
  if (problems.length > 0) throw new FieldsError(problems);
}

function pending(id: string, submission: Submission | null): Submission {
  if (submission === null) throw submissionNotFound(id);
  if (submission.status !== 'pending_review') {
    throw new PortcullisError(
      'invalid_request',
      `Submission ${id} is ${submission.status}: only one that is pending_review can be approved or rejected.`,
    );
  }
  return submission;
}

function openedSubmission({ guardrail }: Submission, secrets: GuardrailSecrets): Guardrail {
  try {
    return secrets.open(guardrail);
  } catch (error) {
    if (!(error instanceof SecretProblem)) throw error;
    throw new PortcullisError('invalid_request', `${error.message} The team can register it anew.`);
  }
}

function submissionNotFound(id: string): PortcullisError {
  return new PortcullisError('not_found', `Guardrail submission ${id} not found`);
}

function notYours(what: string): PortcullisError {
  return new PortcullisError('admin_only', `Only an administrator may ${what} for another team.`, {
    param: 'team_id',
  });
}
