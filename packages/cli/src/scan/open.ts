import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Output } from '../output.ts';
import { CliProblem } from '../problem.ts';
import { printFindings } from '../render.ts';
import type { ScannerOptions } from './scanner.ts';

export interface GuardrailChoice {
  readonly config: string;
  readonly guardrail: string;
  /** Threads; one for each core by default. */
  readonly jobs?: number;
}

/**
 * What a scanner of the named guardrail is made of; null when the configuration is refused, which is then printed.
 * @throws CliProblem when it has no guardrail of that name
 */
export async function openGuardrail(choice: GuardrailChoice, output: Output): Promise<ScannerOptions | null> {
  const { excerptsOf, loadConfig, readEnvironment } = await import('@portcullis/server');
  const loaded = await loadConfig(choice.config, readEnvironment());
  if (!loaded.ok) {
    const source = await readFile(choice.config, 'utf8').catch(() => '');
    printFindings(choice.config, loaded.findings, excerptsOf(source), {
      ...output,
      line: (text = '') => output.note(text),
    });
    return null;
  }
  const { guardrails, settings, file } = loaded.config;
  const chosen = guardrails.filter(({ guardrail_name }) => guardrail_name === choice.guardrail);
  if (chosen.length === 0) {
    const names = [...new Set(guardrails.map(({ guardrail_name }) => guardrail_name))];
    const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    throw new CliProblem(`${choice.config} has no guardrail "${choice.guardrail}"; ${known}`);
  }
  return { configFile: file, guardrails: chosen, allowedPrivateHosts: settings.allowedPrivateHosts };
}

export const threadsOf = ({ jobs }: GuardrailChoice): number => jobs ?? availableParallelism();
