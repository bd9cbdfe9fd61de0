import { describe, expect, it } from 'vitest';
import {
  clean,
  custom,
  facts,
  guardrail,
  pipeline,
  run,
  runtimeOf,
  segment,
  step,
  words,
} from '../../test/kit.ts';
import type {
  ArgumentsCodec,
  Detector,
  Runtime,
  StreamChannel,
  StreamGate,
  StreamInput,
  StreamStep,
} from '../index.ts';

const content = (choice = 0, more: Partial<StreamChannel> = {}): StreamChannel => ({
  key: `choices/${choice}/message/content`,
  kind: 'assistant',
  role: 'assistant',
  choice,
  ...more,
});
const args: StreamChannel = {
  key: 'choices/0/message/tool_calls/0/function/arguments',
  kind: 'tool_args',
  role: 'assistant',
  choice: 0,
};

/** Leaves of a flat JSON object; what a dialect would do. */
const codec: ArgumentsCodec = {
  splitArguments: (text) =>
    Object.entries(JSON.parse(text) as Record<string, string>).map(([key, value]) =>
      segment(value, { kind: 'tool_args', role: 'assistant', path: `/arguments#/${key}` }),
    ),
  joinArguments: (text, leaves) => {
    const keys = Object.keys(JSON.parse(text) as object);
    return JSON.stringify(Object.fromEntries(keys.map((key, index) => [key, leaves[index]?.text])));
  },
};

const whole = (inspect: Detector['inspect']) => custom('whole', inspect, { remote: true, masks: true });
const GUARDRAILS = [
  guardrail('masker', { guardrail: 'words', mask: ['secret'] }),
  guardrail('blocker', { guardrail: 'words', block: ['bomb'] }),
  guardrail('sees-secret', { guardrail: 'words', block: ['secret'] }),
  guardrail('sees-mask', { guardrail: 'words', block: ['[W]'] }),
  guardrail('masks-mask', { guardrail: 'words', mask: ['[W]!'] }),
  guardrail('responder', { guardrail: 'words', respond: ['joke'] }),
  guardrail('buffered', { guardrail: 'words', block: ['bomb'], streaming_mode: 'buffer' }),
  guardrail('audited', { guardrail: 'words', block: ['bomb'], streaming_mode: 'audit' }),
  guardrail('whole', { guardrail: 'whole' }),
  guardrail('narrow', { guardrail: 'words', mask: ['secret'], scan: ['reasoning'] }),
  guardrail('lenient', {
    guardrail: 'words',
    mask: ['secret'],
    on_error: { too_complex: 'allow', undeliverable: 'allow' },
  }),
];

function open(
  runs: StreamInput['runs'],
  more: Partial<StreamInput> = {},
  runtime = runtimeFor(),
): StreamGate {
  return runtime.openStream({
    runs,
    facts,
    signal: new AbortController().signal,
    budgetMs: 1_000,
    unscanned: { policies: new Map(), global: null },
    ...more,
  });
}

function runtimeFor(
  remote: Detector['inspect'] = () => Promise.resolve(clean),
  extra: Parameters<typeof runtimeOf> = [[], []],
): Runtime {
  return runtimeOf([...GUARDRAILS, ...extra[0]], [words, whole(remote), ...(extra[1] ?? [])]);
}

/** The step of a call that must not need a promise. */
function now(step: StreamStep | Promise<StreamStep>): StreamStep {
  if (step instanceof Promise) throw new Error('a promise for a local guardrail');
  return step;
}
const text = (step: StreamStep) =>
  step.kind === 'release' ? step.pieces.map((piece) => piece.text).join('') : `<${step.kind}>`;

