import type { Segment } from '@portcullis/policy';
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  clean,
  custom,
  FakeClock,
  facts,
  fakePorts,
  guardrail,
  input,
  run,
  runtimeOf,
  segment,
  words,
} from '../../test/kit.ts';
import { contentFilter } from '../content-filter/index.ts';
import type { DetectorDefinition, HookInput, HookResult, Inspection } from '../index.ts';
import { PlaceholderVault } from '../restore/vault.ts';
import { VERDICT_CACHE_LIMITS, VerdictCache } from './cache.ts';
import { KeyedHash } from './keyed-hash.ts';

const RUNS = { numRuns: process.env['PORTCULLIS_TEST_STRICT'] === '1' ? 1_000 : 100 };

/** A detector that counts what it is asked, by text. */
function counting(options: Partial<DetectorDefinition> = {}, answer: Inspection = clean) {
  const asked: string[] = [];
  const definition = custom(
    'counting',
    ({ segments }) => {
      asked.push(segments.map(({ text }) => text).join('|'));
      return answer;
    },
    { deterministic: 'segment', dataDigest: () => '', masks: true, ...options },
  );
  const taken = () => asked.splice(0);
  return { definition, taken };
}

interface Setup {
  readonly definition: DetectorDefinition;
  readonly verdicts?: VerdictCache | null;
  readonly params?: Record<string, unknown>;
  readonly clock?: FakeClock;
}

function asker({ definition, verdicts = new VerdictCache(), params = {}, clock }: Setup) {
  const configured = guardrail('g', { guardrail: definition.ids[0], ...params });
  const runtime = runtimeOf([configured], [definition], fakePorts(clock), { verdicts });
  return (segments: readonly Segment[], more: Partial<HookInput> = {}): HookResult => {
    const result = runtime.runHook(input([run('g')], segments, more));
    if (result instanceof Promise) throw new Error('a promise on the hot path');
    return result;
  };
}

const history = (length: number) => Array.from({ length }, (_, turn) => segment(`message ${turn}`));
const ofTeam = (teamId: string, more = {}) => ({ facts: { ...facts, teamId, ...more } });

describe('a history', () => {
  it.each([2, 16, 17, 31, 32, 200])('E6: of %i messages is scanned once, not on every turn', (length) => {
    const { definition, taken } = counting();
    const ask = asker({ definition });
    ask(history(length));
    expect(taken()).toHaveLength(length);
    ask([...history(length), segment('an answer'), segment('a question')]);
    expect(taken()).toEqual(['an answer', 'a question']);
  });

  it('E6: is not scanned again when its beginning is cut off', () => {
    const { definition, taken } = counting();
    const ask = asker({ definition });
    ask(history(40));
    taken();
    ask(history(40).slice(5));
    expect(taken()).toEqual([]);
  });

  it('E6 E9: has the adjacent parts of one message looked up together, because they are judged together', () => {
    const { definition, taken } = counting();
    const ask = asker({ definition });
    const parts = (last: string) => [
      segment('a', { join: 1 }),
      segment(last, { join: 1 }),
      segment('c', { join: 2 }),
    ];
    ask(parts('b'));
    expect(taken()).toEqual(['a|b', 'c']);
    ask(parts('x'));
    expect(taken()).toEqual(['a|x']);
  });

  it('E6: costs a few look-ups when nothing in it is new', () => {
    const verdicts = new VerdictCache();
    const { definition } = counting();
    const ask = asker({ definition, verdicts });
    ask(history(200));
    const before = verdicts.counts.hits;
    ask(history(200));
    expect(verdicts.counts.hits - before).toBe(12 + 8);
  });
});

