import { expect, test } from 'vitest';
import { summarise } from '../../scripts/lib/summary.mjs';

const checks = new Map([
  ['format', true],
  ['lint', true],
]);
const clean = { passed: 3, failed: 0, skipped: [], faults: [] };
const run = { checks, report: clean, vitestPassed: true, strict: false };

test('tests and checks are counted together', () => {
  expect(summarise(run)).toEqual({ lines: [], passed: 5, failed: 0 });
});

test('a failed check is a failure with its name', () => {
  const summary = summarise({ ...run, checks: new Map([...checks, ['lint', false]]) });
  expect(summary).toEqual({ lines: ['failed check: lint'], passed: 4, failed: 1 });
});

test('a skipped test is named, and fails a strict run only', () => {
  const report = { ...clean, skipped: [{ name: 'a > b', reason: 'needs a database' }] };
  expect(summarise({ ...run, report })).toMatchObject({
    lines: ['skipped: a > b (needs a database)'],
    failed: 0,
  });
  expect(summarise({ ...run, report, strict: true }).failed).toBe(1);
});

test('a file that cannot be loaded is a failure', () => {
  const report = { ...clean, faults: ['a.test.ts'] };
  expect(summarise({ ...run, report, vitestPassed: false }).failed).toBe(1);
});

test('a run without a single test is a failure', () => {
  expect(summarise({ ...run, report: { ...clean, passed: 0 } }).failed).toBe(1);
});

test('a runner that dies before it counts is a failure', () => {
  expect(summarise({ ...run, report: undefined, vitestPassed: false }).failed).toBe(1);
});

test('an error exit without a failed test is a failure', () => {
  expect(summarise({ ...run, vitestPassed: false }).failed).toBe(1);
});
