import { createHash } from 'node:crypto';
import { PortcullisError } from '@portcullis/contract';
import { canonicalJson, type CompileResult, type Finding } from '@portcullis/policy';
import type { Stores } from '../../ports/database.ts';
import type { ConfiguredObjects } from '../../ports/policy-engine.ts';
import type { PolicyHead, RevisionEntry } from '../../ports/policy-store.ts';
import { type Actor, actorOf, type ControlContext } from '../context.ts';
import { auditRows } from '../guardrails/shape.ts';
import { modelRow } from '../models/shape.ts';
import type { RouteAnswer, RouteInput } from '../route.ts';
import { PolicyChange } from './change.ts';
import { configuredOf, mergedDocuments, NewestDocuments, type StoredObjects } from './documents.ts';
import { newErrors, refusedFindings, warningOf } from './findings.ts';

const DAY_MS = 86_400_000;
/** How long the answer to a write is kept for a retry. */
const KEPT_MS = 7 * DAY_MS;
/** How many changes a refused `If-Match` is told. */
const CHANGES_TOLD = 50;

type Body = Readonly<Record<string, unknown>>;
type AnyInput = RouteInput<unknown, unknown>;

/** Makes changes of policies, one transaction each. One of these serves a process. */
export interface ChangeMaker {
  /**
   * Does one write (V2): takes the head, checks what the headers ask for (V7), lets `work` say what becomes of the
   * objects, compiles the whole before anything is written (I4), and writes objects, history, audit rows (V10) and the
   * kept answer under one revision. Answers when this process enforces it (S5).
   */
  change(
    input: AnyInput,
    action: string,
    work: (change: PolicyChange) => Promise<Body>,
  ): Promise<RouteAnswer>;
  readonly newest: NewestDocuments;
}

/** The header in which every answer to a write tells its revision (S5). */
export const revisionHeader = (revision: number): Readonly<Record<string, string>> => ({
  'x-portcullis-revision': String(revision),
});

export function changeMaker(context: ControlContext): ChangeMaker {
  const newest = new NewestDocuments(context.database.documents);
  return {
    newest,
    async change(input, action, work) {
      const { database, engine } = context;
      const actor = actorOf(input.identity);
      const configured = configuredOf(engine);
      await newest.warm();
      const done = await database.transaction(async (stores) => {
        const head = await stores.policies.lockHead();
        const retry = await keptAnswer(stores, input, action, actor);
        if (retry !== null) return { answer: retry, made: null };
        await checkHead(stores, head, configured, input);
        const before = await newest.objectsAt(head.revision, stores);
        const nowMs = context.clock.now();
        const change = new PolicyChange({
          stores,
          configured,
          before,
          actor,
          nowMs,
          revision: head.revision + 1,
          guardrailRows: (old, fresh) => auditRows(old, fresh, context.guardrails.secrets),
          modelRows: (old, fresh) => ({
            before: old === null ? null : modelRow(old, context.modelReader),
            after: fresh === null ? null : modelRow(fresh, context.modelReader),
          }),
        });
        const body = await work(change);
        const compiled = await checked(context, change, before, head.revision);
        const doubts = change.doubts(compiled).map(warningOf);
        const whole = doubts.length === 0 ? body : { ...body, warnings: doubts };
        if (change.isTrial || change.isEmpty) {
          return { answer: { body: whole, headers: revisionHeader(head.revision) }, made: null };
        }
        await persist(change, input, action);
        await keepAnswer(stores, { input, action, actor, nowMs, body: whole, revision: change.revision });
        const answer: RouteAnswer = { body: whole, headers: revisionHeader(change.revision) };
        return { answer, made: { revision: change.revision, objects: change.objects, compiled } };
      });
      if (done.made !== null) {
        newest.keep({ ...done.made, configDigest: configured.digest });
        await engine.reach(done.made.revision);
      }
      return done.answer;
    },
  };
}

