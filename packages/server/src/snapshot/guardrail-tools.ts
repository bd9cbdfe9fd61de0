import {
  categoryYaml,
  createRuntime,
  describeDetector,
  type DetectorDefinition,
  type HookResult,
  PREBUILT_PATTERNS,
  type Ports,
  tryCode,
  SHIPPED_CATEGORIES,
} from '@portcullis/guardrails';
import {
  BINARY_KINDS,
  type ContentKind,
  type Guardrail,
  guardrailSchema,
  type Hook,
  type PlannedRun,
  type Segment,
} from '@portcullis/policy';
import { z } from 'zod';
import type {
  BlockedWordsCheck,
  GuardrailTools,
  HookTrial,
  Trial,
  TrialResult,
} from '../ports/guardrail-tools.ts';
import type { ActiveSnapshot, SnapshotHolder } from '../ports/snapshot.ts';

export interface ToolsOptions {
  /** The catalogue that snapshots are built with. */
  readonly catalogue: readonly DetectorDefinition[];
  readonly ports: Ports;
  readonly snapshots: SnapshotHolder;
  /** Parses a YAML text to plain values; throws for a malformed one. */
  readonly parseYaml: (text: string) => unknown;
}

/** Hooks that see a request and hooks that see an answer, in the order of preference for a trial. */
const HOOKS_OF = {
  request: ['pre_call', 'during_call', 'pre_mcp_call', 'during_mcp_call', 'logging_only'],
  response: ['post_call', 'logging_only'],
} as const satisfies Record<string, readonly Hook[]>;

const TEXT_PATH = '/text';
const TRIAL_MS = 10_000;
const WORDS_AT_ONCE = 10_000;

/** The guardrails' code as the management routes see it. */
export function guardrailTools({ catalogue, ports, snapshots, parseYaml }: ToolsOptions): GuardrailTools {
  const problems: GuardrailTools['problems'] = (guardrail) => {
    const made = createRuntime([guardrail], catalogue, ports);
    if (!made.ok) return made.findings;
    made.runtime.dispose();
    return [];
  };
  return {
    kinds: catalogue.map(describeDetector),
    patterns: PREBUILT_PATTERNS.map(({ name, display_name, group, description, action }) => ({
      name,
      display_name,
      group,
      description,
      action,
    })),
    categories: SHIPPED_CATEGORIES.map((spec) => ({
      name: spec.name,
      display_name: spec.display_name,
      group: spec.group,
      description: spec.description,
      action: spec.action,
      yaml: () => categoryYaml(spec),
    })),
    problems,
    inForce: () => snapshots.current()?.policy.documents.guardrails ?? [],
    tryCode: (trial) => tryCode(trial, ports),
    checkBlockedWords: (text) => checkBlockedWords(text, parseYaml, problems),

    async apply(trial) {
      const snapshot = snapshots.acquire();
      if (snapshot === null) return null;
      try {
        return await applyOn(snapshot, trial);
      } finally {
        snapshots.release(snapshot);
      }
    },

    async tryOut(guardrail, text, facts) {
      const made = createRuntime([guardrail], catalogue, ports);
      if (!made.ok) throw new TypeError('a guardrail with problems cannot be tried');
      const { hook, direction } = hookFor(guardrail, { direction: null, tags: [] });
      try {
        return await runOn(
          {
            runtime: made.runtime,
            settings: { guardrailBudgetMs: TRIAL_MS },
            unscanned: { policies: new Map(), global: null },
          },
          {
            hook,
            runs: [plannedRun(guardrail.guardrail_name)],
            segments: [textSegment(guardrail, direction, text)],
            facts,
          },
          direction,
        );
      } finally {
        made.runtime.dispose();
      }
    },

    async run(trial) {
      const snapshot = snapshots.acquire();
      if (snapshot === null) return null;
      try {
        return await runOn(snapshot, trial);
      } finally {
        snapshots.release(snapshot);
      }
    },
  };
}

async function applyOn(snapshot: ActiveSnapshot, trial: Trial): Promise<TrialResult | null> {
  const guardrail = snapshot.policy.guardrails.get(trial.guardrailName)?.configurations[0];
  if (guardrail === undefined) return null;
  const { hook, direction } = hookFor(guardrail, trial);
  const segments = [...trial.around, textSegment(guardrail, direction, trial.text)];
  const runs = [plannedRun(guardrail.guardrail_name)];
  const result = await runOn(snapshot, { hook, runs, segments, facts: trial.facts }, direction);
  const record = result.records[0];
  if (record === undefined) throw new Error('a run has left no record');
  return {
    hook,
    path: TEXT_PATH,
    segments: result.segments,
    record,
    block: result.block,
    respond: result.respond,
    monitored: guardrail.litellm_params.enforcement === 'monitor',
  };
}