describe('a window (E8)', () => {
  it('releases what is certain as it comes, masked, and nothing before it is certain', () => {
    const gate = open([run('masker')]);
    expect(gate.mode).toBe('window');
    const channel = content();
    const out = ['the se', 'cret is', ' out', '.'].map((piece) => text(now(gate.push(channel, piece))));
    expect(out).toEqual(['t', 'he [W]', ' i', 's']);
    expect(text(now(gate.end()))).toBe(' out.');
  });

  it('is a plain pipe without enforced guardrails', () => {
    const gate = open([]);
    expect(text(now(gate.push(content(), 'anything')))).toBe('anything');
    expect(gate.armed).toEqual([]);
  });

  it('names the enforced guardrails that watch, not the monitored and audited ones (E3)', () => {
    const runs = [run('masker'), run('blocker', { enforcement: 'monitor' }), run('audited')];
    expect(open(runs).armed).toEqual(['masker']);
  });

  it('ends all choices with a block in one, and releases nothing that is held', () => {
    const gate = open([run('blocker')]);
    expect(text(now(gate.push(content(0), 'hello')))).toBe('he');
    const step = now(gate.push(content(1), 'a bomb'));
    expect(step).toMatchObject({
      kind: 'block',
      block: { guardrail_name: 'blocker', guardrail_mode: 'post_call' },
    });
    expect(now(gate.push(content(0), ' you'))).toBe(step);
    expect(now(gate.end())).toBe(step);
  });

  it('shows a later run what an earlier one made of the text, and the original (C5)', () => {
    for (const [runs, name] of [
      [[run('masker'), run('sees-mask')], 'sees-mask'],
      [[run('masker'), run('sees-secret')], 'sees-secret'],
    ] as const) {
      const gate = open(runs);
      void gate.push(content(), 'a secret');
      expect(now(gate.end())).toMatchObject({ kind: 'block', block: { guardrail_name: name } });
    }
    const chain = open([run('masker'), run('masks-mask')]);
    const out = [chain.push(content(), 'a secret!'), chain.end()];
    expect(out.map((step) => text(now(step))).join('')).toBe('a [W]');
  });

  it('answers softly at the end while nothing has been sent, and otherwise cuts', () => {
    const soft = open([run('responder'), run('blocker')]);
    expect(text(now(soft.push(content(), 'joke')))).toBe('');
    expect(text(now(soft.push(content(), ' and more text')))).toBe('');
    expect(now(soft.end())).toEqual({
      kind: 'respond',
      respond: { message: 'I cannot say that.', guardrail_name: 'responder' },
    });
    const hard = open([run('responder'), run('blocker')]);
    void hard.push(content(), 'joke');
    expect(now(hard.push(content(), ' bomb'))).toMatchObject({
      kind: 'block',
      block: { guardrail_name: 'blocker' },
    });
    const late = open([run('responder')]);
    expect(text(now(late.push(content(), 'hello')))).toBe('he');
    expect(now(late.push(content(), ' joke'))).toMatchObject({
      kind: 'block',
      block: { message: 'I cannot say that.' },
    });
  });

  it('does not split a character in two', () => {
    const gate = open([run('masker')]);
    const channel = content();
    const out: string[] = [];
    for (const unit of 'a😀b secret 😀 the end'.split('')) out.push(text(now(gate.push(channel, unit))));
    void out.push(text(now(gate.end())));
    for (const piece of out) expect(/\p{Surrogate}/u.test(piece)).toBe(false);
    expect(out.join('')).toBe('a😀b [W] 😀 the end');
  });

  it('lets a kind outside the scan list pass, and records it (E9)', () => {
    const gate = open([run('narrow')]);
    expect(text(now(gate.push(content(), 'secret')))).toBe('secret');
    void gate.end();
    expect(gate.finish()).toMatchObject({
      records: [{ outcome: 'not_run', reason: 'unscanned: assistant not in the scan list' }],
      applied: [],
    });
    const strict = open([run('narrow')], { unscanned: { policies: new Map(), global: 'block' } });
    expect(now(strict.push(content(), 'secret'))).toMatchObject({
      kind: 'block',
      block: { provider_specific_fields: { error: 'unscanned_content' } },
    });
  });

  it.each([
    [
      'throws',
      {
        push: () => {
          throw new Error('x');
        },
      },
    ],
    [
      'lies about places',
      { push: () => ({ certainUpTo: 99, edits: [], detections: [], outcome: { outcome: 'clean' } }) },
    ],
    [
      'goes back',
      {
        push: (_: string, done: boolean) => ({
          certainUpTo: done ? 0 : -1,
          edits: [],
          detections: [],
          outcome: { outcome: 'clean' },
        }),
      },
    ],
    [
      'edits what is not certain',
      {
        push: () => ({
          certainUpTo: 0,
          edits: [{ start: 0, end: 1, replacement: '' }],
          detections: [],
          outcome: { outcome: 'masked' },
        }),
      },
    ],
    ['gives no answer', { push: () => null }],
  ])('takes a scanner that %s for a fault (E1)', (_, scanner) => {
    const bad = custom('bad', () => clean, { openChannel: () => scanner as never });
    const runtime = (settings: object) =>
      runtimeFor(undefined, [[guardrail('bad', { guardrail: 'bad', ...settings })], [bad]]);
    const closed = open([run('bad')], {}, runtime({}));
    expect(now(closed.push(content(), 'x'))).toMatchObject({
      kind: 'block',
      block: { type: 'guardrail_error' },
    });
    const lenient = open([run('bad'), run('masker')], {}, runtime({ on_error: 'allow' }));
    void lenient.push(content(), 'a secret');
    void lenient.push(content(), ' here');
    void lenient.end();
    expect(lenient.finish()).toMatchObject({
      records: [{ outcome: 'error', error_class: 'fault', failed_open: true }, { outcome: 'masked' }],
      applied: ['masker'],
    });
  });

  it('ends a stream that makes it hold too much (E8 too_complex), unless all its guardrails let that pass', () => {
    const hoarder = custom('hoarder', () => clean, {
      openChannel: () => {
        let seen = 0;
        return {
          push: (piece: string, done: boolean) => {
            seen += piece.length;
            return { certainUpTo: done ? seen : 0, edits: [], detections: [], outcome: { outcome: 'clean' } };
          },
        };
      },
    });
    const runtime = (settings: object) =>
      runtimeFor(undefined, [[guardrail('hoarder', { guardrail: 'hoarder', ...settings })], [hoarder]]);
    const limits = { maxHeldChars: 10 };
    const closed = open([run('hoarder')], { limits }, runtime({}));
    expect(text(now(closed.push(content(), '0123456789')))).toBe('');
    expect(now(closed.push(content(), 'x'))).toMatchObject({
      kind: 'block',
      block: { provider_specific_fields: { error_class: 'too_complex' } },
    });
    const open2 = open([run('hoarder')], { limits }, runtime({ on_error: { too_complex: 'allow' } }));
    expect(text(now(open2.push(content(), '0123456789x')))).toBe('0123456789x');
    expect(text(now(open2.push(content(), 'yz')))).toBe('yz');
    void open2.end();
    expect(open2.finish()).toMatchObject({ records: [{ error_class: 'too_complex', failed_open: true }] });
  });

  it('ends a stream with too many channels', () => {
    const gate = open([run('masker')], { limits: { maxChannels: 2 } });
    void gate.push(content(0), 'x');
    void gate.push(content(1), 'x');
    expect(now(gate.push(content(2), 'x')).kind).toBe('block');
  });
});

