// npm run screenshots [folder] [part of a name]: every page of the dashboard, narrow and wide, light and dark.
import { mkdirSync } from 'node:fs';
import { buildIfNeeded } from './lib/build.mjs';
import { openBrowser, signIn } from './lib/browser.mjs';
import { fillDemo, startDemoGateway } from './lib/demo-gateway.mjs';
import { inRoot } from './lib/paths.mjs';
import { pagesOf } from './lib/dashboard-pages.mjs';

const [folder = inRoot('.cache/screenshots'), part = ''] = process.argv.slice(2);
const sizes = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
];

if (!(await buildIfNeeded())) process.exit(1);
mkdirSync(folder, { recursive: true });
const gateway = await startDemoGateway();
const browser = await openBrowser();
try {
  await fillDemo(gateway);
  const pages = (await pagesOf(gateway)).filter(({ name }) => name.includes(part));
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    for (const viewport of sizes) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error') console.log(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => console.log(`error: ${error.message}`));
      await signIn(page, gateway.url);
      for (const { name, path, prepare } of pages) {
        await page.goto(gateway.url + path);
        await page.waitForLoadState('networkidle');
        await prepare?.(page);
        const file = `${folder}/${name}-${viewport.width}-${colorScheme}.png`;
        await page.screenshot({ path: file, fullPage: true });
      }
      await context.close();
    }
  }
  console.log(`${pages.length * 4} pictures in ${folder}`);
} finally {
  await browser.close();
  await gateway.stop();
}
