import { describe, expect, it } from 'vitest';
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
import { MonitorQueue } from './monitor.ts';

const monitored = { enforcement: 'monitor' as const };
const GUARDRAILS = [
  guardrail('masker', { guardrail: 'words', mask: ['secret'] }),
  guardrail('blocker', { guardrail: 'words', block: ['bomb'] }),
];

describe('monitored runs (E5)', () => {
  it('say what they would have done, in plan order, and touch nothing', async () => {
    const segments = [segment('secret bomb')];
    const hook = input(
      [
        run('blocker', monitored),
        pipeline('pipe', [step('masker', { pass_data: true })], monitored),
        run('masker', monitored),
      ],
      segments,
    );
    const runtime = runtimeOf(GUARDRAILS);
    const result = await runtime.runHook(hook);
    expect(result).toMatchObject({ verdict: 'allow', records: [], applied: [] });
    const records = await runtime.runMonitored(hook);
    expect(
      records.map(({ guardrail_name, enforcement, verdict }) => [guardrail_name, enforcement, verdict]),
    ).toEqual([
      ['blocker', 'monitor', 'block'],
      ['masker', 'monitor', 'mask'],
      ['masker', 'monitor', 'mask'],
    ]);
    expect(segments[0]?.text).toBe('secret bomb');
  });

  it('never start before the caller goes on', async () => {
    let asked = false;
    const spy = custom('spy', () => {
      asked = true;
      return clean;
    });
    const runtime = runtimeOf([guardrail('g', { guardrail: 'spy' })], [spy]);
    const done = runtime.runMonitored(input([run('g', monitored)], [segment('x')]));
    await Promise.resolve();
    expect(asked).toBe(false);
    await done;
    expect(asked).toBe(true);
  });

  it('go on when the caller is gone', async () => {
    const runtime = runtimeOf(GUARDRAILS);
    const signal = AbortSignal.abort();
    const [record] = await runtime.runMonitored(
      input([run('blocker', monitored)], [segment('bomb')], { signal }),
    );
    expect(record?.verdict).toBe('block');
  });

  it('are not run when the queue is full, and say so', async () => {
    const monitorQueue = new MonitorQueue({ concurrency: 1, waiting: 1, budgetMs: 1_000 });
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = custom('slow', () => gate.then(() => clean));
    const runtime = runtimeOf([guardrail('slow', { guardrail: 'slow' })], [slow, words], fakePorts(), {
      monitorQueue,
    });
    const hook = input(
      [run('slow', monitored), run('slow', monitored), run('slow', monitored)],
      [segment('x')],
    );
    const done = runtime.runMonitored(hook);
    release();
    const records = await done;
    expect(records.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['clean', null],
      ['clean', null],
      ['not_run', 'monitor_overloaded'],
    ]);
    expect(runtime.counts).toEqual({ planned: 3, recorded: 3 });
  });

  it('are not run when they waited longer than their budget', async () => {
    const clock = new FakeClock();
    const monitorQueue = new MonitorQueue({ concurrency: 1, waiting: 10, budgetMs: 100 });
    const slow = custom('slow', () => {
      clock.advance(150);
      return Promise.resolve(clean);
    });
    const runtime = runtimeOf([guardrail('slow', { guardrail: 'slow' })], [slow], fakePorts(clock), {
      monitorQueue,
    });
    const hook = input([run('slow', monitored), run('slow', monitored)], [segment('x')]);
    const records = await runtime.runMonitored(hook);
    expect(records.map(({ outcome }) => outcome)).toEqual(['clean', 'not_run']);
  });
});