describe('adjacent parts of one message in a window (E9)', () => {
  const part = (index: number) => content(0, { key: `part-${index}`, join: 1 });

  it('block when they do so joined, although the first part has left', () => {
    const gate = open([run('blocker')]);
    const out = [text(now(gate.push(part(0), 'a bo'))), text(now(gate.endChannel('part-0')))];
    expect(out.join('')).toBe('a bo');
    expect(now(gate.push(part(1), 'mb'))).toMatchObject({
      kind: 'block',
      block: { guardrail_name: 'blocker' },
    });
  });

  it('cannot deliver a mask across parts, and end the stream', () => {
    const gate = open([run('masker')]);
    void gate.push(part(0), 'a sec');
    void gate.endChannel('part-0');
    void gate.push(part(1), 'ret');
    expect(now(gate.end())).toMatchObject({
      kind: 'block',
      block: { provider_specific_fields: { error_class: 'undeliverable' } },
    });
  });

  it('pass with the masks of each part', () => {
    const gate = open([run('masker'), run('masks-mask'), run('blocker')]);
    const out = [
      gate.push(part(0), 'a secret, '),
      gate.endChannel('part-0'),
      gate.push(part(1), 'secret two'),
      gate.end(),
    ];
    expect(out.map((step) => text(now(step))).join('')).toBe('a [W], [W] two');
  });
});

