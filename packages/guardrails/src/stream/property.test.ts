import type { Segment } from '@portcullis/policy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clean, custom, facts, guardrail, input, run, runtimeOf, segment, words } from '../../test/kit.ts';
import type { ArgumentsCodec, HookResult, StreamChannel, StreamStep } from '../index.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;
const STRICT = process.env['PORTCULLIS_TEST_STRICT'] === '1';

/** Texts and words over few letters, so that matches overlap, touch, and sit across pieces. */
const letters = fc.constantFrom('a', 'b', 'c', '[', 'W', ']', '😀');
const textArb = fc.array(letters, { maxLength: 24 }).map((list) => list.join(''));
const wordArb = fc.array(letters, { minLength: 1, maxLength: 5 }).map((list) => list.join(''));
const settingsArb = fc.record({
  mask: fc.array(wordArb, { maxLength: 2 }),
  block: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(wordArb, { maxLength: 1 }) },
  ),
  respond: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(wordArb, { maxLength: 1 }) },
  ),
  log: fc.array(wordArb, { maxLength: 1 }),
  scan: fc.option(fc.constantFrom(['assistant'], ['assistant', 'reasoning', 'tool_args']), {
    nil: undefined,
    freq: 4,
  }),
});

const channelsArb = fc.array(
  fc.record({ kind: fc.constantFrom('assistant', 'reasoning', 'tool_args'), text: textArb }),
  {
    minLength: 1,
    maxLength: 3,
  },
);

/** JSON arrays of strings, which is what the arguments are in this test. */
const codec: ArgumentsCodec = {
  splitArguments: (text) =>
    (JSON.parse(text) as string[]).map((leaf, index) =>
      segment(leaf, { kind: 'tool_args', role: null, path: `/args#/${index}` }),
    ),
  joinArguments: (_, leaves) => JSON.stringify(leaves.map((leaf) => leaf.text)),
};

interface Channel {
  readonly channel: StreamChannel;
  readonly text: string;
  readonly leaves: readonly Segment[];
}

function channelOf(kind: 'assistant' | 'reasoning' | 'tool_args', content: string, index: number): Channel {
  const channel: StreamChannel = { key: `c${index}`, kind, role: null, choice: index };
  const half = Math.floor(content.length / 2);
  const text = kind === 'tool_args' ? JSON.stringify([content.slice(0, half), content.slice(half)]) : content;
  const leaves =
    kind === 'tool_args'
      ? codec.splitArguments(text, channel)
      : [segment(text, { kind, role: null, path: `/c${index}` })];
  return { channel, text, leaves };
}

/** Cuts every channel into pieces and deals them in any order that keeps each channel's own. */
function deal(channels: readonly Channel[], cuts: readonly number[]): [StreamChannel, string][] {
  const rest = channels.map(({ channel, text }) => ({ channel, text, at: 0 }));
  const dealt: [StreamChannel, string][] = [];
  let cut = 0;
  for (;;) {
    const open = rest.filter(({ text, at }) => at < text.length);
    if (open.length === 0) return dealt;
    const number = cuts[cut++ % cuts.length] ?? 1;
    const next = open[number % open.length]!;
    const size = 1 + (number % 7);
    dealt.push([next.channel, next.text.slice(next.at, next.at + size)]);
    next.at += size;
  }
}

