import type { Outcome, Segment } from '@portcullis/policy';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  clean,
  custom,
  FakeClock,
  fakePorts,
  guardrail,
  input,
  pipeline,
  run,
  runtimeOf,
  segment,
  step,
  words,
} from '../test/kit.ts';
import { type Detector, HttpFailure, type HookResult, type Inspection } from './index.ts';

const block: Inspection = {
  ...clean,
  outcome: { outcome: 'flagged', action: 'block', message: 'no' },
};
const later =
  (inspection: Inspection): Detector['inspect'] =>
  () =>
    Promise.resolve(inspection);

/** The result of a hook that must not need a promise. */
function now(result: HookResult | Promise<HookResult>): HookResult {
  if (result instanceof Promise) throw new Error('a promise on the hot path');
  return result;
}

const WORDS = [
  guardrail('masker', { guardrail: 'words', mask: ['secret'] }),
  guardrail('blocker', { guardrail: 'words', block: ['bomb'] }),
  guardrail('sees-secret', { guardrail: 'words', block: ['secret'] }),
  guardrail('sees-mask', { guardrail: 'words', block: ['[W]'] }),
  guardrail('responder', { guardrail: 'words', respond: ['joke'] }),
  guardrail('logger', { guardrail: 'words', log: ['note'] }),
];

afterEach(() => {
  vi.useRealTimers();
});

