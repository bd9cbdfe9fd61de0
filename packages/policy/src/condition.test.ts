import { describe, expect, it } from 'vitest';
import { compileCondition, conditionProblem } from './condition.ts';
import type { ModelCondition } from './schema/policy.ts';

const holds = (condition: ModelCondition, name: string) => compileCondition(condition)(name);

describe('K1 a plain string', () => {
  it.each([
    ['gpt-4.1', 'gpt-4.1', true],
    ['gpt-4.1', 'gpt-4x1', true],
    ['gpt-4.1', 'gpt-4.1-mini', false],
    ['gpt-.*', 'gpt-4o', true],
    ['openai/*', 'openai/gpt-4', true],
    ['openai/*', 'azure/openai/gpt-4', false],
    ['*', 'anything', true],
    ['a|ab', 'ab', true],
    ['GPT-4', 'gpt-4', false],
  ])('%s on %s: %s', (condition, name, expected) => {
    expect(holds(condition, name)).toBe(expected);
  });
});

it('K1 a list holds when one of its texts does', () => {
  expect(holds(['gpt-4', 'claude-*'], 'claude-sonnet')).toBe(true);
  expect(holds(['gpt-4', 'claude-*'], 'mistral')).toBe(false);
});

it('K1 exact and prefix take their text literally, regex matches the whole name', () => {
  expect(holds({ exact: 'gpt-4.1' }, 'gpt-4x1')).toBe(false);
  expect(holds({ prefix: 'gpt-*' }, 'gpt-4')).toBe(false);
  expect(holds({ prefix: 'gpt-' }, 'gpt-4')).toBe(true);
  expect(holds({ regex: 'gpt' }, 'gpt-4')).toBe(false);
});

describe('conditionProblem', () => {
  it.each(['[', '(?=x)y', '(?<=x)y', '**', '\\1', 'a(b'])(
    'K2 refuses %s, which is no linear-time expression',
    (text) => {
      expect(conditionProblem(text)).toContain('not a valid regular expression');
    },
  );

  it('K1 accepts "*" as a text, and refuses it as an expression', () => {
    expect(conditionProblem('*')).toBeNull();
    expect(conditionProblem('*', 'regex')).toContain('regular expression');
  });

  it('names the limit of a text that is too long', () => {
    expect(conditionProblem('a'.repeat(2_001))).toContain('2000');
  });
});

it('K2 answers a nested repetition over a long name without delay', () => {
  expect(holds({ regex: '(a+)+b' }, 'a'.repeat(100_000))).toBe(false);
});
