import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestSummary } from '../ports/records.ts';
import type { RunRecord } from '@portcullis/policy';

/** So many different values of one label are told apart; what comes later is `other`, so that memory stays bounded. */
const MOST_VALUES = 500;
const OTHER = 'other';
const NONE = 'none';

const REQUEST_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const OVERHEAD_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const GUARDRAIL_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is asked for when somebody reads the metrics. */
export interface MeasuredState {
  readonly snapshot: {
    readonly state: string;
    readonly revision: number | null;
    readonly headRevision: number | null;
    readonly loadedAtMs: number | null;
  };
  readonly logs: { readonly queued: number; readonly dropped: Readonly<Record<string, number>> };
  readonly limits: { readonly counting: string };
  readonly nowMs: number;
}

/**
 * The metrics of this process, in the words of Prometheus. Labels come from the configuration, the database or short lists:
 * nothing that a caller writes is ever one.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #bounds = new Map<string, Set<string>>();
  readonly #events = new Map<string, Counter>();
  readonly #requests = this.#counter('portcullis_requests_total', 'Requests of models', [
    'model',
    'status',
    'end',
  ]);
  readonly #durations = this.#histogram(
    'portcullis_request_duration_seconds',
    'Time from the first byte of a request to the end of its answer',
    ['model'],
    REQUEST_SECONDS,
  );
  readonly #overheads = this.#histogram(
    'portcullis_overhead_seconds',
    'The part of that time that was not spent waiting for the provider',
    ['model'],
    OVERHEAD_SECONDS,
  );
  readonly #tokens = this.#counter('portcullis_tokens_total', 'Tokens as providers counted them', [
    'model',
    'kind',
  ]);
  readonly #runs = this.#counter('portcullis_guardrail_runs_total', 'Runs of guardrails by outcome', [
    'guardrail_name',
    'hook_type',
    'outcome',
    'verdict',
  ]);
  readonly #runTimes = this.#histogram(
    'portcullis_guardrail_duration_seconds',
    'Time of one run of a guardrail',
    ['guardrail_name', 'hook_type'],
    GUARDRAIL_SECONDS,
  );
  #state: (() => MeasuredState) | null = null;

  constructor() {
    const gauge = (name: string, help: string, value: (state: MeasuredState) => number | null): void => {
      const state = () => this.#state?.() ?? null;
      const made = new Gauge({
        name,
        help,
        registers: [],
        collect() {
          const now = state();
          const measured = now === null ? null : value(now);
          // Nothing known is no zero.
          this.set(measured ?? Number.NaN);
        },
      });
      this.#registry.registerMetric(made);
    };
    const stated = (name: string, help: string, label: string, value: (state: MeasuredState) => string) => {
      const state = () => this.#state?.() ?? null;
      const made = new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [],
        collect() {
          this.reset();
          const now = state();
          if (now !== null) this.set({ [label]: value(now) }, 1);
        },
      });
      this.#registry.registerMetric(made);
    };
    gauge('portcullis_snapshot_revision', 'The revision in force here', ({ snapshot }) => snapshot.revision);
    gauge(
      'portcullis_snapshot_head_revision',
      'The newest revision heard of',
      ({ snapshot }) => snapshot.headRevision,
    );
    gauge(
      'portcullis_snapshot_age_seconds',
      'Time since the revision in force was loaded',
      ({ snapshot, nowMs }) => (snapshot.loadedAtMs === null ? null : (nowMs - snapshot.loadedAtMs) / 1_000),
    );
    stated(
      'portcullis_snapshot_state',
      '1 for how this process stands to the newest revision',
      'state',
      ({ snapshot }) => snapshot.state,
    );
    gauge('portcullis_log_queue_records', 'Requests that wait to be stored', ({ logs }) => logs.queued);
    gauge(
      'portcullis_log_dropped_records',
      'Requests that could not be stored, since the start',
      ({ logs }) => Object.values(logs.dropped).reduce((sum, count) => sum + count, 0),
    );
    stated(
      'portcullis_limits_counting',
      '1 for where limits are counted: memory, shared, local (the shared store is away) or refusing',
      'counting',
      ({ limits }) => limits.counting,
    );
  }

  /** Where the states come from that are asked for at each reading. */
  observe(state: () => MeasuredState): void {
    this.#state = state;
  }

  request({ model_group, status, end, timings, usage }: RequestSummary): void {
    const model = this.#bounded('model', model_group ?? NONE);
    this.#requests.inc({ model, status: String(status), end });
    this.#durations.observe({ model }, (timings['total'] ?? 0) / 1_000);
    const { overhead } = timings;
    if (overhead !== undefined) this.#overheads.observe({ model }, overhead / 1_000);
    if (usage === null) return;
    this.#tokens.inc({ model, kind: 'prompt' }, Math.max(0, usage.prompt_tokens));
    this.#tokens.inc({ model, kind: 'completion' }, Math.max(0, usage.completion_tokens));
  }

  run({ guardrail_name, executed_hook, outcome, verdict, duration }: RunRecord): void {
    const labels = {
      guardrail_name: this.#bounded('guardrail_name', guardrail_name),
      hook_type: executed_hook,
    };
    this.#runs.inc({ ...labels, outcome, verdict });
    // What was not run has taken no time.
    if (outcome !== 'not_run') this.#runTimes.observe(labels, duration);
  }

  /** Counts something that happens seldom. Names and values of labels are written in this program. */
  event(name: string, help: string, labels: Readonly<Record<string, string>> = {}, amount = 1): void {
    let counter = this.#events.get(name);
    if (counter === undefined) {
      counter = this.#counter(name, help, Object.keys(labels));
      this.#events.set(name, counter);
    }
    counter.inc(labels, amount);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #bounded(label: string, value: string): string {
    let known = this.#bounds.get(label);
    if (known === undefined) {
      known = new Set();
      this.#bounds.set(label, known);
    }
    if (known.has(value)) return value;
    if (known.size >= MOST_VALUES) return OTHER;
    known.add(value);
    return value;
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }
}
