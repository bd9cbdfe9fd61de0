import {
  BINARY_KINDS,
  CONTENT_KINDS,
  commonParamsSchema,
  type ContentKind,
  type Edit,
  type Guardrail,
  guardrailSchema,
  type Hook,
  type PlannedGuardrail,
  type PlannedPipeline,
  type PlannedStep,
  type Segment,
} from '@portcullis/policy';
import { z } from 'zod';
import {
  type ChannelScanner,
  createRuntime,
  type Detection,
  type Detector,
  type DetectorDefinition,
  type HookInput,
  type Inspection,
  type Ports,
  type RequestFacts,
  type Runtime,
  type Subject,
} from '../src/index.ts';

/** A clock that moves only when told. Milliseconds. */
export class FakeClock {
  #now = 1_700_000_000_000;
  #monotonic = 0;
  now = () => this.#now;
  monotonic = () => this.#monotonic;
  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }
}

export function fakePorts(clock = new FakeClock()): Ports & { readonly clock: FakeClock } {
  return {
    clock,
    http: { send: () => Promise.reject(new Error('no network in this test')) },
    hash: (text) => `h${text.length}`,
  };
}

export const facts: RequestFacts = {
  callId: 'call-1',
  model: 'gpt-4o',
  keyHash: null,
  keyAlias: null,
  userId: null,
  userEmail: null,
  teamId: null,
  teamAlias: null,
  endUserId: null,
  organizationId: null,
  headers: {},
  body: null,
};

export const clean: Inspection = {
  outcome: { outcome: 'clean' },
  edits: [],
  detections: [],
  unread: [],
  trace: {},
};

const textKinds: ReadonlySet<ContentKind> = new Set(
  CONTENT_KINDS.filter((kind) => !BINARY_KINDS.has(kind) && kind !== 'files'),
);

const wordsSchema = z.strictObject({
  ...commonParamsSchema.shape,
  mask: z.array(z.string().min(1)).default([]),
  block: z.array(z.string().min(1)).default([]),
  respond: z.array(z.string().min(1)).default([]),
  log: z.array(z.string().min(1)).default([]),
});
type WordsConfig = z.infer<typeof wordsSchema>;

/**
 * The test detector: finds words, at each place the longest, from left to right. A small thing that really masks, blocks,
 * and scans piece by piece, so that the runner is tested against real behaviour.
 */
export const words: DetectorDefinition<WordsConfig> = {
  ids: ['words', 'word_list'],
  title: 'Words',
  configSchema: wordsSchema,
  facts: (config) => ({
    hooks: ['pre_call', 'during_call', 'post_call', 'logging_only'],
    masks: config.mask.length > 0,
  }),
  reads: () => textKinds,
  deterministic: 'segment',
  timeoutMs: 1_000,
  create: (config) => wordsDetector(config),
};

function wordsDetector(config: WordsConfig): Detector {
  const actions = new Map<string, 'mask' | 'block' | 'respond' | 'log'>();
  for (const action of ['log', 'respond', 'mask', 'block'] as const) {
    for (const word of config[action]) actions.set(word, action);
  }
  const list = [...actions.keys()].sort((a, b) => b.length - a.length);
  const longest = list[0]?.length ?? 1;

  const verdictOf = (found: readonly string[]): Inspection['outcome'] => {
    const had = new Set(found.map((word) => actions.get(word)));
    if (had.has('block')) return { outcome: 'flagged', action: 'block', message: 'Content blocked: word' };
    if (had.has('respond')) return { outcome: 'flagged', action: 'respond', message: 'I cannot say that.' };
    if (had.has('mask')) return { outcome: 'masked' };
    if (had.has('log')) return { outcome: 'flagged', action: 'log', message: 'a word to note' };
    return { outcome: 'clean' };
  };

  /** Finds words that begin in `[from, to)`. */
  const find = (text: string, from: number, to: number) => {
    const found: { word: string; start: number; end: number }[] = [];
    let at = from;
    while (at < to) {
      const word = list.find((candidate) => text.startsWith(candidate, at));
      if (word === undefined) at++;
      else {
        found.push({ word, start: at, end: at + word.length });
        at += word.length;
      }
    }
    return { found, at };
  };

  const detectionOf = (
    hit: { word: string; start: number; end: number },
    segment: number,
    base: number,
  ): Detection => {
    const action = actions.get(hit.word);
    return {
      type: 'word',
      span: { segment, start: hit.start + base, end: hit.end + base },
      action: action === 'mask' ? 'MASK' : action === 'block' ? 'BLOCK' : 'LOG',
      method: 'keyword',
      score: null,
      category: null,
      severity: 'low',
      hash: 'h',
    };
  };

  return {
    inspect(subject: Subject): Inspection {
      const edits: Edit[] = [];
      const detections: Detection[] = [];
      const all: string[] = [];
      for (const [segment, { text }] of subject.segments.entries()) {
        for (const hit of find(text, 0, text.length).found) {
          all.push(hit.word);
          detections.push(detectionOf(hit, segment, 0));
          if (actions.get(hit.word) === 'mask') {
            edits.push({ segment, start: hit.start, end: hit.end, replacement: '[W]' });
          }
        }
      }
      return { ...clean, outcome: verdictOf(all), edits, detections };
    },
    openChannel(): ChannelScanner {
      let held = '';
      let base = 0;
      return {
        push(text, done) {
          held += text;
          const to = done ? held.length : Math.max(0, held.length - longest + 1);
          const { found, at } = find(held, 0, to);
          const outcome = verdictOf(found.map((hit) => hit.word));
          const start = base;
          if (outcome.outcome === 'flagged' && outcome.action !== 'log') {
            const detections = found.map((hit) => detectionOf(hit, 0, start));
            return { certainUpTo: base, edits: [], detections, outcome };
          }
          const edits = found
            .filter((hit) => actions.get(hit.word) === 'mask')
            .map((hit) => ({ start: hit.start + start, end: hit.end + start, replacement: '[W]' }));
          held = held.slice(at);
          base += at;
          const detections = found.map((hit) => detectionOf(hit, 0, start));
          return { certainUpTo: base, edits, detections, outcome };
        },
      };
    },
  };
}