describe('the arguments of a tool call', () => {
  it('leave only complete, scanned leaf by leaf (E8)', () => {
    const gate = open([run('masker')], { codec });
    for (const piece of ['{"to":"a se', 'cret","cc', '":"b"}'])
      expect(text(now(gate.push(args, piece)))).toBe('');
    expect(text(now(gate.endChannel(args.key)))).toBe('{"to":"a [W]","cc":"b"}');
    expect(gate.finish()).toMatchObject({
      records: [{ outcome: 'masked', masked_entity_count: { word: 1 } }],
    });
  });

  it('pass byte for byte when nothing is masked', () => {
    const gate = open([run('masker')], { codec });
    void gate.push(args, '{ "to" : "b" }');
    expect(text(now(gate.end()))).toBe('{ "to" : "b" }');
  });

  it('are too complex when they cannot be taken apart', () => {
    const gate = open([run('masker')], { codec });
    void gate.push(args, '{"to":');
    expect(now(gate.end())).toMatchObject({
      block: { provider_specific_fields: { error_class: 'too_complex' } },
    });
  });

  it.each(['window', 'buffer'] as const)(
    'are undeliverable when the masked ones cannot be written (%s)',
    async (mode) => {
      const broken = { ...codec, joinArguments: () => null };
      const more = mode === 'buffer' ? [run('whole')] : [];
      const gate = open([run('masker'), ...more], { codec: broken });
      expect(gate.mode).toBe(mode);
      void gate.push(args, '{"to":"secret"}');
      expect(await gate.end()).toMatchObject({
        block: { guardrail_name: 'masker', provider_specific_fields: { error_class: 'undeliverable' } },
      });
      expect(await gate.finish()).toMatchObject({
        records: [{ outcome: 'error' }, ...more.map(() => ({ outcome: 'clean' }))],
      });
      const lenient = open([run('lenient'), ...more], { codec: broken });
      void lenient.push(args, '{"to":"secret"}');
      expect(text(await lenient.end())).toBe('{"to":"secret"}');
    },
  );
});

