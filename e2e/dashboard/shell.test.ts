import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBrowser, signIn } from '../../scripts/lib/browser.mjs';
import { type DemoGateway, startDemoGateway } from '../../scripts/lib/demo-gateway.mjs';
import { describeInBrowser } from '../support/needs.ts';

describeInBrowser('the dashboard', () => {
  vi.setConfig({ testTimeout: 60_000 });
  let gateway: DemoGateway;
  let browser: Browser;
  beforeAll(async () => {
    gateway = await startDemoGateway();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  /** A page of a new visitor, and everything that the browser complained about on it. */
  async function visit(): Promise<{ page: Page; complaints: string[] }> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on('console', (message) => {
      const isRefusal = message.text().includes('status of 401');
      if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return { page, complaints };
  }

  test('lets in who has the admin key, keeps the session over a reload, and lets out again', async () => {
    const { page, complaints } = await visit();
    await page.goto(`${gateway.url}/ui/policies?q=base`);
    await page.getByLabel('Key', { exact: true }).fill('sk-wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is not the admin key.').waitFor();

    await signIn(page, gateway.url);
    await page.goto(`${gateway.url}/ui/policies?q=base`);
    await page.getByRole('link', { name: 'baseline' }).waitFor();
    expect(await page.getByRole('link', { name: 'support' }).count()).toBe(0);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Portcullis' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('is served with a policy that allows its own scripts alone, and assets that never change', async () => {
    const page = await fetch(`${gateway.url}/ui/some/place`);
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const [, script = ''] = /<script type="module"[^>]* src="([^"]+)"/u.exec(html) ?? [];
    const asset = await fetch(gateway.url + script, { headers: { 'accept-encoding': 'gzip' } });
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('content-encoding')).toBe('gzip');
    expect(Number(asset.headers.get('content-length'))).toBeLessThan(350_000);
    expect((await fetch(`${gateway.url}/ui/assets/older-build.js`)).status).toBe(404);
    const again = await fetch(`${gateway.url}/ui/`, {
      headers: { 'if-none-match': page.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
  });

  test('works by keyboard: the palette finds a policy, letters go to pages', async () => {
    const { page, complaints } = await visit();
    await signIn(page, gateway.url);
    await page.keyboard.press('Control+k');
    const find = page.getByRole('combobox', { name: /Find a page/u });
    await find.fill('support');
    await page.getByRole('option', { name: /support/u, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'support' }).waitFor();
    expect(page.url()).toBe(`${gateway.url}/ui/policies/support`);
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await page.getByRole('heading', { level: 1, name: 'Policies' }).waitFor();
    expect(complaints).toEqual([]);
  });
});