describe('a kept verdict', () => {
  const turn = [segment('one'), segment('two')];
  const other = (change: Partial<Setup>, more: Partial<HookInput> = {}, segments = turn) => {
    const { definition, taken } = counting();
    const verdicts = new VerdictCache();
    asker({ definition, verdicts })(turn, ofTeam('t'));
    taken();
    asker({ definition, verdicts, ...change })(segments, { ...ofTeam('t'), ...more });
    return taken();
  };

  it('E6: serves the same question of the same team, also of another key, and through another snapshot', () => {
    expect(other({})).toEqual([]);
    expect(other({}, ofTeam('t', { keyHash: 'k' }))).toEqual([]);
  });

  it.each([
    ['another configuration', { params: { priority: 3 } }, {}],
    ['another team', {}, ofTeam('u')],
    ['a key without a team', {}, { facts: { ...facts, keyHash: 't' } }],
    ['another hook', {}, { hook: 'during_call' }],
  ] as const)('E6: does not serve %s', (_what, change, more) => {
    expect(other(change, more)).toEqual(['one', 'two']);
  });

  it('E6: does not serve another kind or role of text, or another kind of leaf', () => {
    const kinds = [segment('one', { kind: 'system' }), segment('two')];
    expect(other({}, {}, kinds)).toEqual(['one']);
    expect(other({}, {}, [segment('one', { role: 'assistant' }), segment('two')])).toEqual(['one']);
    expect(other({}, {}, [segment('one', { leaf: 'key' }), segment('two')])).toEqual(['one']);
  });

  it('E6: does not outlive a detector that reads data nobody names', () => {
    const { definition, taken } = counting({ dataDigest: () => null });
    const verdicts = new VerdictCache();
    for (let load = 0; load < 2; load++) asker({ definition, verdicts })(turn);
    expect(taken()).toEqual(['one', 'two', 'one', 'two']);
  });

  it.each<[string, Inspection]>([
    ['no answer', { ...clean, outcome: { outcome: 'error', error_class: 'too_complex', reason: 'x' } }],
    ['content that could not be read', { ...clean, unread: [{ segment: 0, reason: 'x' }] }],
  ])('E6: is never made of %s', (_what, answer) => {
    const { definition, taken } = counting({}, answer);
    const ask = asker({ definition, params: { on_error: { too_complex: 'allow' }, unscanned: 'allow' } });
    for (let time = 0; time < 2; time++) ask(turn);
    expect(taken()).toEqual(['one', 'two', 'one', 'two']);
  });

  it('E6: is neither made for nor of a run with parameters of the caller', () => {
    const { definition, taken } = counting();
    const verdicts = new VerdictCache();
    const runtime = runtimeOf([guardrail('g', { guardrail: 'counting' })], [definition], fakePorts(), {
      verdicts,
    });
    for (let time = 0; time < 2; time++) void runtime.runHook(input([run('g', { params: { x: 1 } })], turn));
    expect(taken()).toEqual(['one', 'two', 'one', 'two']);
    expect(verdicts.size).toBe(0);
  });

  it('E6: is not kept of answers, which do not come again', () => {
    const verdicts = new VerdictCache();
    const { definition } = counting();
    asker({ definition, verdicts })(turn, { hook: 'post_call', direction: 'response' });
    expect(verdicts.size).toBe(0);
  });

  it('E6: is not taken for that of another text whose halves of surrogate pairs would look the same', () => {
    const { definition, taken } = counting();
    const ask = asker({ definition });
    ask([segment('x\ud800'), segment('two')]);
    ask([segment('x\ud801'), segment('two')]);
    expect(taken()).toEqual(['x\ud800', 'two', 'x\ud801']);
  });

  it('E6: is made anew after its age', () => {
    const clock = new FakeClock();
    const { definition, taken } = counting();
    const ask = asker({ definition, clock });
    ask(turn);
    clock.advance(VERDICT_CACHE_LIMITS.ageMs + 1);
    ask(turn);
    expect(taken()).toEqual(['one', 'two', 'one', 'two']);
  });

  it('E6: is kept within a bound of memory, whatever is asked', () => {
    const verdicts = new VerdictCache({ ...VERDICT_CACHE_LIMITS, bytes: 20_000 });
    const ask = asker({ definition: words, verdicts, params: { mask: ['secret'] } });
    for (let time = 0; time < 50; time++) {
      ask(Array.from({ length: 20 }, (_, index) => segment(`${time} ${index} ${'secret '.repeat(index)}`)));
    }
    expect(verdicts.size).toBeGreaterThan(0);
    expect(verdicts.bytes).toBeLessThanOrEqual(20_000);
  });

  it('E6: holds no text, no masked text and no placeholder', () => {
    const kept: Inspection[] = [];
    class Watched extends VerdictCache {
      override set(key: string, inspection: Inspection, nowMs: number): void {
        kept.push(inspection);
        super.set(key, inspection, nowMs);
      }
    }
    const runtime = runtimeOf([MAIL], [contentFilter], fakePorts(), {
      verdicts: new Watched(),
      vault: new PlaceholderVault(),
    });
    void runtime.runHook(input([run('mail')], [segment('to jane@example.org now'), segment('and more')]));
    expect(kept.map(({ outcome }) => outcome.outcome)).toEqual(['masked', 'clean']);
    expect(JSON.stringify(kept)).not.toMatch(/jane|example|now|<EMAIL_/u);
    expect(kept[0]?.detections).toMatchObject([{ type: 'email', span: { start: 3, end: 19 } }]);
  });
});