/** A definition around one function, for everything a test wants to happen. */
export function custom(
  id: string,
  inspect: Detector['inspect'],
  options: Partial<DetectorDefinition> & {
    readonly masks?: boolean;
    readonly openChannel?: Detector['openChannel'];
  } = {},
): DetectorDefinition {
  const { masks = false, openChannel, ...rest } = options;
  return {
    ids: [id],
    title: id,
    configSchema: commonParamsSchema.strict(),
    facts: () => ({ hooks: ['pre_call', 'during_call', 'post_call'], masks }),
    reads: () => textKinds,
    deterministic: false,
    timeoutMs: 1_000,
    create: () => (openChannel === undefined ? { inspect } : { inspect, openChannel }),
    ...rest,
  };
}

export function guardrail(name: string, params: Record<string, unknown>, id = `id-${name}`): Guardrail {
  return guardrailSchema.parse({
    guardrail_id: id,
    guardrail_name: name,
    litellm_params: { mode: ['pre_call', 'post_call'], ...params },
  });
}

export function runtimeOf(
  guardrails: readonly Guardrail[],
  catalogue: readonly DetectorDefinition[] = [words],
  ports: Ports = fakePorts(),
  options: Parameters<typeof createRuntime>[3] = {},
): Runtime {
  const made = createRuntime(guardrails, catalogue, ports, options);
  if (!made.ok) throw new Error(made.findings.map((finding) => finding.message).join('; '));
  return made.runtime;
}

export function run(name: string, more: Partial<PlannedGuardrail> = {}): PlannedGuardrail {
  return {
    kind: 'guardrail',
    name,
    enforcement: 'enforce',
    trusted: true,
    priority: 0,
    demanded_by: [{ source: 'attachment', policy_name: 'p', policy_id: 'p-1', version_number: 1 }],
    params: null,
    ...more,
  };
}

export function step(name: string, more: Partial<PlannedStep> = {}): PlannedStep {
  return {
    guardrail: name,
    on_pass: 'next',
    on_fail: 'block',
    on_error: null,
    pass_data: false,
    modify_response_message: null,
    monitored: false,
    ...more,
  };
}

export function pipeline(
  name: string,
  steps: readonly PlannedStep[],
  more: Partial<PlannedPipeline> = {},
): PlannedPipeline {
  return {
    kind: 'pipeline',
    name,
    enforcement: 'enforce',
    trusted: true,
    priority: 0,
    demanded_by: [{ source: 'attachment', policy_name: name, policy_id: `${name}-1`, version_number: 1 }],
    policy_id: `${name}-1`,
    version_number: 1,
    mode: 'pre_call',
    steps,
    ...more,
  };
}

export function segment(text: string, more: Partial<Segment> = {}): Segment {
  return {
    path: '/messages/0/content',
    kind: 'user',
    role: 'user',
    text,
    join: null,
    leaf: 'string',
    ...more,
  };
}

export function input(
  runs: HookInput['runs'],
  segments: readonly Segment[],
  more: Partial<HookInput> = {},
): HookInput {
  const hook: Hook = 'pre_call';
  return {
    hook,
    direction: 'request',
    runs,
    segments,
    original: segments,
    facts,
    signal: new AbortController().signal,
    budgetMs: 30_000,
    unscanned: { policies: new Map(), global: null },
    ...more,
  };
}