function textSegment(guardrail: Guardrail, direction: 'request' | 'response', text: string): Segment {
  return {
    path: TEXT_PATH,
    kind: textKind(guardrail, direction),
    role: direction === 'request' ? 'user' : 'assistant',
    text,
    join: null,
    leaf: 'string',
  };
}

/** What a monitored guardrail finds is asked for here and now; that nothing comes of it is the answer's matter. */
function plannedRun(name: string): PlannedRun {
  return {
    kind: 'guardrail',
    name,
    enforcement: 'enforce',
    trusted: true,
    priority: 0,
    demanded_by: [{ source: 'request' }],
    params: null,
  };
}

/** Where runs are done: a snapshot, or what stands for one. */
type Place = Pick<ActiveSnapshot, 'runtime' | 'unscanned'> & {
  readonly settings: Pick<ActiveSnapshot['settings'], 'guardrailBudgetMs'>;
};

async function runOn(
  { runtime, settings, unscanned }: Place,
  { hook, runs, segments, facts }: HookTrial,
  direction: 'request' | 'response' = hook === 'post_call' ? 'response' : 'request',
): Promise<HookResult> {
  return runtime.runHook({
    hook,
    direction,
    runs,
    segments,
    original: segments,
    facts,
    signal: new AbortController().signal,
    budgetMs: settings.guardrailBudgetMs,
    unscanned,
    canReplace: (segment) => segment.leaf === 'string',
  });
}

/** The side asked for, or the one the guardrail runs on; on it the first hook it has, or the usual one. */
function hookFor(
  guardrail: Guardrail,
  { direction, tags }: Pick<Trial, 'direction' | 'tags'>,
): { readonly hook: Hook; readonly direction: 'request' | 'response' } {
  const configured = hooksOf(guardrail, tags);
  const onlyAnswers = configured.includes('post_call') && configured.every((hook) => hook === 'post_call');
  const side = direction ?? (onlyAnswers ? 'response' : 'request');
  const hook = HOOKS_OF[side].find((one) => configured.includes(one)) ?? HOOKS_OF[side][0];
  return { hook, direction: side };
}

function hooksOf({ litellm_params: { mode } }: Guardrail, tags: readonly string[]): readonly Hook[] {
  if (Array.isArray(mode)) return mode;
  const tagged = tags.flatMap((tag) => (Object.hasOwn(mode.tags, tag) ? (mode.tags[tag] ?? []) : []));
  return tagged.length > 0 ? tagged : mode.default;
}

/** A kind that the guardrail looks at: a text that nobody scanned must not come back as if it were clean. */
function textKind({ litellm_params: { scan } }: Guardrail, direction: 'request' | 'response'): ContentKind {
  const usual = direction === 'request' ? 'user' : 'assistant';
  if (scan === null || scan.includes(usual)) return usual;
  return scan.find((kind) => !BINARY_KINDS.has(kind)) ?? usual;
}

const fileSchema = z.strictObject({ blocked_words: z.array(z.unknown()).min(1, 'the list is empty') });

/** Checks the words as a content filter's own: by making one of them. */
function checkBlockedWords(
  text: string,
  parseYaml: (text: string) => unknown,
  problemsOf: GuardrailTools['problems'],
): BlockedWordsCheck {
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch {
    return { ok: false, problems: ['the file is not readable as YAML'] };
  }
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      [...path.map(String), message].join(': '),
    );
    return {
      ok: false,
      problems: [...problems, 'write the top key "blocked_words" with a list of {keyword, action}'],
    };
  }
  const words = parsed.data.blocked_words;
  const problems: string[] = [];
  for (let from = 0; from < words.length; from += WORDS_AT_ONCE) {
    const part = words.slice(from, from + WORDS_AT_ONCE);
    for (const { path, message } of problemsOf(filterOf(part))) {
      const [list, index, ...rest] = path.slice(3);
      const place = typeof index === 'number' ? [list, from + index, ...rest] : ['blocked_words'];
      problems.push(`${place.join('.')}: ${message}`);
    }
  }
  return problems.length === 0 ? { ok: true, count: words.length } : { ok: false, problems };
}

function filterOf(words: readonly unknown[]): Guardrail {
  return guardrailSchema.parse({
    guardrail_id: 'blocked-words-file',
    guardrail_name: 'blocked-words-file',
    litellm_params: { guardrail: 'litellm_content_filter', mode: 'pre_call', blocked_words: words },
  });
}