describe('a hook of local guardrails', () => {
  it('answers without a promise and returns the very list when nothing changed', () => {
    const segments = [segment('hello')];
    const result = now(runtimeOf(WORDS).runHook(input([run('masker'), run('blocker')], segments)));
    expect(result.verdict).toBe('allow');
    expect(result.segments).toBe(segments);
    expect(result.edited).toEqual([]);
    expect(result.applied).toEqual(['masker', 'blocker']);
  });

  it('masks, and says which segments changed', () => {
    const segments = [segment('nothing'), segment('a secret, a secret')];
    const result = now(runtimeOf(WORDS).runHook(input([run('masker')], segments)));
    expect(result.verdict).toBe('mask');
    expect(result.segments.map(({ text }) => text)).toEqual(['nothing', 'a [W], a [W]']);
    expect(result.edited).toEqual([1]);
    expect(segments[1]?.text).toBe('a secret, a secret');
    expect(result.records[0]).toMatchObject({
      outcome: 'masked',
      guardrail_status: 'guardrail_intervened',
      masked_entity_count: { word: 2 },
      detection_method: 'keyword',
    });
    expect(result.records[0]?.match_details).toHaveLength(2);
  });

  it('shows a later run the changed content (C5)', () => {
    const result = now(
      runtimeOf(WORDS).runHook(input([run('masker'), run('sees-mask')], [segment('secret')])),
    );
    expect(result.verdict).toBe('block');
    expect(result.block?.guardrail_name).toBe('sees-mask');
  });

  it('shows a block-capable run the original content too (C5)', () => {
    const result = now(
      runtimeOf(WORDS).runHook(input([run('masker'), run('sees-secret')], [segment('secret')])),
    );
    expect(result.verdict).toBe('block');
    expect(result.block?.guardrail_name).toBe('sees-secret');
  });

  it('shows it the original when an earlier pass had changed the content before this hook ran (C5, M8)', () => {
    const original = [segment('secret')];
    const result = now(runtimeOf(WORDS).runHook(input([run('sees-secret')], [segment('[W]')], { original })));
    expect(result.verdict).toBe('block');
  });

  it('asks about the original only where it differs, when the detector judges segments by themselves', () => {
    const seen: string[][] = [];
    const watcher = custom(
      'watcher',
      (subject) => {
        seen.push(subject.segments.map(({ text }) => text));
        return clean;
      },
      { deterministic: 'segment' },
    );
    const runtime = runtimeOf([...WORDS, guardrail('watcher', { guardrail: 'watcher' })], [words, watcher]);
    const segments = [
      segment('one'),
      segment('secret'),
      segment('part', { join: 1 }),
      segment('secret', { join: 1 }),
    ];
    void runtime.runHook(input([run('masker'), run('watcher')], segments));
    expect(seen).toEqual([['one'], ['[W]'], ['part', '[W]'], ['secret'], ['part', 'secret']]);
  });

  it('stops at the first block, and records the runs after it as not run because of it (E2)', () => {
    const result = now(
      runtimeOf(WORDS).runHook(
        input([run('blocker'), run('masker'), pipeline('pipe', [step('logger')])], [segment('bomb')]),
      ),
    );
    expect(
      result.records.map(({ guardrail_name, outcome, reason }) => [guardrail_name, outcome, reason]),
    ).toEqual([
      ['blocker', 'flagged', 'Content blocked: word'],
      ['masker', 'not_run', 'stopped_by:blocker'],
      ['logger', 'not_run', 'stopped_by:blocker'],
    ]);
    expect(result.applied).toEqual(['blocker']);
  });

  it('gives the caller the block of E7 with name, mode and policy', () => {
    const result = now(runtimeOf(WORDS).runHook(input([run('blocker')], [segment('bomb')])));
    expect(result.block).toEqual({
      type: 'guardrail_violation',
      message: 'Content blocked: word',
      guardrail_name: 'blocker',
      guardrail_mode: 'pre_call',
      policy: 'p',
      provider_specific_fields: { guardrail_name: 'blocker', guardrail_mode: 'pre_call', policy: 'p' },
    });
  });

  it('answers softly only when no other run blocks (C4)', () => {
    const runtime = runtimeOf(WORDS);
    const soft = now(runtime.runHook(input([run('responder'), run('blocker')], [segment('joke')])));
    expect(soft.verdict).toBe('respond');
    expect(soft.respond).toEqual({ message: 'I cannot say that.', guardrail_name: 'responder' });
    const hard = now(runtime.runHook(input([run('responder'), run('blocker')], [segment('joke bomb')])));
    expect(hard.verdict).toBe('block');
    expect(hard.respond).toBeNull();
  });

  it('lets a report pass and counts it as applied (P7, E3)', () => {
    const result = now(runtimeOf(WORDS).runHook(input([run('logger')], [segment('note')])));
    expect(result.verdict).toBe('allow');
    expect(result.records[0]).toMatchObject({ outcome: 'flagged', flagged_action: 'log', verdict: 'allow' });
    expect(result.applied).toEqual(['logger']);
  });

  it('finds empty content clean without asking anybody', () => {
    let asked = 0;
    const counter = custom('counter', () => {
      asked++;
      return clean;
    });
    const runtime = runtimeOf([guardrail('g', { guardrail: 'counter' })], [counter]);
    for (const segments of [[], [segment('')]]) {
      const result = now(runtime.runHook(input([run('g')], segments)));
      expect(result).toMatchObject({ verdict: 'allow', applied: ['g'] });
    }
    expect(asked).toBe(0);
  });

  it('writes exactly one record for each enforced guardrail and step (E2)', async () => {
    const runtime = runtimeOf(WORDS);
    const names = WORDS.map(({ guardrail_name }) => guardrail_name);
    const runs = fc.array(
      fc.oneof(
        fc
          .record({ name: fc.constantFrom(...names, 'nobody'), monitored: fc.boolean() })
          .map(({ name, monitored }) => run(name, { enforcement: monitored ? 'monitor' : 'enforce' })),
        fc
          .array(
            fc.record({ name: fc.constantFrom(...names), pass: fc.boolean(), monitored: fc.boolean() }),
            { minLength: 1, maxLength: 3 },
          )
          .map((steps) =>
            pipeline(
              'pipe',
              steps.map(({ name, pass, monitored }) => step(name, { pass_data: pass, monitored })),
            ),
          ),
      ),
      { maxLength: 5 },
    );
    const texts = fc.array(fc.constantFrom('hi', 'secret', 'bomb', 'joke', 'note', ''), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(runs, texts, async (planned, content) => {
        const hook = input(
          planned,
          content.map((text) => segment(text)),
        );
        const records = [...now(runtime.runHook(hook)).records, ...(await runtime.runMonitored(hook))];
        const expected = planned.reduce(
          (sum, item) => sum + (item.kind === 'pipeline' ? item.steps.length : 1),
          0,
        );
        expect(records).toHaveLength(expected);
        expect(runtime.counts.recorded).toBe(runtime.counts.planned);
      }),
      { numRuns: 100 },
    );
  });
});

