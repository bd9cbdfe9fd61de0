import { expect, test } from 'vitest';
import { PATTERNS } from './patterns/index.ts';
import { filter, inspect, prebuilt } from '../../test/content-filter.ts';

const SIZE = 65_536;
const fill = (unit: string) => unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE);

/** Texts made to keep expressions busy: near misses, overlapping beginnings, long runs of everything that repeats. */
const FILLERS: readonly string[] = [
  'a',
  '1',
  ' ',
  '-',
  '.',
  '@',
  ':',
  'a@',
  'a.',
  'a@a.',
  '1 ',
  '1.',
  '1-',
  '12 34 ',
  '1:',
  'a:',
  '::',
  '://',
  'a://a:',
  "'",
  '_',
  '=',
  '4111 ',
  '4111111111111 ',
  '123-45-678',
  'DE89 3704 ',
  'AA00 ',
  'sk-',
  'sk-ant-api03-',
  'ghp_',
  'xoxb-',
  'eyJ',
  'eyJa.eyJ',
  'eyJaaaaaaaa.eyJaaaa.',
  'AKIA',
  'secret ',
  'secret=',
  'aws ',
  'api_key',
  'api_key = ',
  'api_key=a',
  'api key is ',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  'http://',
  'https://a',
  'http://)',
  'postgres://a:',
  'bsn 1 ',
  'card 4',
  'ssn ',
  'ssn 123456789 ',
  'passport A1',
  '1 Main ',
  '1 A A A A ',
  '+1 (',
  '(',
  '0 1 ',
  '00 1 ',
  'falcon ',
  'project ',
  'é',
  '½',
  'e\u0301',
  '\u200b1',
  '１',
  '😀',
  'T-1',
  'a1',
  '1a',
  'A1B2',
  '12.345.678/',
  'Rue A ',
  '1 rue ',
  'Hofweg 1 ',
  'Apt 1 ',
  'Mr A',
  'Maria ',
  'name: A',
  'Aa Bb <',
  'Aa Bb said ',
  'seed phrase ',
  'seed abandon ',
  'wallet 1A',
  '0xa',
  'bc1q',
  '%B4^',
  'pan 1 ',
  'nhs 1 ',
  'dob 1 jan ',
  'zip 1 ',
  'A1 ',
  'AAA1',
  'suicide ',
];

const everything = filter({
  patterns: [
    ...PATTERNS.map((spec) => ({ pattern_type: 'prebuilt', pattern_name: spec.name, action: 'MASK' })),
    { pattern_type: 'regex', name: 'nested', pattern: '(a+)+$', action: 'LOG' },
    { pattern_type: 'regex', name: 'tail', pattern: 'x\\s+$', action: 'LOG' },
  ],
  blocked_words: [
    { keyword: 'a*a*a*a*a*a*a*a*b', action: 'LOG' },
    { keyword: 'project falcon', action: 'LOG' },
  ],
});

function milliseconds(run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/**
 * Whether 64 KB take more than four times what sixteen times a sixteenth of them would take. Quadratic time would be sixteen times.
 * Measured again before it counts, because other programs run on the same machine.
 */
function growsTooFast(run: (text: string) => void, text: string): boolean {
  for (let attempt = 0; attempt < 5; attempt++) {
    const whole = milliseconds(() => run(text));
    if (whole < 20) return false;
    const sixteenth = milliseconds(() => run(text.slice(0, SIZE / 16)));
    if (whole < Math.max(sixteenth, 0.5) * 64) return false;
  }
  return true;
}

test('time grows with the length of a text and not with its square, for every pattern at once', {
  timeout: 120_000,
}, () => {
  expect(FILLERS.filter((unit) => growsTooFast((text) => inspect(everything, [text]), fill(unit)))).toEqual(
    [],
  );
});

test('the worst filler takes less than 1,000 times as long as prose, with every pattern switched on', {
  timeout: 120_000,
}, () => {
  const prose = fill(
    'The team agreed on the next steps and will move the remaining services one by one next month. ',
  );
  inspect(everything, [prose]);
  const plain = milliseconds(() => inspect(everything, [prose]));
  let worst = { unit: '', time: 0 };
  for (const unit of FILLERS) {
    const time = milliseconds(() => inspect(everything, [fill(unit)]));
    if (time > worst.time) worst = { unit, time };
  }
  expect(
    worst.time / plain,
    `worst is ${JSON.stringify(worst.unit)} with ${worst.time.toFixed(1)} ms`,
  ).toBeLessThan(1_000);
});

test('no few patterns hide quadratic time behind the others', { timeout: 240_000 }, () => {
  const slow: string[] = [];
  const few = 8;
  for (let i = 0; i < PATTERNS.length; i += few) {
    const names = PATTERNS.slice(i, i + few).map((spec) => spec.name);
    const detector = prebuilt(names);
    for (const unit of FILLERS) {
      const start = performance.now();
      inspect(detector, [fill(unit)]);
      if (performance.now() - start < 20) continue;
      if (growsTooFast((text) => inspect(detector, [text]), fill(unit)))
        slow.push(`one of ${names.join(', ')} on ${JSON.stringify(unit)}`);
    }
  }
  expect(slow).toEqual([]);
});
