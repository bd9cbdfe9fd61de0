import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { facts, fakePorts, guardrail, input, run, runtimeOf, segment } from '../../test/kit.ts';
import { catalogue, type StreamChannel, type StreamStep } from '../index.ts';

const STRICT = process.env['PORTCULLIS_TEST_STRICT'] === '1';

const filter = (name: string, settings: Record<string, unknown>) =>
  guardrail(name, { guardrail: 'litellm_content_filter', ...settings });
const mask = (pattern_name: string) => ({ pattern_type: 'prebuilt', pattern_name, action: 'MASK' });
const words = (action: string, ...keywords: string[]) => keywords.map((keyword) => ({ keyword, action }));

const runtime = runtimeOf(
  [
    filter('pii', { patterns: [mask('email'), mask('credit_card'), mask('us_ssn')] }),
    filter('names', { blocked_words: words('MASK', 'Project Falcon', 'falcon') }),
    filter('danger', { blocked_words: words('BLOCK', 'nitroglycerin', '[KEYWORD_REDACTED]!') }),
  ],
  catalogue,
  fakePorts(),
);

const fragment = fc.constantFrom(
  'write to jane.doe@example.com',
  'jane@exa',
  '@mple.org',
  '4111 1111 1111 1111',
  '4111-1111-1111-1112',
  '378282246310005',
  '123-45-6789',
  'Project Falcon',
  'project',
  ' falcon',
  'nitro',
  'glycerin',
  '!',
  ' ',
  '.\n',
  'é',
  '😀',
  '\u200b',
  'the quick brown fox',
);
const textArb = fc.array(fragment, { maxLength: 12 }).map((list) => list.join(''));
const channelsArb = fc.array(textArb, { minLength: 1, maxLength: 2 });
const cutsArb = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

function stream(
  runs: ReturnType<typeof run>[],
  texts: readonly string[],
  cuts: readonly number[],
  joined: boolean,
) {
  const gate = runtime.openStream({
    runs,
    facts,
    signal: new AbortController().signal,
    budgetMs: 1_000,
    unscanned: { policies: new Map(), global: null },
  });
  const out = texts.map(() => '');
  let last = { kind: 'release', pieces: [] } as StreamStep;
  const take = (step: StreamStep | Promise<StreamStep>) => {
    if (step instanceof Promise) throw new Error('a promise for local guardrails');
    last = step;
    if (step.kind === 'release') for (const { channel, text } of step.pieces) out[channel.choice] += text;
  };
  let cut = 0;
  for (const [choice, text] of texts.entries()) {
    const channel: StreamChannel = {
      key: `${choice}`,
      kind: 'assistant',
      role: 'assistant',
      choice,
      ...(joined ? { join: 1 } : {}),
    };
    for (let at = 0; at < text.length; ) {
      const size = cuts[cut++ % cuts.length] ?? 1;
      take(gate.push(channel, text.slice(at, at + size)));
      at += size;
    }
    if (joined) take(gate.endChannel(channel.key));
  }
  take(gate.end());
  return { gate, out, last };
}

function whole(runs: ReturnType<typeof run>[], texts: readonly string[], joined: boolean) {
  const segments = texts.map((text, index) =>
    segment(text, { kind: 'assistant', role: 'assistant', path: `/${index}`, join: joined ? 1 : null }),
  );
  const result = runtime.runHook(input(runs, segments, { hook: 'post_call', direction: 'response' }));
  if (result instanceof Promise) throw new Error('a promise for local guardrails');
  return result;
}

describe('the content filter on a stream (E8)', () => {
  const all = [run('pii'), run('names'), run('danger')];

  it('gives the bytes of the whole answer, however it is cut', () => {
    let compared = 0;
    fc.assert(
      fc.property(fc.subarray(all, { minLength: 1 }), channelsArb, cutsArb, (runs, texts, cuts) => {
        const expected = whole(runs, texts, false);
        const { gate, out, last } = stream(runs, texts, cuts, false);
        expect(gate.mode).toBe('window');
        expect(last.kind).toBe(expected.verdict === 'block' ? 'block' : 'release');
        if (expected.verdict === 'block') return;
        compared++;
        expect(out).toEqual(expected.segments.map(({ text }) => text));
      }),
      { numRuns: STRICT ? 10_000 : 500 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it('lets nothing leave of adjacent parts that the whole answer would not give (E9)', () => {
    let released = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.array(textArb, { minLength: 2, maxLength: 3 }),
        cutsArb,
        (only, texts, cuts) => {
          const expected = whole([only], texts, true);
          const { out, last } = stream([only], texts, cuts, true);
          if (last.kind !== 'release') return;
          released++;
          expect(expected.verdict).not.toBe('block');
          expect(out).toEqual(expected.segments.map(({ text }) => text));
        },
      ),
      { numRuns: STRICT ? 10_000 : 500 },
    );
    expect(released).toBeGreaterThan(50);
  });
});
