import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commonParamsSchema } from '@portcullis/policy';
import { clean, custom, fakePorts, guardrail, input, run, runtimeOf, segment, words } from '../test/kit.ts';
import { ConfigProblem, createRuntime } from './index.ts';

const findingsOf = (...args: Parameters<typeof createRuntime>) => {
  const made = createRuntime(...args);
  return made.ok ? [] : made.findings;
};

describe('createRuntime', () => {
  it('refuses an unknown setting with its path and the nearest known name', () => {
    const [finding] = findingsOf([guardrail('g', { guardrail: 'words', blok: ['x'] })], [words], fakePorts());
    expect(finding).toEqual({
      severity: 'error',
      code: 'unknown_key',
      message: 'unknown setting "blok"; did you mean "block"?',
      path: ['guardrails', 'g', 'litellm_params', 'blok'],
    });
  });

  it('refuses an unknown provider and lists the known ones (E1: never a guardrail that runs nothing)', () => {
    const [finding] = findingsOf([guardrail('g', { guardrail: 'word' })], [words], fakePorts());
    expect(finding?.code).toBe('unknown_detector');
    expect(finding?.path).toEqual(['guardrails', 'g', 'litellm_params', 'guardrail']);
    expect(finding?.message).toBe(
      'unknown guardrail provider "word": did you mean "words"? known are word_list, words',
    );
  });

  it('gives every finding at once, and frees what it had made before it fails', () => {
    let disposed = 0;
    const resource = custom('resource', () => clean, {
      create: () => ({ inspect: () => clean, dispose: () => disposed++ }),
    });
    const broken = custom('broken', () => clean, {
      create: () => {
        throw new ConfigProblem(['patterns', 0], 'the pattern does not compile');
      },
    });
    const findings = findingsOf(
      [
        guardrail('a', { guardrail: 'resource' }),
        guardrail('b', { guardrail: 'broken' }),
        guardrail('c', { guardrail: 'words', mask: 'x' }),
      ],
      [resource, broken, words],
      fakePorts(),
    );
    expect(findings.map(({ path }) => path)).toEqual([
      ['guardrails', 'b', 'litellm_params', 'patterns', 0],
      ['guardrails', 'c', 'litellm_params', 'mask'],
    ]);
    expect(findings[0]?.message).toBe('the pattern does not compile');
    expect(disposed).toBe(1);
  });

  it('takes a fault while making a detector for a finding, not for a missing guardrail', () => {
    const faulty = custom('faulty', () => clean, {
      create: () => {
        throw new TypeError('boom');
      },
    });
    const [finding] = findingsOf([guardrail('a', { guardrail: 'faulty' })], [faulty], fakePorts());
    expect(finding?.code).toBe('detector_fault');
  });

  it('refuses a scan list with a kind the detector cannot read (E9)', () => {
    const [finding] = findingsOf(
      [guardrail('g', { guardrail: 'words', scan: ['user', 'images'] })],
      [words],
      fakePorts(),
    );
    expect(finding?.path).toEqual(['guardrails', 'g', 'litellm_params', 'scan']);
  });

  it('refuses streaming_mode window for a detector that only judges whole answers (E8)', () => {
    const whole = custom('whole', () => clean);
    const [finding] = findingsOf(
      [guardrail('g', { guardrail: 'whole', streaming_mode: 'window' })],
      [whole],
      fakePorts(),
    );
    expect(finding?.path).toEqual(['guardrails', 'g', 'litellm_params', 'streaming_mode']);
  });

  it('answers the compiler for any guardrail, with null for an unknown provider', () => {
    const { lookup } = runtimeOf([]);
    expect(lookup(guardrail('x', { guardrail: 'word_list', mask: ['a'] }))?.masks).toBe(true);
    expect(lookup(guardrail('x', { guardrail: 'words' }))?.masks).toBe(false);
    expect(lookup(guardrail('x', { guardrail: 'nothing' }))).toBeNull();
  });

  it('gives guardrails of one name their turns by weight', () => {
    const seen: string[] = [];
    const named = custom('named', () => clean, {
      configSchema: z.strictObject({ ...commonParamsSchema.shape, who: z.string() }),
      create: (config) => ({
        inspect: () => {
          seen.push((config as unknown as { who: string }).who);
          return clean;
        },
      }),
    });
    const runtime = runtimeOf(
      [
        guardrail('g', { guardrail: 'named', who: 'a', weight: 3 }, '1'),
        guardrail('g', { guardrail: 'named', who: 'b', weight: 1 }, '2'),
      ],
      [named],
    );
    for (let i = 0; i < 8; i++) void runtime.runHook(input([run('g')], [segment('x')]));
    expect(seen.join('')).toBe('aabaaaba');
  });

  it('disposes its detectors', () => {
    let disposed = 0;
    const resource = custom('resource', () => clean, {
      create: () => ({ inspect: () => clean, dispose: () => disposed++ }),
    });
    const runtime = runtimeOf([guardrail('a', { guardrail: 'resource' })], [resource]);
    runtime.dispose();
    expect(disposed).toBe(1);
  });
});