describe('no answer is not an answer (E1)', () => {
  const failing = (inspect: Detector['inspect'], settings: Record<string, unknown> = {}) =>
    runtimeOf([guardrail('g', { guardrail: 'd', ...settings })], [custom('d', inspect)]);
  const outcomeOf = async (runtime: ReturnType<typeof failing>, more = {}) => {
    const result = await runtime.runHook(input([run('g')], [segment('text')], more));
    return { ...result, record: result.records[0] };
  };

  it('takes a throw for an error of class fault, and never quotes the exception', async () => {
    const result = await outcomeOf(
      failing(() => {
        throw new RangeError('the text "my secret" is bad');
      }),
    );
    expect(result.verdict).toBe('block');
    expect(result.record).toMatchObject({ outcome: 'error', error_class: 'fault' });
    expect(JSON.stringify(result)).not.toContain('my secret');
    expect(result.block?.type).toBe('guardrail_error');
    expect(result.applied).toEqual([]);
  });

  it('takes a rejection, and an answer out of shape, for a fault', async () => {
    const rejecting = failing(() => Promise.reject(new Error('x')));
    expect((await outcomeOf(rejecting)).record?.error_class).toBe('fault');
    const shapeless = failing(() => ({}) as Inspection);
    expect((await outcomeOf(shapeless)).record?.error_class).toBe('fault');
  });

  it('takes an HttpFailure for its class, and lets that class pass when the guardrail says so', async () => {
    const inspect = () => Promise.reject(new HttpFailure('unreachable', 'connection refused'));
    const closed = await outcomeOf(failing(inspect));
    expect(closed.record).toMatchObject({
      error_class: 'unreachable',
      reason: 'connection refused',
      verdict: 'block',
    });
    const open = await outcomeOf(failing(inspect, { unreachable_fallback: 'fail_open' }));
    expect(open.verdict).toBe('allow');
    expect(open.record).toMatchObject({ outcome: 'error', failed_open: true });
    expect(open.applied).toEqual([]);
  });

  it('never lets an unknown guardrail pass', async () => {
    const result = await runtimeOf([]).runHook(input([run('nobody')], [segment('x')]));
    expect(result.verdict).toBe('block');
    expect(result.records[0]).toMatchObject({
      outcome: 'error',
      error_class: 'unknown',
      guardrail_provider: 'unknown',
    });
  });

  it('ends a run that does not answer in time, and tells the detector', async () => {
    vi.useFakeTimers();
    let aborted = false;
    const hanging = custom(
      'd',
      (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
      { remote: true },
    );
    const runtime = runtimeOf([guardrail('g', { guardrail: 'd', timeout: 0.25 })], [hanging]);
    const result = runtime.runHook(input([run('g')], [segment('x')]));
    await vi.advanceTimersByTimeAsync(249);
    expect(aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await result).records[0]).toMatchObject({
      error_class: 'unreachable',
      reason: 'no answer within 250 ms',
    });
    expect(aborted).toBe(true);
  });

  it('does not start a remote run when the budget of the request is used up, but always a local one', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const slow = custom(
      'slow',
      () => {
        asked++;
        clock.advance(2_000);
        return Promise.resolve(clean);
      },
      { remote: true, masks: true },
    );
    const local = custom('local', () => block);
    const settings = { guardrail: 'slow', unreachable_fallback: 'fail_open' };
    const runtime = runtimeOf(
      [guardrail('a', settings), guardrail('b', settings), guardrail('c', { guardrail: 'local' })],
      [slow, local],
      fakePorts(clock),
    );
    const result = await runtime.runHook(
      input([run('a'), run('b'), run('c')], [segment('x')], { budgetMs: 1_000 }),
    );
    expect(asked).toBe(1);
    expect(result.records.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['clean', null],
      ['error', 'the time budget of the request is used up'],
      ['flagged', 'no'],
    ]);
  });

  it('never fails open for a caller who went away', async () => {
    const controller = new AbortController();
    const hanging = custom('d', () => new Promise(() => undefined), { remote: true });
    const runtime = runtimeOf([guardrail('g', { guardrail: 'd', fail_on_error: false })], [hanging]);
    const result = runtime.runHook(input([run('g')], [segment('x')], { signal: controller.signal }));
    controller.abort();
    expect((await result).verdict).toBe('block');
    expect((await result).records[0]).toMatchObject({
      error_class: 'undeliverable',
      reason: 'the caller is gone',
    });
  });

  it.each([
    ['outside the text', [{ segment: 0, start: 0, end: 99, replacement: '' }]],
    ['of no segment', [{ segment: 4, start: 0, end: 0, replacement: '' }]],
    [
      'that overlap',
      [
        { segment: 0, start: 0, end: 2, replacement: '' },
        { segment: 0, start: 1, end: 3, replacement: '' },
      ],
    ],
    ['without any', []],
  ])('takes a mask with edits %s for a fault', (_, edits) => {
    const runtime = failing(() => ({ ...clean, outcome: { outcome: 'masked' }, edits }));
    const result = now(runtime.runHook(input([run('g')], [segment('text')])));
    expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: 'fault', verdict: 'block' });
  });

  it('takes an edit in during_call for undeliverable (P7)', () => {
    const result = now(
      runtimeOf(WORDS).runHook(input([run('masker')], [segment('secret')], { hook: 'during_call' })),
    );
    expect(result.records[0]).toMatchObject({ error_class: 'undeliverable', verdict: 'block' });
  });

  it('takes a mask that its leaf cannot hold for undeliverable', () => {
    const runtime = runtimeOf(WORDS);
    const key = [segment('secret', { leaf: 'key' })];
    expect(now(runtime.runHook(input([run('masker')], key))).records[0]?.error_class).toBe('undeliverable');
    const told = now(runtime.runHook(input([run('masker')], key, { canReplace: () => true })));
    expect(told.segments[0]?.text).toBe('[W]');
  });
});