/** A stale revision, and a replica that would check the change against another configuration, are refused (V7, S9). */
async function checkHead(
  stores: Stores,
  head: PolicyHead,
  configured: ConfiguredObjects,
  { conditions }: AnyInput,
): Promise<void> {
  const { ifMatch } = conditions;
  if (ifMatch !== null && ifMatch !== head.revision) {
    const changes = await stores.policies.changesSince(ifMatch, CHANGES_TOLD);
    throw new PortcullisError(
      'revision_stale',
      `If-Match says revision ${ifMatch}, but the newest is ${head.revision}.`,
      { fields: { revision: head.revision, changes: changes.map(changeEntry) } },
    );
  }
  if (head.configDigest !== null && head.configDigest !== configured.digest) {
    throw new PortcullisError(
      'config_mismatch',
      'This replica runs another configuration file than the newest revision was made with.',
    );
  }
}

/** One revision as answers show it. */
export function changeEntry(entry: RevisionEntry): Body {
  return {
    revision: entry.revision,
    at: new Date(entry.atMs).toISOString(),
    by: entry.by,
    call_id: entry.callId,
    objects: entry.objects,
  };
}

/** Compiles what would be. Errors that were there before are no reason to refuse what repairs some of them. */
async function checked(
  { engine }: ControlContext,
  change: PolicyChange,
  before: StoredObjects,
  revision: number,
): Promise<CompileResult> {
  const would = await engine.compile(mergedDocuments(change.configured, change.objects, change.revision));
  if (would.ok) return would;
  const was = await engine.compile(mergedDocuments(change.configured, before, revision));
  const known = was.ok ? [] : was.findings;
  const brought = newErrors(would.findings, known);
  const left = would.findings.filter(isError);
  if (brought.length > 0) throw refusedFindings(brought, change.subject);
  if (left.length >= known.filter(isError).length) throw refusedFindings(left, change.subject);
  return would;
}

const isError = ({ severity }: Finding): boolean => severity === 'error';

async function persist(change: PolicyChange, { callId }: AnyInput, action: string): Promise<void> {
  const { stores, actor, nowMs, revision } = change;
  const taken = await stores.policies.advance({ by: actor.by, callId, atMs: nowMs });
  if (taken !== revision) throw new Error(`revision ${revision} was expected, ${taken} was taken`);
  for (const record of await change.write()) {
    await stores.audit.append({ atMs: nowMs, actor, action, ...record, refused: null, revision, callId });
  }
}

// ── Retries ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function keptAnswer(
  { idempotency }: Stores,
  input: AnyInput,
  action: string,
  actor: Actor,
): Promise<RouteAnswer | null> {
  const { idempotencyKey } = input.conditions;
  if (idempotencyKey === null) return null;
  const kept = await idempotency.find(actor.by, idempotencyKey);
  if (kept === null) return null;
  if (kept.requestHash !== requestHash(input, action)) {
    throw new PortcullisError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before.',
      { param: 'idempotency-key' },
    );
  }
  const body: unknown = JSON.parse(kept.body);
  const revision = kept.revision === null ? {} : revisionHeader(kept.revision);
  return { status: kept.status, body, headers: { ...revision, 'idempotent-replayed': 'true' } };
}

async function keepAnswer(
  { idempotency }: Stores,
  done: {
    readonly input: AnyInput;
    readonly action: string;
    readonly actor: Actor;
    readonly nowMs: number;
    readonly body: Body;
    readonly revision: number;
  },
): Promise<void> {
  const { input, action, actor, nowMs, body, revision } = done;
  const { idempotencyKey } = input.conditions;
  if (idempotencyKey === null) return;
  const answer = {
    requestHash: requestHash(input, action),
    status: 200,
    revision,
    body: JSON.stringify(body),
  };
  await idempotency.keep(actor.by, idempotencyKey, answer, nowMs, nowMs - KEPT_MS);
}

/** What makes two requests the same: what is done, to what, and with which body. */
function requestHash({ params, query, body }: AnyInput, action: string): string {
  return createHash('sha256')
    .update(canonicalJson([action, { ...params }, query ?? null, body ?? null]))
    .digest('hex');
}