const cutsArb = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 40 });
const scenario = fc.record({
  settings: fc.array(settingsArb, { minLength: 1, maxLength: 3 }),
  channels: channelsArb.map((list) =>
    list.map(({ kind, text }, index) => channelOf(kind as 'assistant', text, index)),
  ),
  cuts: cutsArb,
  buffered: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function runtimeFor({ settings, buffered }: Scenario, block: 'block' | 'log') {
  const guardrails = settings.map((setting, index) =>
    guardrail(`g${index}`, {
      guardrail: 'words',
      ...setting,
      scan: setting.scan ?? null,
      // The same words found, so that masks fall in the same places, but nothing stops.
      ...(block === 'log'
        ? { block: [], respond: [], log: [...setting.log, ...setting.block, ...setting.respond] }
        : {}),
    }),
  );
  const whole = custom('whole', () => clean);
  if (buffered) guardrails.push(guardrail('whole', { guardrail: 'whole' }));
  return {
    runtime: runtimeOf(guardrails, [words, whole]),
    runs: guardrails.map(({ guardrail_name }) => run(guardrail_name)),
  };
}

function wholeAnswer(scene: Scenario, block: 'block' | 'log'): { result: HookResult; texts: string[] } {
  const { runtime, runs } = runtimeFor(scene, block);
  const segments = scene.channels.flatMap(({ leaves }) => leaves);
  const result = runtime.runHook(input(runs, segments, { hook: 'post_call', direction: 'response' }));
  if (result instanceof Promise) throw new Error('a promise for local guardrails');
  let at = 0;
  const texts = scene.channels.map(({ channel, text, leaves }) => {
    const after = result.segments.slice(at, at + leaves.length);
    at += leaves.length;
    if (channel.kind !== 'tool_args') return after[0]?.text ?? '';
    return after.some((leaf, index) => leaf.text !== leaves[index]?.text)
      ? codec.joinArguments(text, after)!
      : text;
  });
  return { result, texts };
}

function streamed(scene: Scenario) {
  const { runtime, runs } = runtimeFor(scene, 'block');
  const gate = runtime.openStream({
    runs,
    facts,
    signal: new AbortController().signal,
    budgetMs: 1_000,
    unscanned: { policies: new Map(), global: null },
    codec,
  });
  const out = new Map<string, string>();
  let last = { kind: 'release', pieces: [] } as StreamStep;
  const take = (step: StreamStep | Promise<StreamStep>) => {
    if (step instanceof Promise) throw new Error('a promise for local guardrails');
    last = step;
    if (step.kind !== 'release') return;
    for (const { channel, text } of step.pieces) {
      if (channel.kind !== 'tool_args') expect(LONE_SURROGATE.test(text)).toBe(false);
      out.set(channel.key, (out.get(channel.key) ?? '') + text);
    }
  };
  for (const [channel, text] of deal(scene.channels, scene.cuts)) take(gate.push(channel, text));
  take(gate.end());
  const report = gate.finish();
  if (report instanceof Promise) throw new Error('a promise for local guardrails');
  return {
    gate,
    last,
    texts: scene.channels.map(({ channel }) => out.get(channel.key) ?? ''),
    report,
    runtime,
  };
}

describe('any chunking of any channels (E8)', () => {
  it('gives the bytes, outcomes and applied names of the whole answer, up to the point of a block', () => {
    const seen = { allow: 0, mask: 0, respond: 0, block: 0 };
    fc.assert(
      fc.property(scenario, (scene) => {
        const whole = wholeAnswer(scene, 'block');
        const stream = streamed(scene);
        seen[whole.result.verdict]++;
        expect(stream.gate.mode).toBe(scene.buffered ? 'buffer' : 'window');
        expect(stream.runtime.counts.recorded).toBe(stream.runtime.counts.planned);
        if (whole.result.verdict === 'allow' || whole.result.verdict === 'mask') {
          expect(stream.last.kind).toBe('release');
          expect(stream.texts).toEqual(whole.texts);
          const outcomes = (records: typeof whole.result.records) =>
            records.map(({ guardrail_name, outcome }) => [guardrail_name, outcome]);
          expect(outcomes(stream.report.records)).toEqual(outcomes(whole.result.records));
          expect(stream.report.applied).toEqual(whole.result.applied);
          return;
        }
        // Something stopped it. What had left is the beginning of what would have left without the stop.
        expect(stream.last.kind).not.toBe('release');
        if (whole.result.verdict === 'block')
          expect(stream.last.kind === 'block' || stream.last.kind === 'respond').toBe(true);
        const unstopped = wholeAnswer(scene, 'log');
        for (const [index, text] of stream.texts.entries()) {
          expect(unstopped.texts[index]?.startsWith(text)).toBe(true);
        }
        if (stream.last.kind === 'respond') expect(stream.texts.join('')).toBe('');
      }),
      { numRuns: STRICT ? 20_000 : 1_500 },
    );
    // The generator must not have missed what it is for.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
  });

  it('blocks exactly when the whole answer is blocked, whatever it was cut into', () => {
    fc.assert(
      fc.property(scenario, cutsArb, (scene, cuts) => {
        const hard = { ...scene, settings: scene.settings.map((setting) => ({ ...setting, respond: [] })) };
        const whole = wholeAnswer(hard, 'block').result.verdict;
        const kinds = [streamed(hard).last.kind, streamed({ ...hard, cuts }).last.kind];
        expect(kinds).toEqual(whole === 'block' ? ['block', 'block'] : ['release', 'release']);
      }),
      { numRuns: STRICT ? 20_000 : 500 },
    );
  });
});