describe('content that is not scanned (E9)', () => {
  const images = [segment('hello'), segment('data:', { kind: 'images', path: '/messages/0/content/1' })];
  const files = [segment('hello'), segment('data:', { kind: 'files', path: '/messages/0/content/1' })];
  const hook = (settings: object, segments: Segment[], more = {}) =>
    now(
      runtimeOf([guardrail('g', { guardrail: 'words', block: ['bomb'], ...settings })]).runHook(
        input([run('g')], segments, more),
      ),
    );

  it('lets images pass by default, with a note in the record', () => {
    const result = hook({}, images);
    expect(result.verdict).toBe('allow');
    expect(result.records[0]?.unscanned).toEqual([
      { kind: 'images', path: '/messages/0/content/1', setting: 'allow', reason: 'cannot be read' },
    ]);
  });

  it('refuses what the detector cannot read otherwise', () => {
    const result = hook({}, files);
    expect(result.verdict).toBe('block');
    expect(result.block).toMatchObject({
      type: 'guardrail_violation',
      provider_specific_fields: { error: 'unscanned_content', kinds: ['files'] },
    });
  });

  it("takes the guardrail's setting before its policies', theirs before the global one", () => {
    expect(hook({ unscanned: 'allow' }, files).verdict).toBe('allow');
    expect(hook({ unscanned: 'block' }, images).verdict).toBe('block');
    const policies = new Map([['p-1', 'allow' as const]]);
    expect(hook({}, files, { unscanned: { policies, global: 'block' } }).verdict).toBe('allow');
    expect(hook({}, images, { unscanned: { policies: new Map(), global: 'block' } }).verdict).toBe('block');
  });

  it('takes a kind outside the scan list for declared, and does not run when nothing is left', () => {
    const result = hook({ scan: ['system'] }, [segment('bomb')]);
    expect(result.verdict).toBe('allow');
    expect(result.records[0]).toMatchObject({
      outcome: 'not_run',
      reason: 'unscanned: user not in the scan list',
    });
    expect(result.applied).toEqual([]);
    expect(hook({ scan: ['system'], unscanned: 'block' }, [segment('bomb')]).verdict).toBe('block');
  });

  it('applies edits at the right place when only a part of the content is looked at', () => {
    const runtime = runtimeOf([guardrail('g', { guardrail: 'words', mask: ['x'], scan: ['user'] })]);
    const segments = [segment('x', { kind: 'system' }), segment('axa')];
    const result = now(runtime.runHook(input([run('g')], segments)));
    expect(result.segments.map(({ text }) => text)).toEqual(['x', 'a[W]a']);
    expect(result.edited).toEqual([1]);
  });

  it('refuses what a detector says it could not read', () => {
    const half = custom('half', () => ({ ...clean, unread: [{ segment: 0, reason: 'no base64' }] }));
    const runtime = runtimeOf([guardrail('g', { guardrail: 'half' })], [half]);
    const result = now(runtime.runHook(input([run('g')], [segment('?')])));
    expect(result.verdict).toBe('block');
    expect(result.records[0]?.reason).toBe('unscanned: user no base64');
  });
});

