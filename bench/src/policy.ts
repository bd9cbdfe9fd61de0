/**
 * Measures the policy engine: `decide` warm and cold, and compilation in slices, at 10, 1,000 and 100,000 attachments.
 *
 * Absolute times depend on the machine and its neighbours; the ratios are the promise.
 */
import {
  ANONYMOUS,
  type Attachment,
  attachmentSchema,
  type CompileResult,
  type Context,
  compileSteps,
  type DetectorFacts,
  type Documents,
  decide,
  guardrailSchema,
  HOOKS,
  policySchema,
  type Snapshot,
} from '@portcullis/policy';

const SIZES = [10, 1_000, 100_000];
const SLICE_MS = 2;
const PRINCIPALS = 512;
const WARM_CALLS = 200_000;
const COLD_CALLS = 1_000;
const MODELS = ['gpt-4.1', 'gpt-4.1-mini', 'claude-sonnet', 'mistral-large'];
const DETECTOR: DetectorFacts = { hooks: HOOKS, masks: false };

interface Measurement {
  readonly attachments: number;
  readonly warmP50Us: number;
  readonly warmP99Us: number;
  readonly missP50Us: number;
  readonly missP99Us: number;
  readonly compileMs: number;
  readonly slices: number;
  readonly longestSliceMs: number;
  /** The same in processor time, which a busy neighbour does not lengthen; helper threads of the collector count. */
  readonly longestSliceCpuMs: number;
}

/** Teams, keys and tags in equal parts; one in five a prefix, three in ten with models too. */
function attachment(number: number): Attachment {
  const dimension = (['teams', 'keys', 'tags'] as const)[number % 3] ?? 'teams';
  const value = `${dimension.slice(0, -1)}-${number}`;
  return attachmentSchema.parse({
    attachment_id: `attachment-${number}`,
    policy_name: `policy-${number % 100}`,
    [dimension]: [number % 5 === 0 ? `${value}-*` : value],
    ...(number % 10 < 3 && { models: ['gpt-4*'] }),
  });
}

function documents(attachments: number): Documents {
  return {
    revision: 1,
    policies: Array.from({ length: 100 }, (_, number) =>
      policySchema.parse({
        policy_id: `id-${number}`,
        policy_name: `policy-${number}`,
        guardrails_add: [`guardrail-${number % 20}`, `guardrail-${(number + 7) % 20}`],
        condition: number % 4 === 0 ? { model: `gpt-${number % 8}.*` } : null,
      }),
    ),
    attachments: Array.from({ length: attachments }, (_, number) => attachment(number)),
    guardrails: Array.from({ length: 20 }, (_, number) =>
      guardrailSchema.parse({
        guardrail_id: `guardrail-${number}`,
        guardrail_name: `guardrail-${number}`,
        litellm_params: { guardrail: 'bench', mode: ['pre_call', 'post_call'], default_on: number === 0 },
      }),
    ),
    models: MODELS.map((name) => ({
      model_name: name,
      deployments: [{ model: `provider/${name}`, guardrails: [] }],
    })),
    model_aliases: { default: 'gpt-4.1' },
    settings: { unscanned: null },
  };
}

/** Requests that hit a team, a key and a tag each, with two tags that hit nothing. */
function contexts(attachments: number): Context[] {
  return Array.from({ length: PRINCIPALS }, (_, number) => {
    const at = (number * 7919) % attachments;
    const suffix = (value: number) => (value % 5 === 0 ? `${value}-x` : `${value}`);
    return {
      principal: Object.freeze({
        ...ANONYMOUS,
        key_hash: number.toString(16).padStart(64, '0'),
        key_alias: { value: `key-${suffix(at + 1)}`, trusted: true },
        team_alias: `team-${suffix(at)}`,
        tags: [{ value: `tag-${suffix(at + 2)}`, trusted: true, source: 'key' }],
      }),
      model: MODELS[number % MODELS.length] ?? null,
      tags: [
        { value: `session-${number}`, trusted: false, source: 'request' },
        { value: 'region-eu', trusted: false, source: 'header' },
      ],
      guardrails: [],
      policies: [],
    };
  });
}

