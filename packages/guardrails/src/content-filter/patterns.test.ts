import { describe, expect, test } from 'vitest';
import { PATTERNS } from './patterns/index.ts';
import { layout } from './patterns/layout.ts';
import { CREDENTIALS } from './patterns/spec.ts';
import { inspect, prebuilt } from '../../test/content-filter.ts';

describe.each(PATTERNS.map((spec) => [spec.name, spec] as const))('pattern %s', (name, spec) => {
  const detector = prebuilt([name]);

  test('finds its positives', () => {
    const missed = [spec.example, ...spec.positives].filter(
      (text) => inspect(detector, [text]).outcome.outcome !== 'masked',
    );
    expect(missed).toEqual([]);
  });

  test('leaves its negatives alone', () => {
    const wrong = spec.negatives.filter((text) => inspect(detector, [text]).outcome.outcome !== 'clean');
    expect(wrong).toEqual([]);
  });

  test('can be scanned in a stream', () => {
    expect(detector.openChannel).toBeDefined();
  });
});

test('every name is unique', () => {
  expect(new Set(PATTERNS.map((spec) => spec.name)).size).toBe(PATTERNS.length);
});

test('every pattern of personal data has ten positives and ten negatives', () => {
  const thin = PATTERNS.filter((spec) => spec.group !== CREDENTIALS)
    .filter((spec) => spec.positives.length < 10 || spec.negatives.length < 10)
    .map((spec) => spec.name);
  expect(thin).toEqual([]);
});

test('a number without a check digit is never blocked, nor found alone', () => {
  const layoutOnly = PATTERNS.filter(
    (spec) => spec.group.startsWith('PII ') && spec.anchor.kind === 'digit' && spec.validate === undefined,
  );
  expect(layoutOnly.length).toBeGreaterThan(5);
  expect(layoutOnly.filter((spec) => spec.context?.needed !== 'always').map((spec) => spec.name)).toEqual([]);
  expect(layoutOnly.filter((spec) => spec.action === 'BLOCK').map((spec) => spec.name)).toEqual([]);
});

describe('a layout', () => {
  test('says where the first digits stand and how many they are', () => {
    expect(layout('#{3}[ -]#{2}-#{4}')).toEqual({
      regex: '\\d{3}[ -]\\d{2}-\\d{4}',
      leads: [0],
      runs: [3],
      next: ' -',
      letters: true,
      digits: 9,
    });
    expect(layout('@{2} ?#{6}[A-D]')).toMatchObject({ leads: [2, 3], runs: [6], digits: 6 });
    expect(layout('#{3}[ .]?#{3}')).toMatchObject({ runs: [6, 3] });
    expect(layout('#{17}[0-9X]')).toMatchObject({ runs: [18, 17] });
  });
});
