import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isSupported } from '../../scripts/lib/node-version.mjs';

test.each(['20.19.0', '20.20.2', '22.12.0', '24.1.0', '26.0.0'])('Node %s is accepted', (version) => {
  expect(isSupported(version)).toBe(true);
});

test.each(['16.20.2', '18.20.0', '20.18.3', '21.7.0', '22.11.0'])('Node %s is refused', (version) => {
  expect(isSupported(version)).toBe(false);
});

test('the range that npm enforces is the one that the message explains', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(engines.node).toBe('^20.19.0 || ^22.12.0 || >=24.0.0');
});
