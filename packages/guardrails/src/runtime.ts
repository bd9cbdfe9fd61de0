import type { DetectorLookup, Finding, Guardrail, PlannedRun, RunRecord } from '@portcullis/policy';
import { configure, definitionOf, disposeAll } from './configure.ts';
import { execute, recordsOf, hookResultOf, skippedEntry } from './execute.ts';
import { makeFrame } from './frame.ts';
import type { DetectorDefinition, Ports } from './guardrail.ts';
import type { HookInput, HookResult, MaybePromise, StreamGate, StreamInput } from './hook.ts';
import type { Groups } from './instance.ts';
import { isPromise } from './maybe.ts';
import { type MonitorQueue, sharedMonitorQueue } from './monitor.ts';
import { plannedRecords } from './record.ts';
import { type PlaceholderVault, sharedVault } from './restore/vault.ts';
import { sharedVerdictCache, type VerdictCache } from './verdicts/cache.ts';
import { openGate } from './stream/gate.ts';

/** All configured guardrails, ready to run. Immutable; any number of requests use it at once. */
export interface Runtime {
  /** For the policy compiler: what a guardrail's detector can do; null for an unknown provider. */
  readonly lookup: DetectorLookup;
  /**
   * Runs the enforced runs of one hook. Never throws, never rejects (E1); no promise as long as no detector needs one.
   * The monitored runs of the same input are {@link runMonitored}'s.
   */
  runHook(input: HookInput): MaybePromise<HookResult>;
  /**
   * Runs the monitored runs of one hook off the request's way, each for itself on the content given (E5). Gives one
   * record for each in plan order, and never rejects.
   */
  runMonitored(input: HookInput): Promise<readonly RunRecord[]>;
  /** Opens the gate of a streamed answer (E8). */
  openStream(input: StreamInput): StreamGate;
  /** Runs planned and records written since the start: equal at rest (E2). */
  readonly counts: Readonly<RunCounts>;
  /** Frees what garbage collection cannot. Call it when no request uses the runtime any more. */
  dispose(): void;
}

export interface RunCounts {
  planned: number;
  recorded: number;
}

export type RuntimeResult =
  | { readonly ok: true; readonly runtime: Runtime }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export interface RuntimeOptions {
  /** Where monitored runs wait. The process's own queue by default. */
  readonly monitorQueue?: MonitorQueue;
  /** Where masked values get their placeholders. The process's own vault by default. */
  readonly vault?: PlaceholderVault;
  /** Where verdicts are kept (E6); null keeps none. The process's own cache by default. */
  readonly verdicts?: VerdictCache | null;
  /** Things found that the record of one run lists at most; 200 by default. */
  readonly maxDetails?: number;
}

/**
 * Makes the detectors of all guardrails. Guardrails of one name take turns by weight.
 *
 * Everything that is wrong is a finding with the path `['guardrails', name, 'litellm_params', ...]`, and then nothing is
 * made: there is no runtime with a guardrail missing.
 */
export function createRuntime(
  guardrails: readonly Guardrail[],
  catalogue: readonly DetectorDefinition[],
  ports: Ports,
  options: RuntimeOptions = {},
): RuntimeResult {
  const { groups, findings } = configure(guardrails, catalogue, ports);
  if (findings.length > 0) return { ok: false, findings };
  return { ok: true, runtime: new ConfiguredRuntime(groups, catalogue, ports, options) };
}

class ConfiguredRuntime implements Runtime {
  readonly lookup: DetectorLookup;
  readonly counts: RunCounts = { planned: 0, recorded: 0 };
  readonly #groups: Groups;
  readonly #ports: Ports;
  readonly #queue: MonitorQueue;
  readonly #vault: PlaceholderVault;
  readonly #verdicts: VerdictCache | null;
  readonly #details: Pick<RuntimeOptions, 'maxDetails'>;

  constructor(
    groups: Groups,
    catalogue: readonly DetectorDefinition[],
    ports: Ports,
    options: RuntimeOptions,
  ) {
    this.#groups = groups;
    this.#ports = ports;
    this.#queue = options.monitorQueue ?? sharedMonitorQueue;
    this.#details = options.maxDetails === undefined ? {} : { maxDetails: options.maxDetails };
    this.#vault = options.vault ?? sharedVault;
    this.#verdicts = options.verdicts === undefined ? sharedVerdictCache : options.verdicts;
    this.lookup = lookupIn(catalogue);
  }

  runHook(input: HookInput): MaybePromise<HookResult> {
    this.counts.planned += plannedRecords(input.runs, 'enforce');
    const frame = makeFrame(input, this.#groups, this.#ports, {
      vault: this.#vault,
      verdicts: this.#verdictsFor(input),
      ...this.#details,
    });
    const execution = execute(frame, enforced(input.runs));
    const finish = (over: Awaited<typeof execution>): HookResult => {
      const result = hookResultOf(frame, over);
      this.counts.recorded += result.records.length;
      return result;
    };
    return isPromise(execution) ? execution.then(finish) : finish(execution);
  }

  /** What a caller sends comes again with every turn; answers come once in each hook. */
  #verdictsFor({ direction }: HookInput): VerdictCache | null {
    return direction === 'request' ? this.#verdicts : null;
  }

  async runMonitored(input: HookInput): Promise<readonly RunRecord[]> {
    this.counts.planned += plannedRecords(input.runs, 'monitor');
    const jobs = input.runs
      .filter((run) => run.enforcement === 'monitor')
      .map((run) => this.#runMonitoredOne(input, run));
    const records = (await Promise.all(jobs)).flat();
    this.counts.recorded += records.length;
    return records;
  }

  async #runMonitoredOne(input: HookInput, run: PlannedRun): Promise<readonly RunRecord[]> {
    // The request may be over, or its caller gone, before the run is: it has a life of its own.
    const signal = new AbortController().signal;
    const done = await this.#queue.run(this.#ports.clock, async (leftMs) => {
      const frame = makeFrame({ ...input, signal, budgetMs: leftMs }, this.#groups, this.#ports, {
        verdicts: this.#verdictsFor(input),
      });
      return recordsOf(frame, (await execute(frame, [run])).entries);
    });
    if (done !== 'overloaded') return done;
    const frame = makeFrame({ ...input, signal, budgetMs: 0 }, this.#groups, this.#ports);
    return recordsOf(frame, [skippedEntry(frame, run, input.segments, 'monitor_overloaded')]);
  }

  openStream(input: StreamInput): StreamGate {
    return openGate(input, {
      groups: this.#groups,
      ports: this.#ports,
      counts: this.counts,
      runMonitored: (hook) => this.runMonitored(hook),
    });
  }

  dispose(): void {
    disposeAll(this.#groups);
  }
}

const enforced = (runs: readonly PlannedRun[]): readonly PlannedRun[] =>
  runs.every((run) => run.enforcement === 'enforce')
    ? runs
    : runs.filter((run) => run.enforcement === 'enforce');

/** Answers for any guardrail, also one that is not configured here: its settings are read on demand. */
function lookupIn(catalogue: readonly DetectorDefinition[]): DetectorLookup {
  return (guardrail) => {
    const definition = definitionOf(catalogue, guardrail);
    const parsed = definition?.configSchema.safeParse(guardrail.litellm_params);
    return parsed?.success === true ? (definition?.facts(parsed.data) ?? null) : null;
  };
}
