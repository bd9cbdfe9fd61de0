import { ERRORS, type PortcullisError } from '@portcullis/contract';
import type { HookInput } from '@portcullis/guardrails';
import type { RunRecord, Verdict } from '@portcullis/policy';
import type { RequestContent, RequestDetails } from '../ports/logs.ts';
import type { RequestSummary } from '../ports/records.ts';
import type { Accepted } from './accept.ts';
import type { Gateway } from './gateway.ts';
import { type GuardedInput, hookInput, monitor } from './guard-input.ts';
import { milliseconds, type Reached } from './headers.ts';
import { settle } from './limits.ts';
import type { Identified } from './identify.ts';
import type { Delivered } from './output/delivered.ts';
import { expectedRecords, runsOf, split, storesContent } from './plan.ts';

/** Everything a request reached, to its end. What it did not reach is null. */
export interface Story extends Reached {
  readonly accepted: Accepted | null;
  readonly identified: Identified | null;
  readonly input: GuardedInput | null;
  readonly ending: Pick<Delivered, 'status' | 'end' | 'errorCode' | 'errorMessage'>;
  readonly delivered: Delivered | null;
  /** Milliseconds spent in each stage. */
  readonly timings: Readonly<Record<string, number>>;
}

/**
 * Stage 7: writes the record of a request. Always called, also after faults; never throws. Then starts the runs that do
 * not hold anybody up (E5), and gives the snapshot free after the last of them.
 */
export function record(gateway: Gateway, story: Story): void {
  const { telemetry } = gateway;
  const release = (): void => {
    if (story.snapshot !== null) gateway.snapshots.release(story.snapshot);
  };
  let late: Promise<readonly RunRecord[]> | null = null;
  try {
    // First, because what is reserved and never settled would be missing for ever.
    const spend = settle(gateway, story);
    late = lateRuns(story);
    const policies = story.planned?.decision.plan.policies ?? NOTHING;
    telemetry.requestFinished(
      summaryOf(gateway, story),
      policies,
      enforcedRecords(story.input, story.delivered),
      late,
      detailsOf(gateway, story, spend),
    );
    checkInvariant(gateway, story);
  } catch (error) {
    telemetry.fault('record', error);
  }
  if (late === null) release();
  else late.then(release, release);
}

function summaryOf(gateway: Gateway, story: Story): RequestSummary {
  const { arrival, snapshot, accepted, identified, planned, dispatched, input, delivered, ending } = story;
  const who = identified?.identity;
  const plan = planned?.decision.plan;
  return {
    call_id: arrival.callId,
    time: arrival.time,
    method: arrival.method,
    path: arrival.path,
    status: ending.status,
    end: ending.end,
    error_code: ending.errorCode,
    error_message: ending.errorMessage,
    revision: snapshot?.revision ?? null,
    plan_hash: plan?.hash ?? null,
    key_hash_prefix: who?.policy.key_hash?.slice(0, 12) ?? null,
    key_alias: who?.policy.key_alias?.value ?? null,
    team_id: who?.policy.team_id ?? null,
    team_alias: who?.policy.team_alias ?? null,
    user_id: who?.policy.user_id ?? null,
    role: who?.role ?? null,
    model: accepted?.request.model.slice(0, 256) ?? null,
    model_group: planned?.group.name ?? null,
    model_id: dispatched?.deployment.id ?? null,
    upstream_model: dispatched?.upstreamModel ?? null,
    upstream_status: delivered?.upstreamStatus ?? null,
    stream: accepted?.request.stream ?? false,
    request_bytes: accepted?.raw.length ?? 0,
    caller_tags: accepted?.tags.map(({ value }) => value) ?? [],
    stripped_fields: accepted?.request.control.stripped ?? [],
    notes: planned?.decision.notes ?? [],
    verdicts: verdictsOf(input, delivered),
    usage: delivered?.usage ?? null,
    timings: timingsOf(gateway, story),
  };
}

const NOTHING: readonly never[] = Object.freeze([]);

/** Larger prompts and answers are not stored. */
const MAX_STORED_BYTES = 512 * 1024;

/** What only the store keeps. */
function detailsOf(gateway: Gateway, story: Story, spend: number | null): RequestDetails {
  const { accepted, identified, dispatched } = story;
  const endUser = accepted?.body['user'];
  const tags = identified?.identity.policy.tags;
  return {
    keyHash: identified?.identity.policy.key_hash ?? null,
    organizationId: identified?.identity.organizationId ?? null,
    endUser: typeof endUser === 'string' ? endUser.slice(0, 256) : null,
    tags: tags === undefined || tags.length === 0 ? NOTHING : tags.map(({ value }) => value),
    callType: accepted?.dialect.callType ?? 'acompletion',
    provider: dispatched?.deployment.provider ?? null,
    ...(spend === null ? {} : { spend }),
    content: contentOf(gateway, story),
  };
}