describe('a buffer (E8)', () => {
  it('holds everything until the whole answer is judged', async () => {
    const gate = open([run('whole'), run('masker')]);
    expect(gate.mode).toBe('buffer');
    expect(text(now(gate.push(content(0), 'a se')))).toBe('');
    expect(text(now(gate.push(content(1), 'two')))).toBe('');
    expect(text(now(gate.push(content(0), 'cret')))).toBe('');
    const last = await gate.end();
    expect(last).toEqual({
      kind: 'release',
      pieces: [
        { channel: content(0), text: 'a [W]' },
        { channel: content(1), text: 'two' },
      ],
    });
    expect(gate.finish()).toMatchObject({ applied: ['whole', 'masker'] });
  });

  it.each([
    ['a pipeline', [pipeline('pipe', [step('blocker')], { mode: 'post_call' })]],
    ['streaming_mode buffer', [run('buffered')]],
    ["a caller's parameters", [run('blocker', { params: { x: 1 } })]],
    ['an unknown guardrail', [run('nobody')]],
  ])('is used for %s', (_, runs) => {
    const gate = open(runs);
    expect(gate.mode).toBe('buffer');
    void gate.push(content(), 'a bomb');
    expect(now(gate.end()).kind).toBe('block');
  });

  it('answers softly when a pipeline says so', () => {
    const soft = step('blocker', { on_fail: 'modify_response', modify_response_message: 'Tea?' });
    const gate = open([pipeline('pipe', [soft], { mode: 'post_call' })]);
    void gate.push(content(), 'a bomb');
    expect(now(gate.end())).toMatchObject({ kind: 'respond', respond: { message: 'Tea?' } });
  });

  it('is too complex beyond its limit, unless every guardrail lets that pass', () => {
    const limits = { maxHeldChars: 4 };
    const closed = open([run('buffered')], { limits });
    expect(now(closed.push(content(), '12345'))).toMatchObject({
      block: { provider_specific_fields: { error_class: 'too_complex' } },
    });
    const runtime = runtimeFor(undefined, [
      [
        guardrail('easy', {
          guardrail: 'words',
          streaming_mode: 'buffer',
          on_error: { too_complex: 'allow' },
        }),
      ],
      [],
    ]);
    const gate = open([run('easy')], { limits }, runtime);
    expect(text(now(gate.push(content(), '12345')))).toBe('12345');
    expect(text(now(gate.push(content(), '6')))).toBe('6');
    expect(text(now(gate.end()))).toBe('');
    expect(gate.finish()).toMatchObject({ records: [{ outcome: 'error', failed_open: true }], applied: [] });
  });
});

describe('the report of a stream (E2)', () => {
  it('has audited and monitored runs too, in plan order, made when the stream is over', async () => {
    const runtime = runtimeFor();
    const runs = [run('audited'), run('masker'), run('blocker', { enforcement: 'monitor' })];
    const gate = open(runs, {}, runtime);
    expect(gate.mode).toBe('window');
    expect(text(now(gate.push(content(), 'a bomb')))).toBe('a');
    expect(text(now(gate.end()))).toBe(' bomb');
    const report = await gate.finish();
    expect(
      report.records.map(({ guardrail_name, enforcement, verdict }) => [
        guardrail_name,
        enforcement,
        verdict,
      ]),
    ).toEqual([
      ['audited', 'monitor', 'block'],
      ['masker', 'enforce', 'allow'],
      ['blocker', 'monitor', 'block'],
    ]);
    expect(report.applied).toEqual(['masker']);
    expect(runtime.counts).toEqual({ planned: 3, recorded: 3 });
  });

  it('says of a broken stream what was done so far', () => {
    const gate = open([run('buffered'), run('masker')]);
    void gate.push(content(), 'half');
    expect(gate.finish()).toMatchObject({
      records: [{ outcome: 'not_run' }, { outcome: 'not_run' }],
      applied: [],
    });
    const window = open([run('masker'), run('narrow')]);
    void window.push(content(), 'a secret and so on');
    expect(window.finish()).toMatchObject({ records: [{ outcome: 'masked' }, { outcome: 'not_run' }] });
  });

  it('gives an answer too long to be kept to no monitored run, and records that', async () => {
    const gate = open([run('blocker', { enforcement: 'monitor' })], { limits: { maxHeldChars: 3 } });
    void gate.push(content(), 'a bomb');
    void gate.end();
    expect(await gate.finish()).toMatchObject({
      records: [{ outcome: 'not_run', reason: 'the answer is too large' }],
    });
  });

  it('finds a stream without any text clean', () => {
    const gate = open([run('masker')]);
    void gate.end();
    expect(gate.finish()).toMatchObject({ records: [{ outcome: 'clean' }], applied: ['masker'] });
  });
});
