import type { AnswerOf, CreateAttachment, RequestOf } from '@portcullis/contract';
import { queryOptions } from '@tanstack/react-query';
import { call, read } from './client.ts';

/** One version of a policy. */
export type PolicyRow = AnswerOf<'GET /policies/:policy_id'>;
export type AttachmentRow = AnswerOf<'GET /policies/attachments/:attachment_id'>;
export type Comparison = AnswerOf<'GET /policies/compare'>;
export type Impact = AnswerOf<'POST /policies/attachments/estimate-impact'>;
/** The answer of `POST /policies/resolve` with `explain: true`. */
export type Explained = Extract<AnswerOf<'POST /policies/resolve'>, { readonly revision: number }>;
export type GuardrailRow = AnswerOf<'GET /v2/guardrails/list'>['guardrails'][number];

/** The newest revision: what everything that was changed is in. */
export const revisionQuery = queryOptions({
  queryKey: ['policies', 'revision'],
  queryFn: async ({ signal }) => (await call('GET /policies/revision', { signal })).body,
  refetchInterval: 15_000,
});

export const policiesQuery = queryOptions({
  queryKey: ['policies', 'list'],
  queryFn: async ({ signal }) => {
    const { body, revision } = await call('GET /policies/list', { signal });
    return { ...body, revision };
  },
});

/** What the snapshot in force makes of each name in production. */
export const summariesQuery = queryOptions({
  queryKey: ['policies', 'summaries'],
  queryFn: async ({ signal }) => (await call('GET /policy/list', { signal })).body.policies,
});

export const versionsQuery = (name: string) =>
  queryOptions({
    queryKey: ['policies', 'versions', name],
    queryFn: async ({ signal }) => {
      const { body, revision } = await call('GET /policies/name/:policy_name/versions', {
        params: { policy_name: name },
        signal,
      });
      return { versions: body.versions, revision };
    },
  });

export const attachmentsQuery = queryOptions({
  queryKey: ['attachments', 'list'],
  queryFn: async ({ signal }) => {
    const { body, revision } = await call('GET /policies/attachments/list', { signal });
    return { ...body, revision };
  },
});

export const guardrailsQuery = queryOptions({
  queryKey: ['guardrails', 'list'],
  queryFn: async ({ signal }) => (await call('GET /v2/guardrails/list', { signal })).body.guardrails,
});

/** The names that requests may ask for. */
export const modelsQuery = queryOptions({
  queryKey: ['models', 'names'],
  queryFn: async ({ signal }) => {
    const { data } = (await read('/v1/models', signal)) as {
      readonly data: readonly { readonly id: string }[];
    };
    return data.map(({ id }) => id);
  },
  staleTime: 60_000,
});

/** Rows of policy versions with the traffic of today and yesterday. */
export const policyUsageQuery = queryOptions({
  queryKey: ['policies', 'usage'],
  queryFn: async ({ signal }) => {
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const now = Date.now();
    const { body } = await call('GET /policies/usage/overview', {
      query: { start_date: day(now - 86_400_000), end_date: day(now) },
      signal,
    });
    return body;
  },
});

export const compareQuery = (a: string, b: string) =>
  queryOptions({
    queryKey: ['policies', 'compare', a, b],
    queryFn: async ({ signal }) =>
      (await call('GET /policies/compare', { query: { version_a: a, version_b: b }, signal })).body,
  });

export const impactQuery = (attachment: CreateAttachment) =>
  queryOptions({
    queryKey: ['attachments', 'impact', attachment],
    queryFn: async ({ signal }) =>
      (await call('POST /policies/attachments/estimate-impact', { body: attachment, signal })).body,
    staleTime: 30_000,
    retry: false,
  });

/** The names that a selector or a simulation may choose from, found by a part of the name. */
export const teamSearchQuery = (part: string) =>
  queryOptions({
    queryKey: ['teams', 'search', part],
    queryFn: async ({ signal }) => {
      const { body } = await call('GET /v2/team/list', {
        query: {
          ...(part === '' ? {} : { team_alias: part }),
          page_size: 50,
          sort_by: 'team_alias',
          sort_order: 'asc',
        },
        signal,
      });
      return body.teams;
    },
    staleTime: 30_000,
  });

export const keySearchQuery = queryOptions({
  queryKey: ['keys', 'search'],
  queryFn: async ({ signal }) => {
    const { body } = await call('GET /key/list', {
      query: { size: 100, return_full_object: 'true', sort_by: 'key_alias', sort_order: 'asc' },
      signal,
    });
    return body.keys.filter((key) => typeof key !== 'string');
  },
  staleTime: 30_000,
});

export const tagsQuery = queryOptions({
  queryKey: ['tags', 'list'],
  queryFn: async ({ signal }) => {
    const { body } = await call('GET /tag/list', { signal });
    return body.map(({ name }) => name);
  },
  staleTime: 30_000,
});

/** What the gateway would say to definitions as the file has them, as JSON. */
export const validateQuery = (definitions: string) =>
  queryOptions({
    queryKey: ['policies', 'validate', definitions],
    queryFn: async ({ signal }) => {
      const policies = JSON.parse(definitions) as Record<string, unknown>;
      return (await call('POST /policy/validate', { body: { policies }, signal })).body;
    },
    staleTime: 60_000,
    retry: false,
  });

type Question = NonNullable<RequestOf<'POST /policies/resolve'>['body']>;

/** What the gateway would do with a described request, and why. */
export const explainQuery = (question: Question) =>
  queryOptions({
    queryKey: ['policies', 'resolve', question],
    queryFn: async ({ signal }): Promise<Explained> => {
      const { body } = await call('POST /policies/resolve', { body: { ...question, explain: true }, signal });
      if ('plan_hash' in body) return body;
      throw new Error('The gateway did not explain its answer.');
    },
    retry: false,
  });

/** The newest requests, or one by its id, to be asked about again. */
export const requestsQuery = (requestId?: string) =>
  queryOptions({
    queryKey: ['requests', requestId ?? 'newest'],
    queryFn: async ({ signal }) =>
      (
        await call('GET /spend/logs/v2', {
          query: requestId === undefined ? { page_size: 20 } : { request_id: requestId },
          signal,
        })
      ).body.data,
  });