describe('remote runs beside each other (C5)', () => {
  it('start together, and are reported in order whatever answers first', async () => {
    const order: string[] = [];
    const answer = (name: string, turns: number, inspection: Inspection) =>
      custom(
        name,
        async () => {
          order.push(`${name} starts`);
          for (let i = 0; i < turns; i++) await Promise.resolve();
          order.push(`${name} ends`);
          return inspection;
        },
        { remote: true },
      );
    const runtime = runtimeOf(
      [guardrail('slow', { guardrail: 'slow' }), guardrail('fast', { guardrail: 'fast' })],
      [
        answer('slow', 20, block),
        answer('fast', 1, { ...block, outcome: { outcome: 'flagged', action: 'block', message: 'fast' } }),
      ],
    );
    const result = await runtime.runHook(input([run('slow'), run('fast')], [segment('x')]));
    expect(order.slice(0, 2)).toEqual(['slow starts', 'fast starts']);
    expect(result.block?.guardrail_name).toBe('slow');
    expect(result.records[1]).toMatchObject({ outcome: 'not_run', reason: 'stopped_by:slow' });
  });

  it('are stopped when one before them blocks', async () => {
    let stopped = false;
    const hanging = custom(
      'hanging',
      (_, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            stopped = true;
          });
        }),
      { remote: true },
    );
    const runtime = runtimeOf(
      [guardrail('first', { guardrail: 'first' }), guardrail('hanging', { guardrail: 'hanging' })],
      [custom('first', later(block), { remote: true }), hanging],
    );
    const result = await runtime.runHook(input([run('first'), run('hanging')], [segment('x')]));
    expect(result.verdict).toBe('block');
    expect(stopped).toBe(true);
  });

  it('see changed content also when the run before them was not expected to change it', async () => {
    const seen: string[] = [];
    const surprise: Inspection = {
      ...clean,
      outcome: { outcome: 'masked' },
      edits: [{ segment: 0, start: 0, end: 1, replacement: 'y' }],
    };
    const watcher = custom(
      'watcher',
      (subject) => {
        seen.push(subject.segments[0]?.text ?? '');
        return Promise.resolve(clean);
      },
      { remote: true },
    );
    const runtime = runtimeOf(
      [guardrail('surprise', { guardrail: 'surprise' }), guardrail('watcher', { guardrail: 'watcher' })],
      [custom('surprise', later(surprise), { remote: true }), watcher],
    );
    const result = await runtime.runHook(input([run('surprise'), run('watcher')], [segment('x')]));
    expect(result.segments[0]?.text).toBe('y');
    expect(result.records.map(({ outcome }) => outcome)).toEqual(['masked', 'clean']);
    // Once too early, then the changed content and the original.
    expect(seen).toEqual(['x', 'y', 'x']);
  });

  it('give the same result as the same runs one after another', async () => {
    const outcomes: readonly Outcome[] = [
      { outcome: 'clean' },
      { outcome: 'flagged', action: 'block', message: 'b' },
      { outcome: 'flagged', action: 'respond', message: 'r' },
      { outcome: 'flagged', action: 'log', message: 'l' },
      { outcome: 'error', error_class: 'fault', reason: 'f' },
      { outcome: 'masked' },
    ];
    const kinds = fc.record({
      outcome: fc.constantFrom(...outcomes),
      remote: fc.boolean(),
      turns: fc.integer({ min: 0, max: 5 }),
      open: fc.boolean(),
      honest: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 6 }), async (list) => {
        const build = (concurrent: boolean) => {
          const catalogue = list.map(({ outcome, remote, turns, honest }, index) => {
            const inspect = (subject: { segments: readonly Segment[] }): Inspection => {
              if (outcome.outcome === 'not_run') return clean;
              const seen = subject.segments[0]?.text ?? '';
              const edits =
                outcome.outcome === 'masked'
                  ? [{ segment: 0, start: seen.length, end: seen.length, replacement: `.${index}` }]
                  : [];
              return { ...clean, outcome, edits, trace: { confidence_score: seen.length } };
            };
            const asynchronous: Detector['inspect'] = async (subject) => {
              for (let i = 0; i < turns; i++) await Promise.resolve();
              return inspect(subject);
            };
            return custom(`d${index}`, concurrent && remote ? asynchronous : inspect, {
              masks: outcome.outcome === 'masked' && honest,
              remote: concurrent && remote,
            });
          });
          const guardrails = list.map(({ open }, index) =>
            guardrail(`g${index}`, { guardrail: `d${index}`, fail_on_error: !open }),
          );
          return runtimeOf(guardrails, catalogue);
        };
        const hook = input(
          list.map((_, index) => run(`g${index}`)),
          [segment('x')],
        );
        const sequential = await build(false).runHook(hook);
        const concurrent = await build(true).runHook(hook);
        expect(concurrent).toEqual(sequential);
      }),
      { numRuns: 200 },
    );
  });
});
