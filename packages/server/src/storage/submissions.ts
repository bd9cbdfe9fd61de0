import { guardrailSchema } from '@portcullis/policy';
import { and, desc, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Submission, SubmissionStore } from '../ports/submissions.ts';
import { read } from './rows.ts';
import type { Session } from './session.ts';
import { guardrailSubmissions } from './tables.ts';

const submissionRow = z.object({
  guardrailId: z.string(),
  guardrailName: z.string(),
  teamId: z.string().nullable(),
  status: z.enum(['pending_review', 'active', 'rejected']),
  content: z.record(z.string(), z.unknown()),
  submittedAt: z.date(),
  submittedBy: z.string(),
  reviewedAt: z.date().nullable(),
  reviewedBy: z.string().nullable(),
  reviewReason: z.string().nullable(),
});

/** Guardrails that teams brought, on a connection or in a transaction. */
export function submissionStore(session: Session): SubmissionStore {
  return {
    async insert({ guardrail, teamId, status, submittedAtMs, submittedBy, review }) {
      const { guardrail_id, guardrail_name, litellm_params, guardrail_info, policy_template } = guardrail;
      await session.ask((queries) =>
        queries.insert(guardrailSubmissions).values({
          guardrailId: guardrail_id,
          guardrailName: guardrail_name,
          teamId,
          status,
          content: { litellm_params, guardrail_info, policy_template },
          submittedAt: new Date(submittedAtMs),
          submittedBy,
          reviewedAt: review === null ? null : new Date(review.atMs),
          reviewedBy: review?.by ?? null,
          reviewReason: review?.reason ?? null,
        }),
      );
    },

    async find(guardrailId) {
      const rows = await session.ask((queries) =>
        queries.select().from(guardrailSubmissions).where(eq(guardrailSubmissions.guardrailId, guardrailId)),
      );
      return rows.map(readSubmission)[0] ?? null;
    },

    async findForUpdate(guardrailId) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(guardrailSubmissions)
          .where(eq(guardrailSubmissions.guardrailId, guardrailId))
          .for('update'),
      );
      return rows.map(readSubmission)[0] ?? null;
    },

    async list({ teamId, search }) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(guardrailSubmissions)
          .where(
            and(
              teamId === undefined ? undefined : eq(guardrailSubmissions.teamId, teamId),
              search === undefined
                ? undefined
                : sql`strpos(lower(${guardrailSubmissions.guardrailName}), lower(${search})) > 0`,
            ),
          )
          .orderBy(desc(guardrailSubmissions.submittedAt), desc(guardrailSubmissions.guardrailId)),
      );
      return rows.map(readSubmission);
    },

    async review(guardrailId, status, { atMs, by, reason }) {
      await session.ask((queries) =>
        queries
          .update(guardrailSubmissions)
          .set({ status, reviewedAt: new Date(atMs), reviewedBy: by, reviewReason: reason })
          .where(eq(guardrailSubmissions.guardrailId, guardrailId)),
      );
    },
  };
}

function readSubmission(row: unknown): Submission {
  const columns = read(submissionRow, row, 'guardrail submission');
  const guardrail = read(
    guardrailSchema,
    {
      ...columns.content,
      guardrail_id: columns.guardrailId,
      guardrail_name: columns.guardrailName,
      definition_location: 'db',
    },
    'guardrail submission',
  );
  const { reviewedAt, reviewedBy } = columns;
  return {
    guardrail,
    teamId: columns.teamId,
    status: columns.status,
    submittedAtMs: columns.submittedAt.getTime(),
    submittedBy: columns.submittedBy,
    review:
      reviewedAt === null
        ? null
        : { atMs: reviewedAt.getTime(), by: reviewedBy ?? 'unknown', reason: columns.reviewReason },
  };
}
