import type { PlacedFinding } from './types.ts';

/** A configuration file that cannot be served, with everything that is wrong with it. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
  readonly file: string;
  readonly findings: readonly PlacedFinding[];
  constructor(file: string, findings: readonly PlacedFinding[]) {
    super(`${file} is refused; "portcullis validate ${file}" shows every reason with its line`);
    this.file = file;
    this.findings = findings;
  }
}
