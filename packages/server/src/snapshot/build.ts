import { createRuntime, type DetectorDefinition, type Ports } from '@portcullis/guardrails';
import {
  ANONYMOUS,
  type Attachment,
  type CompileResult,
  compileSteps,
  decide,
  type Documents,
  type Finding,
  type Guardrail,
  type ModelGroup,
  type Policy,
  type Snapshot,
  type Unscanned,
} from '@portcullis/policy';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';
import type { DeployedGroup } from '../ports/models.ts';
import type { ActiveSnapshot, GatewaySettings } from '../ports/snapshot.ts';

/** Longest time that compiling holds the event loop at once, in milliseconds (S8). */
const SLICE_MS = 2;
/** Models of the self-test; a configuration with more is still compiled and checked as a whole. */
const SELF_TEST_MODELS = 20;

/** What a snapshot is built from: configuration and database, merged (S7). */
export interface SnapshotSource {
  readonly digest: string;
  readonly policies: readonly Policy[];
  readonly attachments: readonly Attachment[];
  readonly guardrails: readonly Guardrail[];
  readonly modelGroups: readonly ModelGroup[];
  readonly deployedGroups: readonly DeployedGroup[];
  readonly modelAliases: Readonly<Record<string, string>>;
  readonly settings: GatewaySettings & { readonly unscanned: Unscanned | null };
}

export interface BuildTools {
  readonly catalogue: readonly DetectorDefinition[];
  /** What the detectors may reach. */
  readonly ports: Ports;
  readonly clock: Clock;
}

export type BuildResult =
  | { readonly ok: true; readonly snapshot: ActiveSnapshot; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * Builds a snapshot aside: detectors, compiled policies, self-test. What is in force is not touched, and what was made
 * is freed again when something is wrong. Yields the event loop every few milliseconds.
 */
export async function buildSnapshot(
  source: SnapshotSource,
  revision: number,
  tools: BuildTools,
): Promise<BuildResult> {
  const made = createRuntime(source.guardrails, tools.catalogue, tools.ports);
  if (!made.ok) return { ok: false, findings: made.findings };
  const { runtime } = made;
  const documents: Documents = {
    revision,
    policies: source.policies,
    attachments: source.attachments,
    guardrails: source.guardrails,
    models: source.modelGroups,
    model_aliases: source.modelAliases,
    settings: { unscanned: source.settings.unscanned },
  };
  try {
    const compiled = await inSlices(compileSteps(documents, runtime.lookup), tools.clock);
    if (!compiled.ok) {
      runtime.dispose();
      return compiled;
    }
    const problems = selfTest(compiled.snapshot, source);
    if (problems.length > 0) {
      runtime.dispose();
      return { ok: false, findings: problems };
    }
    const policies = new Map<string, Unscanned>();
    for (const { policy_id, unscanned } of source.policies)
      if (unscanned !== null) policies.set(policy_id, unscanned);
    const snapshot: ActiveSnapshot = {
      revision,
      policy: compiled.snapshot,
      runtime,
      groups: new Map(source.deployedGroups.map((group) => [group.name, group])),
      unscanned: { policies, global: source.settings.unscanned },
      settings: source.settings,
    };
    return { ok: true, snapshot, warnings: compiled.warnings };
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

export async function inSlices(steps: Generator<void, CompileResult>, clock: Clock): Promise<CompileResult> {
  let sliceEnd = clock.monotonic() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonic() < sliceEnd) continue;
    await nextTurn();
    sliceEnd = clock.monotonic() + SLICE_MS;
  }
}

/** Asks the new snapshot what any request would: every question must have a plan, and the same one twice (C5). */
function selfTest(snapshot: Snapshot, source: SnapshotSource): Finding[] {
  const models = [null, ...source.modelGroups.slice(0, SELF_TEST_MODELS).map(({ model_name }) => model_name)];
  const problems: Finding[] = [];
  for (const model of models) {
    const context = { principal: ANONYMOUS, model, tags: [], guardrails: [], policies: [] };
    const first = decide(snapshot, context);
    const second = decide(snapshot, context);
    if (first.kind === 'planned' && second.kind === 'planned' && first.plan.hash === second.plan.hash)
      continue;
    problems.push({
      severity: 'error',
      code: 'self_test_failed',
      message: `The self-test found no stable plan for ${model === null ? 'a request without a model' : `the model ${model}`}.`,
      path: ['models', model ?? ''],
    });
  }
  return problems;
}
