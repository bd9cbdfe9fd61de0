import { describe } from 'vitest';
import { chromiumPath } from '../../scripts/lib/browser.mjs';

/** Services that a suite may need, and how a developer gets one. `.ci/run` provides all of them. */
const services = {
  DATABASE_URL_TEST: 'a PostgreSQL database that may be emptied',
  REDIS_URL_TEST: 'a Redis or Valkey that may be emptied',
  PRESIDIO_URL_TEST: 'packages/guardrails/test/presidio_server.py, running',
} as const;

/**
 * A suite that runs only where a service is at hand. Elsewhere it is skipped, and its name says what it lacks:
 * `npm test` prints that, and fails because of it in strict mode.
 */
export function describeWith(
  variable: keyof typeof services,
  name: string,
  suite: (url: string) => void,
): void {
  const url = process.env[variable];
  if (url === undefined || url === '') {
    describe.skip(`${name} [needs ${variable}: ${services[variable]}]`, () => {
      suite('unavailable:');
    });
    return;
  }
  describe(name, () => {
    suite(url);
  });
}

/** A suite in a browser, which nothing downloads: Debian's Chromium or one that is installed. */
export function describeInBrowser(name: string, suite: () => void): void {
  if (chromiumPath === null) describe.skip(`${name} [needs Chromium: apt-get install chromium]`, suite);
  else describe(name, suite);
}
