import { type JsonObject, PortcullisError, withSegments } from '@portcullis/contract';
import type {
  BlockDetails,
  HookInput,
  HookResult,
  RequestFacts,
  RespondDetails,
} from '@portcullis/guardrails';
import type { RunRecord, Segment } from '@portcullis/policy';
import type { Client } from './client.ts';
import { requestFacts } from './facts.ts';
import { type PlannedRequest, runsOf, split } from './plan.ts';

/** A request whose input was judged. */
export interface GuardedInput {
  readonly planned: PlannedRequest;
  /** The body to send on, without the gateway's own fields, masked; null when nobody looked, so that the bytes may go on. */
  readonly body: JsonObject | null;
  readonly pre: HookResult | null;
  /** Starts the during_call runs; to be called with the dispatch. Null when none is planned. */
  readonly startDuring: (() => HookResult | Promise<HookResult>) | null;
  /** Runs off the request's way, started in a later turn of the event loop (E5). */
  readonly monitored: readonly (() => Promise<readonly RunRecord[]>)[];
  /** What logging_only looks at; null when none is planned. */
  readonly logged: { readonly segments: readonly Segment[]; readonly facts: RequestFacts } | null;
}

export type InputVerdict =
  | { readonly kind: 'pass'; readonly guarded: GuardedInput }
  | { readonly kind: 'block'; readonly guarded: GuardedInput; readonly block: BlockDetails }
  | { readonly kind: 'respond'; readonly guarded: GuardedInput; readonly respond: RespondDetails };

/** A signal that nobody aborts: monitored runs outlive the caller's connection. */
const NEVER = new AbortController().signal;

/** Stage 4: pre_call runs; during_call ones are made ready. Makes no promise as long as no detector does. */
export function guardInput(planned: PlannedRequest, client: Client): InputVerdict | Promise<InputVerdict> {
  const pre = split(runsOf(planned, 'pre_call'));
  const during = split(runsOf(planned, 'during_call'));
  const logging = runsOf(planned, 'logging_only').length > 0;
  if (!pre.enforced && !pre.monitored && !during.enforced && !during.monitored && !logging) {
    const guarded = { planned, body: null, pre: null, startDuring: null, monitored: [], logged: null };
    return { kind: 'pass', guarded };
  }
  const { accepted } = planned.identified;
  const { dialect } = accepted;
  const body: JsonObject = dialect.withoutControl(accepted.body);
  const segments = dialect.requestSegments(body);
  const facts = requestFacts(planned, body);
  const input = hookInput(planned, 'pre_call', segments, facts, client.signal());
  const monitored: GuardedInput['monitored'] = pre.monitored ? [monitor(planned, input)] : [];
  const after = (result: HookResult | null): InputVerdict => {
    const now = result === null ? body : edited(body, segments, result);
    const changed = result?.segments ?? segments;
    const nextFacts = now === body ? facts : requestFacts(planned, now);
    const duringInput = hookInput(planned, 'during_call', changed, nextFacts, input.signal);
    const guarded: GuardedInput = {
      planned,
      body: now,
      pre: result,
      startDuring: during.enforced ? () => planned.snapshot.runtime.runHook(duringInput) : null,
      monitored: during.monitored ? [...monitored, monitor(planned, duringInput)] : monitored,
      logged: logging ? { segments: changed, facts: nextFacts } : null,
    };
    return inputVerdict(guarded, result);
  };
  if (!pre.enforced) return after(null);
  const result = planned.snapshot.runtime.runHook(input);
  return result instanceof Promise ? result.then(after) : after(result);
}

/** The input of one hook of this request. */
export function hookInput(
  planned: PlannedRequest,
  hook: 'pre_call' | 'during_call' | 'post_call' | 'logging_only',
  segments: readonly Segment[],
  facts: RequestFacts,
  signal: AbortSignal,
): HookInput {
  return {
    hook,
    direction: hook === 'post_call' ? 'response' : 'request',
    runs: runsOf(planned, hook),
    segments,
    original: segments,
    facts,
    signal,
    budgetMs: planned.snapshot.settings.guardrailBudgetMs,
    unscanned: planned.snapshot.unscanned,
    // The dialect puts changed texts back into strings only.
    canReplace: (segment) => segment.leaf === 'string',
  };
}

/** The monitored runs of a hook, not started yet. */
export function monitor(planned: PlannedRequest, input: HookInput): () => Promise<readonly RunRecord[]> {
  return () => planned.snapshot.runtime.runMonitored({ ...input, signal: NEVER });
}

function inputVerdict(guarded: GuardedInput, result: HookResult | null): InputVerdict {
  if (result?.block) return { kind: 'block', guarded, block: result.block };
  if (result?.respond) return { kind: 'respond', guarded, respond: result.respond };
  return { kind: 'pass', guarded };
}

function edited(body: JsonObject, segments: readonly Segment[], result: HookResult): JsonObject {
  if (result.edited.length === 0 || result.block !== null || result.respond !== null) return body;
  const rewritten = withSegments(body, segments, result.segments);
  if (rewritten.ok) return rewritten.body;
  const { path, reason } = rewritten.undeliverable;
  throw new PortcullisError('guardrail_error', `A masked text cannot be put back at ${path}: ${reason}.`);
}
