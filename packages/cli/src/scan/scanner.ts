import { createHash } from 'node:crypto';
import {
  createHttp,
  createRuntime,
  type HookInput,
  type HookResult,
  type Runtime,
} from '@portcullis/guardrails';
import type { ContentKind, Guardrail, PlannedGuardrail } from '@portcullis/policy';
import { detectorsFor } from '@portcullis/server';
import { CliProblem } from '../problem.ts';

/** What a scanner is made of; plain values, so that threads can be given them. */
export interface ScannerOptions {
  readonly configFile: string;
  /** The configured guardrails of one name, which take turns. */
  readonly guardrails: readonly Guardrail[];
  /** Hosts of guardrail services that may be private. */
  readonly allowedPrivateHosts: readonly string[];
}

/** What one guardrail says of one text. */
export interface Scanned {
  readonly action: HookResult['verdict'];
  /** The text with its masks; null when it is blocked. */
  readonly output_text: string | null;
  /** Offsets are UTF-16 units of the text as it came in. */
  readonly detections: readonly {
    readonly type: string;
    readonly start: number | null;
    readonly end: number | null;
    readonly score: number | null;
    readonly action: 'BLOCK' | 'MASK' | 'LOG';
  }[];
  readonly latency_us: number;
  /** Why there is no verdict; absent when there is one. */
  readonly error?: string;
}

/** Asks one guardrail, outside a gateway. */
export interface Scanner {
  scan(text: string): Promise<Scanned> | Scanned;
  dispose(): Promise<void>;
}

/** More things found in one text are not listed. */
const MAX_DETECTIONS = 20_000;
const BUDGET_MS = 60_000;

/** @throws CliProblem when the guardrail cannot be made */
export function makeScanner(options: ScannerOptions): Scanner {
  const http = createHttp({ allowHosts: options.allowedPrivateHosts });
  const ports = {
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    http,
    hash: (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16),
  };
  // Nothing is kept from text to text, so that each costs what it costs.
  const made = createRuntime(options.guardrails, detectorsFor(options.configFile), ports, {
    verdicts: null,
    maxDetails: MAX_DETECTIONS,
  });
  const [guardrail] = options.guardrails;
  if (!made.ok || guardrail === undefined) {
    const reasons = made.ok ? ['no such guardrail'] : made.findings.map(({ message }) => message);
    throw new CliProblem(`the guardrail cannot be made: ${reasons.join('; ')}`);
  }
  const { runtime } = made;
  const side = sideOf(guardrail);
  return {
    scan: (text) => scanWith(runtime, guardrail.guardrail_name, side, text),
    dispose: async () => {
      runtime.dispose();
      await http.close();
    },
  };
}

interface Side {
  readonly hook: 'pre_call' | 'post_call';
  readonly kind: ContentKind;
}

/** A guardrail of answers alone is shown the text as an answer, any other as a message of a user. */
function sideOf({ litellm_params: { mode, scan } }: Guardrail): Side {
  const hooks = Array.isArray(mode) ? mode : [...Object.values(mode.tags).flat(), ...mode.default];
  const isOfAnswers = hooks.length > 0 && hooks.every((hook) => hook === 'post_call');
  const usual = isOfAnswers ? 'assistant' : 'user';
  const kind = scan === null || scan.includes(usual) ? usual : (scan[0] ?? usual);
  return { hook: isOfAnswers ? 'post_call' : 'pre_call', kind };
}

const NEVER = new AbortController().signal;

function scanWith(
  runtime: Runtime,
  name: string,
  { hook, kind }: Side,
  text: string,
): Promise<Scanned> | Scanned {
  const run: PlannedGuardrail = {
    kind: 'guardrail',
    name,
    enforcement: 'enforce',
    trusted: true,
    priority: 0,
    demanded_by: [{ source: 'request' }],
    params: null,
  };
  const role = kind === 'assistant' ? 'assistant' : 'user';
  const segments = [{ path: '/text', kind, role, text, join: null, leaf: 'string' as const }];
  const input: HookInput = {
    hook,
    direction: hook === 'post_call' ? 'response' : 'request',
    runs: [run],
    segments,
    original: segments,
    facts: NOBODY,
    signal: NEVER,
    budgetMs: BUDGET_MS,
    unscanned: { policies: new Map(), global: null },
  };
  const from = performance.now();
  const result = runtime.runHook(input);
  const finish = (over: HookResult): Scanned => scannedOf(over, text, performance.now() - from);
  return result instanceof Promise ? result.then(finish) : finish(result);
}

const NOBODY: HookInput['facts'] = {
  callId: 'scan',
  model: null,
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

function scannedOf(result: HookResult, text: string, tookMs: number): Scanned {
  const [record] = result.records;
  return {
    action: result.verdict,
    output_text:
      result.verdict === 'block' ? null : (result.respond?.message ?? result.segments[0]?.text ?? text),
    detections: (record?.match_details ?? []).map(({ type, start, end, score, action_taken }) => ({
      type,
      start,
      end,
      score,
      action: action_taken,
    })),
    latency_us: Math.round(tookMs * 1000),
    ...(record?.outcome === 'error' ? { error: record.reason ?? 'no verdict' } : {}),
  };
}
