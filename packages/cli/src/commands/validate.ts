import { readFile } from 'node:fs/promises';
import type { Output } from '../output.ts';
import { printFindings } from '../render.ts';

/** Checks a configuration file and prints everything that is found. Gives the exit code: 1 when anything is wrong. */
export async function validate(file: string, options: { json?: boolean }, output: Output): Promise<number> {
  const { excerptsOf, loadConfig, readEnvironment } = await import('@portcullis/server');
  const result = await loadConfig(file, readEnvironment());
  const findings = result.ok ? result.config.warnings : result.findings;
  const ignored = result.ok ? result.config.ignoredSettings : [];
  if (options.json === true) {
    output.line(JSON.stringify({ valid: result.ok, file, findings, ignored_settings: ignored }, null, 2));
    return result.ok ? 0 : 1;
  }
  const source = await readFile(file, 'utf8').catch(() => '');
  if (ignored.length > 0) output.line(`Without effect here: ${ignored.join(', ')}\n`);
  printFindings(file, findings, excerptsOf(source), output);
  return result.ok ? 0 : 1;
}