const MAIL = guardrail('mail', {
  guardrail: 'litellm_content_filter',
  patterns: [{ pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' }],
  output_parse_pii: true,
});
const FILTER = {
  patterns: [
    { pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' },
    { pattern_type: 'prebuilt', pattern_name: 'credit_card', action: 'LOG' },
    { pattern_type: 'regex', name: 'code', pattern: 'PRJ-[0-9]{6}', action: 'BLOCK' },
  ],
  blocked_words: [{ keyword: 'secret', action: 'MASK' }],
};
const WORDS = { mask: ['secret'], block: ['bomb'], respond: ['joke'], log: ['note'] };

const piece = fc.constantFrom(
  'secret',
  'jane@example.org',
  'jane@exa',
  'mple.org',
  '4111 1111 1111 1111',
  'PRJ-123456',
  'PRJ-12',
  '3456',
  'bomb',
  'joke',
  'note',
  'hello',
  'ß',
  '中文',
  '\ud83d\ude00',
  '\ud800',
);
const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(' '));
const message: fc.Arbitrary<Segment> = fc.record({
  path: fc.constant('/x'),
  kind: fc.constantFrom('user', 'assistant', 'system', 'tool_result'),
  role: fc.constantFrom('user', 'assistant', null),
  text,
  join: fc.constantFrom(null, null, 1, 2),
  leaf: fc.constantFrom('string', 'string', 'number'),
});

/** What may not depend on a cache: everything but the time. */
function withoutTimes(result: HookResult): unknown {
  const records = result.records.map((record) => ({ ...record, start_time: 0, end_time: 0, duration: 0 }));
  return { ...result, records, restorer: null };
}

describe('the cache', () => {
  it.each([
    ['the content filter', contentFilter, FILTER],
    ['the word list', words, WORDS],
  ] as const)(
    'E6: changes no result of %s, for any conversation and any turns of it',
    (_what, definition, params) => {
      fc.assert(
        fc.property(
          fc.array(message, { minLength: 1, maxLength: 40 }),
          fc.array(fc.record({ from: fc.nat(5), to: fc.nat(45), team: fc.constantFrom('t', 'u') }), {
            minLength: 2,
            maxLength: 6,
          }),
          (conversation, turns) => {
            const cached = asker({
              definition: { ...definition, dataDigest: () => '' },
              params,
            });
            const uncached = asker({ definition, params, verdicts: null });
            for (const { from, to, team } of turns) {
              const segments = conversation.slice(from, from + to);
              expect(withoutTimes(cached(segments, ofTeam(team)))).toEqual(
                withoutTimes(uncached(segments, ofTeam(team))),
              );
            }
          },
        ),
        RUNS,
      );
    },
  );

  it('E6: judges part by part what a detector says of the whole', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 40 }), (segments) => {
        const whole = asker({
          definition: { ...contentFilter, deterministic: 'subject' },
          params: FILTER,
        });
        const parts = asker({ definition: contentFilter, params: FILTER });
        expect(withoutTimes(parts(segments))).toEqual(withoutTimes(whole(segments)));
      }),
      RUNS,
    );
  });
});

describe('the keyed hash', () => {
  it('E6: is HMAC-SHA-256 in full length, also of texts larger than what it keeps ready', () => {
    const expected = (key: Buffer, text: string) =>
      createHmac('sha256', key).update(text, 'latin1').digest().toString('latin1');
    const keys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
    const texts = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1'));
    fc.assert(
      fc.property(keys, texts, (key, text) => {
        expect(new KeyedHash(key).of(text)).toBe(expected(key, text));
      }),
    );
    const key = Buffer.alloc(32, 1);
    for (const length of [70_000, 3_000_000, 5]) {
      expect(new KeyedHash(key).of('x'.repeat(length))).toBe(expected(key, 'x'.repeat(length)));
    }
  });
});
