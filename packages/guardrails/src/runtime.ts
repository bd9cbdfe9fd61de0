import type { DetectorLookup, Finding, Guardrail, RunRecord } from '@portcullis/policy';
import type { DetectorDefinition, Ports } from './guardrail.ts';
import type { HookInput, HookResult, MaybePromise, StreamGate, StreamInput } from './hook.ts';

/** All configured guardrails, ready to run. Immutable; any number of requests use it at once. */
export interface Runtime {
  /** For the policy compiler: what a guardrail's detector can do; null for an unknown provider. */
  readonly lookup: DetectorLookup;
  /** Runs the enforced runs of one hook. Never throws, never rejects (E1). */
  runHook(input: HookInput): MaybePromise<HookResult>;
  /** Runs the monitored runs of one hook off the request's way (E5). Never rejects. */
  runMonitored(input: HookInput): Promise<readonly RunRecord[]>;
  /** Opens the gate of a streamed answer (E8). */
  openStream(input: StreamInput): StreamGate;
  /** Runs planned and records written since the start: equal at rest (E2). */
  readonly counts: { readonly planned: number; readonly recorded: number };
  /** Frees what garbage collection cannot. Call it when no request uses the runtime any more. */
  dispose(): void;
}

export type RuntimeResult =
  | { readonly ok: true; readonly runtime: Runtime }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export function createRuntime(
  _guardrails: readonly Guardrail[],
  _catalogue: readonly DetectorDefinition[],
  _ports: Ports,
): RuntimeResult {
  throw new Error('not written yet');
}
