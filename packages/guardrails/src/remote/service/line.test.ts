import { describe, expect, it } from 'vitest';
import { guardrail, input, run, runtimeOf, segment } from '../../../test/kit.ts';
import { asked, type Behaviour, localService } from '../../../test/service.ts';
import { openAiModeration } from '../openai-moderation/index.ts';

const OK = { results: [{ flagged: false, categories: {}, category_scores: {} }] };
const ok = JSON.stringify(OK);
const settings = (more: Record<string, unknown>) => (base: string) => ({
  api_base: base,
  api_key: 'k',
  ...more,
});
const failing = (statuses: readonly number[]): Behaviour => ({
  raw: (_, response, count) => {
    const code = statuses[count - 1] ?? 200;
    response.writeHead(code).end(code === 200 ? ok : '{}');
  },
});

describe('the line to a service', () => {
  it.each([429, 500, 502, 503, 504])('asks again after %i, as often as num_retries says', async (code) => {
    const twice = await asked(openAiModeration, failing([code]), settings({}));
    expect((await twice.ask('x')).verdict).toBe('allow');
    expect(twice.received).toHaveLength(2);
    const never = await asked(openAiModeration, failing([code]), settings({ num_retries: 0 }));
    expect((await never.ask('x')).verdict).toBe('block');
    expect(never.received).toHaveLength(1);
  });

  it('does not ask again after a status that says the question is wrong', async () => {
    const { ask, received } = await asked(
      openAiModeration,
      failing([400, 200]),
      settings({ num_retries: 3 }),
    );
    expect((await ask('x')).verdict).toBe('block');
    expect(received).toHaveLength(1);
  });

  it('does not wait for a retry beyond the timeout (retry-after)', async () => {
    const raw: Behaviour = {
      raw: (_, response) => response.writeHead(503, { 'retry-after': '30' }).end(),
    };
    const { ask, received } = await asked(openAiModeration, raw, settings({ num_retries: 5, timeout: 2 }));
    const result = await ask('x');
    expect(result.records[0]).toMatchObject({
      error_class: 'unreachable',
      reason: 'the service answered 503',
    });
    expect(received).toHaveLength(1);
  });

  it('leaves a service alone after five failures, then asks it once in a while', async () => {
    let up = false;
    const raw: Behaviour = { raw: (_, response) => response.writeHead(up ? 200 : 503).end(ok) };
    const { ask, received, clock } = await asked(openAiModeration, raw, settings({ num_retries: 0 }));
    for (let i = 0; i < 5; i++) await ask('x');
    expect(received).toHaveLength(5);
    const resting = await ask('x');
    expect(received).toHaveLength(5);
    expect(resting.verdict).toBe('block');
    expect(resting.records[0]).toMatchObject({ error_class: 'unreachable' });
    expect(resting.records[0]?.reason).toContain('next try in 5 s');
    clock.advance(5_001);
    await Promise.all([ask('x'), ask('x')]);
    expect(received).toHaveLength(6);
    up = true;
    clock.advance(10_001);
    expect((await ask('x')).verdict).toBe('allow');
    expect((await ask('x')).verdict).toBe('allow');
    expect(received).toHaveLength(8);
  });

  it('asks another guardrail of the same name while one rests', async () => {
    const broken = await localService(failing(Array.from({ length: 99 }, () => 503)));
    const sound = await localService(OK);
    const runtime = runtimeOf(
      [broken, sound].map(({ base }, index) =>
        guardrail(
          'g',
          { guardrail: 'openai_moderation', num_retries: 0, ...settings({})(base) },
          `id-${index}`,
        ),
      ),
      [openAiModeration],
      broken.ports,
    );
    const ask = async () => runtime.runHook(input([run('g')], [segment('x')]));
    for (let i = 0; i < 10; i++) await ask();
    const verdicts = [];
    for (let i = 0; i < 10; i++) verdicts.push((await ask()).verdict);
    expect(new Set(verdicts)).toEqual(new Set(['allow']));
    expect(broken.received).toHaveLength(5);
  });

  it('puts no more questions at one time than max_parallel_requests, and lets a bounded number wait', async () => {
    let now = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const raw: Behaviour = {
      raw: (_, response) => {
        most = Math.max(most, ++now);
        waiting.push(() => {
          now--;
          response.end(ok);
        });
      },
    };
    const { ask } = await asked(
      openAiModeration,
      raw,
      settings({ max_parallel_requests: 2, num_retries: 0 }),
    );
    const all = Promise.all(Array.from({ length: 20 }, () => ask('x')));
    const answering = setInterval(() => waiting.shift()?.(), 1);
    void all.finally(() => clearInterval(answering));
    const results = await all;
    expect(most).toBe(2);
    // Two are asked, sixteen wait, and the two after them are told so.
    expect(results.filter(({ verdict }) => verdict === 'allow')).toHaveLength(18);
    expect(
      results.filter(({ verdict }) => verdict === 'block').map(({ records }) => records[0]?.reason),
    ).toEqual(['too many questions wait already', 'too many questions wait already']);
  });
});
