import axe from 'axe-core';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBrowser, signIn } from '../../scripts/lib/browser.mjs';
import { pagesOf } from '../../scripts/lib/dashboard-pages.mjs';
import { type DemoGateway, fillDemo, startDemoGateway } from '../../scripts/lib/demo-gateway.mjs';
import { describeInBrowser } from '../support/needs.ts';

const LOOKS = [
  { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const;

describeInBrowser('every page of the dashboard', () => {
  vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });
  let gateway: DemoGateway;
  let browser: Browser;
  beforeAll(async () => {
    gateway = await startDemoGateway();
    await fillDemo(gateway);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  async function visit(look: (typeof LOOKS)[number]): Promise<BrowserContext> {
    return browser.newContext({ ...look, reducedMotion: 'reduce' });
  }

  test.each(LOOKS)(
    'passes axe for WCAG 2.2 A and AA, fits the width and logs no error: $colorScheme, $viewport.width px',
    async (look) => {
      const context = await visit(look);
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      await signIn(page, gateway.url);
      for (const { name, path, prepare } of await pagesOf(gateway)) {
        await page.goto(gateway.url + path);
        await page.waitForLoadState('networkidle');
        await prepare?.(page);
        // The page's own policy takes no script from elsewhere; an evaluation by the debugger is none.
        await page.evaluate(axe.source);
        const violations = await page.evaluate(async () => {
          const found = await (globalThis as unknown as { axe: typeof axe }).axe.run({
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
          });
          return found.violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
          );
        });
        faults.push(...violations.map((violation) => `${name}: ${violation}`));
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (Number(overflow) > 0) faults.push(`${name}: ${String(overflow)} px too wide`);
      }
      await context.close();
      expect(faults).toEqual([]);
    },
  );
});
