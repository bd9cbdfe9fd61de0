import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The configuration that is served when none is named. */
export const DEMO_CONFIG = fileURLToPath(new URL('../demo/config.yaml', import.meta.url));

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version: found } = JSON.parse(text) as { version: string };
  return found;
}
