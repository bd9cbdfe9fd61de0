/**
 * What a long history costs on its next turn (E6): the guard stage of a request, from its JSON body to the verdict, with
 * the building of segments and the hashing of the whole history, for the content filter with few and with all patterns.
 *
 * `one message` is a request with the newest message alone. The floor of a turn is that every byte of the history is
 * parsed, and hashed once; the scan is not repeated.
 */
import { chatRequestSegments } from '@portcullis/contract';
import {
  catalogue,
  createRuntime,
  type HookInput,
  PREBUILT_PATTERNS,
  type Ports,
  type Runtime,
  VerdictCache,
} from '@portcullis/guardrails';
import { guardrailSchema, type PlannedGuardrail } from '@portcullis/policy';

const MESSAGES = 200;
const SIZES = [100, 500, 2_000];
const PROSE =
  'The quarterly review went well and the team agreed on the next steps for the migration. We will move the remaining ' +
  'services in 3 waves, starting with the reporting jobs, and keep the old cluster for two more weeks in case something ' +
  'breaks. Please read the notes before Monday, and add questions at the end of the page. ';

const ports: Ports = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  http: { send: () => Promise.reject(new Error('not used here')) },
  hash: (text) => String(text.length),
};

function runtimeWith(patterns: readonly string[], verdicts: VerdictCache | null): Runtime {
  const guardrail = guardrailSchema.parse({
    guardrail_id: 'filter',
    guardrail_name: 'filter',
    litellm_params: {
      guardrail: 'litellm_content_filter',
      mode: 'pre_call',
      patterns: patterns.map((name) => ({ pattern_type: 'prebuilt', pattern_name: name, action: 'MASK' })),
    },
  });
  const made = createRuntime([guardrail], catalogue, ports, { verdicts });
  if (!made.ok) throw new Error(made.findings.map(({ message }) => message).join('; '));
  return made.runtime;
}

const RUNS: readonly PlannedGuardrail[] = [
  {
    kind: 'guardrail',
    name: 'filter',
    enforcement: 'enforce',
    trusted: true,
    priority: 0,
    demanded_by: [{ source: 'global' }],
    params: null,
  },
];

function guard(runtime: Runtime, body: string): void {
  const segments = chatRequestSegments(JSON.parse(body) as Parameters<typeof chatRequestSegments>[0]);
  const input: HookInput = {
    hook: 'pre_call',
    direction: 'request',
    runs: RUNS,
    segments,
    original: segments,
    facts: {
      callId: '',
      model: null,
      keyHash: null,
      keyAlias: null,
      userId: null,
      userEmail: null,
      teamId: 'team',
      teamAlias: null,
      endUserId: null,
      organizationId: null,
      headers: {},
      body: null,
    },
    signal: NEVER,
    budgetMs: 1_000,
    unscanned: { policies: new Map(), global: null },
  };
  void runtime.runHook(input);
}
const NEVER = new AbortController().signal;

let serial = 0;
/** A text that no other has begun with, of so many characters. One in twenty holds a value that is masked. */
const fresh = (size: number) =>
  `${serial++} ${serial % 20 === 0 ? 'to jane.doe@example.org ' : ''}${PROSE.repeat(Math.ceil(size / PROSE.length))}`.slice(
    0,
    size,
  );
const message = (size: number) => ({ role: 'user', content: fresh(size) });
const bodyOf = (messages: readonly object[]) => JSON.stringify({ model: 'm', messages });

/** The median in microseconds; every round gets a body that was never seen. */
function median(rounds: number, prepare: () => string, run: (body: string) => void): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const body = prepare();
    const from = performance.now();
    run(body);
    times.push((performance.now() - from) * 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const few = ['email', 'us_ssn', 'credit_card'];
const all = PREBUILT_PATTERNS.map(({ name }) => name);
print(`${MESSAGES} messages, microseconds (median)`);
print(
  'patterns  characters  one message  first turn  next turn  next turn without cache  parse and segments  next / one',
);
for (const [label, patterns] of [
  ['few', few],
  ['all', all],
] as const) {
  for (const size of SIZES) {
    const cached = runtimeWith(patterns, new VerdictCache());
    const uncached = runtimeWith(patterns, null);
    const history = Array.from({ length: MESSAGES }, () => message(size));
    const next = () => bodyOf([...history.slice(1), message(size)]);
    const grown = () => bodyOf([...history, message(size)]);
    for (let round = 0; round < 50; round++) {
      guard(cached, bodyOf([message(size)]));
      guard(uncached, next());
      guard(cached, grown());
    }
    const one = median(
      400,
      () => bodyOf([message(size)]),
      (body) => guard(cached, body),
    );
    const first = median(
      200,
      () => bodyOf(Array.from({ length: MESSAGES }, () => message(size))),
      (body) => guard(cached, body),
    );
    guard(cached, bodyOf(history));
    const second = median(200, grown, (body) => guard(cached, body));
    const without = median(200, grown, (body) => guard(uncached, body));
    const parse = median(200, grown, (body) => {
      chatRequestSegments(JSON.parse(body) as Parameters<typeof chatRequestSegments>[0]);
    });
    const cells = [one, first, second, without, parse].map((value) => value.toFixed(0).padStart(11));
    print(
      `${label.padEnd(8)} ${String(size).padStart(10)} ${cells.join(' ')} ${(second / one).toFixed(2).padStart(10)}`,
    );
  }
}