/**
 * The messages as they were sent on and the answer as the caller got it: both after masking. Read off now, after the
 * answer is out, because a record may wait long for the database, and the bytes of a stream are far larger than its text.
 */
function contentOf({ telemetry }: Gateway, story: Story): RequestContent | null {
  const { accepted, planned, input, delivered } = story;
  if (accepted === null || planned === null || !storesContent(planned)) return null;
  const without = (withheld: string): RequestContent => ({
    messages: null,
    answer: NOTHING,
    withheld,
    bytes: 0,
  });
  if (accepted.raw.length > MAX_STORED_BYTES) return without('too large');
  try {
    const answer = (delivered?.answer() ?? NOTHING).map(({ path, text }) => ({ path, text }));
    const bytes = answer.reduce((sum, { text }) => sum + text.length, accepted.raw.length);
    if (bytes > MAX_STORED_BYTES) return without('too large');
    const { dialect } = accepted;
    const body = input?.body ?? dialect.withoutControl(accepted.body);
    return { messages: body[dialect.promptField] ?? null, answer, withheld: null, bytes };
  } catch (error) {
    telemetry.fault('stored_content', error);
    return without('unreadable');
  }
}

function enforcedRecords(input: GuardedInput | null, delivered: Delivered | null): readonly RunRecord[] {
  const pre = input?.pre?.records ?? [];
  const during = delivered?.during?.records ?? [];
  const post = delivered?.post?.records ?? [];
  return pre.length + during.length + post.length === 0 ? [] : [...pre, ...during, ...post];
}

function verdictsOf(
  input: GuardedInput | null,
  delivered: Delivered | null,
): Partial<Record<string, Verdict>> {
  const verdicts: Partial<Record<string, Verdict>> = {};
  if (input?.pre) verdicts['pre_call'] = input.pre.verdict;
  if (delivered?.during) verdicts['during_call'] = delivered.during.verdict;
  if (delivered?.post) verdicts['post_call'] = delivered.post.verdict;
  return verdicts;
}

function timingsOf(gateway: Gateway, story: Story): Record<string, number> {
  const total = gateway.clock.monotonic() - story.arrival.start;
  const timings: Record<string, number> = {};
  for (const name in story.timings) timings[name] = milliseconds(story.timings[name] ?? 0);
  timings['total'] = milliseconds(total);
  if (story.delivered !== null) {
    timings['upstream'] = milliseconds(story.delivered.upstreamMs);
    timings['overhead'] = milliseconds(Math.max(0, total - story.delivered.upstreamMs));
  }
  return timings;
}

/** Every hook that ran has one record for each enforced run of the plan (E2). */
function checkInvariant(gateway: Gateway, { arrival, planned, input, delivered }: Story): void {
  if (planned === null) return;
  let expected = 0;
  let written = 0;
  const count = (
    hook: 'pre_call' | 'during_call' | 'post_call',
    records: readonly RunRecord[] | undefined,
  ): void => {
    if (records === undefined) return;
    expected += expectedRecords(runsOf(planned, hook));
    for (const run of records) if (run.enforcement === 'enforce') written += 1;
  };
  count('pre_call', input?.pre?.records);
  count('during_call', delivered?.during?.records);
  // The report of a stream that is still to come carries all of its records.
  if (delivered !== null && delivered.late.length === 0) count('post_call', delivered.post?.records);
  if (expected !== written) gateway.telemetry.runsMissing(arrival.callId, expected, written);
}

/** The runs that nobody waits for, in later turns of the event loop; null when there is none. */
function lateRuns(story: Story): Promise<readonly RunRecord[]> | null {
  const { input, delivered, planned } = story;
  if (input === null || planned === null) return null;
  const runs = [...input.monitored, ...(delivered?.late ?? [])];
  if (input.logged !== null) {
    const { segments, facts } = input.logged;
    const { enforced, monitored } = split(runsOf(planned, 'logging_only'));
    const logged = (): HookInput =>
      hookInput(planned, 'logging_only', [...segments, ...(delivered?.answer() ?? [])], facts, NEVER);
    if (enforced) runs.push(async () => (await planned.snapshot.runtime.runHook(logged())).records);
    if (monitored) runs.push(() => monitor(planned, logged())());
  }
  if (runs.length === 0) return null;
  return Promise.all(runs.map(later)).then((records) => records.flat());
}

const NEVER = new AbortController().signal;

function later(run: () => Promise<readonly RunRecord[]>): Promise<readonly RunRecord[]> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        run().then(resolve, reject);
      } catch (error) {
        reject(error instanceof Error ? error : new Error('a late run failed', { cause: error }));
      }
    });
  });
}

/** The ending of a request that failed before it reached a provider. */
export function earlyEnding(error: PortcullisError): Story['ending'] {
  const end = error.code === 'client_disconnected' ? 'disconnected' : 'refused';
  return { status: ERRORS[error.code].status, end, errorCode: error.code, errorMessage: error.message };
}
