// Debian's Chromium, driven by playwright-core: nothing is downloaded.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { DEMO_KEY } from './demo-gateway.mjs';

/** Where a Chromium is installed, or null. */
export const chromiumPath =
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
    existsSync(path),
  ) ?? null;

/** @returns {Promise<import('playwright-core').Browser>} */
export function openBrowser() {
  if (chromiumPath === null) throw new Error('There is no Chromium: apt-get install chromium');
  return chromium.launch({
    executablePath: chromiumPath,
    // Containers have no user namespaces for its sandbox; the only pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/**
 * Signs in as a person would.
 * @param {import('playwright-core').Page} page
 * @param {string} url of the gateway
 */
export async function signIn(page, url) {
  await page.goto(`${url}/ui/policies`);
  await page.getByLabel('Key', { exact: true }).fill(DEMO_KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Policies' }).waitFor();
}