/** Drives the compiler as a server does: a time budget for each slice, and the event loop in between. */
async function compileSliced(input: Documents) {
  const steps = compileSteps(input, () => DETECTOR);
  const started = performance.now();
  let longestSliceMs = 0;
  let longestSliceCpuMs = 0;
  for (let slices = 1; ; slices++) {
    const sliceStarted = performance.now();
    const cpuStarted = process.cpuUsage();
    const result = runSlice(steps, sliceStarted + SLICE_MS);
    const { user, system } = process.cpuUsage(cpuStarted);
    longestSliceCpuMs = Math.max(longestSliceCpuMs, (user + system) / 1_000);
    longestSliceMs = Math.max(longestSliceMs, performance.now() - sliceStarted);
    if (result !== null)
      return { result, slices, longestSliceMs, longestSliceCpuMs, compileMs: performance.now() - started };
    await new Promise((resume) => setImmediate(resume));
  }
}

function runSlice(steps: Generator<void, CompileResult>, deadline: number): CompileResult | null {
  do {
    const step = steps.next();
    if (step.done === true) return step.value;
  } while (performance.now() < deadline);
  return null;
}

function microseconds(calls: number, call: (number: number) => void): { p50: number; p99: number } {
  const times = new Float64Array(calls);
  for (let number = 0; number < calls; number++) {
    const started = performance.now();
    call(number);
    times[number] = (performance.now() - started) * 1_000;
  }
  times.sort();
  return { p50: times[Math.floor(calls * 0.5)] ?? 0, p99: times[Math.floor(calls * 0.99)] ?? 0 };
}

function measureWarm(snapshot: Snapshot, requests: readonly Context[]) {
  const ask = (number: number) => {
    const request = requests[number % requests.length];
    if (request !== undefined) decide(snapshot, request);
  };
  microseconds(WARM_CALLS / 4, ask);
  return microseconds(WARM_CALLS, ask);
}

/** A miss is forced by forgetting the plans: matching, planning and hashing for a principal that is known. */
function measureMiss(snapshot: Snapshot, requests: readonly Context[]) {
  const ask = (number: number) => {
    const request = requests[number % requests.length];
    if (request !== undefined)
      decide({ ...snapshot, caches: { ...snapshot.caches, plans: NO_CACHE } }, request);
  };
  microseconds(COLD_CALLS / 2, ask);
  return microseconds(COLD_CALLS, ask);
}

const NO_CACHE = { get: () => undefined, set: () => undefined } as unknown as Snapshot['caches']['plans'];

async function measure(attachments: number): Promise<Measurement> {
  const { result, slices, longestSliceMs, longestSliceCpuMs, compileMs } = await compileSliced(
    documents(attachments),
  );
  if (!result.ok) throw new Error(JSON.stringify(result.findings.slice(0, 5)));
  const requests = contexts(attachments);
  const warm = measureWarm(result.snapshot, requests);
  const miss = measureMiss(result.snapshot, requests);
  return {
    attachments,
    warmP50Us: warm.p50,
    warmP99Us: warm.p99,
    missP50Us: miss.p50,
    missP99Us: miss.p99,
    compileMs,
    slices,
    longestSliceMs,
    longestSliceCpuMs,
  };
}

const rounded = (value: number) => Math.round(value * 100) / 100;

await measure(1_000);
const measurements: Measurement[] = [];
for (const size of SIZES) measurements.push(await measure(size));
console.table(
  measurements.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)])),
  ),
);
const [smallest] = measurements;
const largest = measurements.at(-1);
if (smallest !== undefined && largest !== undefined) {
  const ratios = {
    warmP50: rounded(largest.warmP50Us / smallest.warmP50Us),
    warmP99: rounded(largest.warmP99Us / smallest.warmP99Us),
    missP50: rounded(largest.missP50Us / smallest.missP50Us),
  };
  console.log(`ratios, ${largest.attachments} to ${smallest.attachments} attachments:`, ratios);
  console.log(JSON.stringify({ measurements, ratios }));
}
