// Writes what scripts/test.mjs counts, because the printed summary is for people and its format is not ours.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { root } from './lib/paths.mjs';

/**
 * @typedef {{ name: string, reason: string | undefined }} Skipped
 * @typedef {{ passed: number, failed: number, skipped: Skipped[], faults: string[] }} Report
 * `faults` are failures outside any test: a file that cannot be loaded, a hook that throws, a rejection nobody awaits.
 */

/**
 * @import { SerializedError } from 'vitest'
 * @import { Reporter, TestModule, TestRunEndReason } from 'vitest/node'
 */

/** @implements {Reporter} */
export default class CountingReporter {
  /**
   * @param {ReadonlyArray<TestModule>} modules
   * @param {ReadonlyArray<SerializedError>} unhandled
   * @param {TestRunEndReason} reason
   */
  onTestRunEnd(modules, unhandled, reason) {
    const target = process.env['PORTCULLIS_TEST_REPORT'];
    if (target === undefined) return;
    const report = count(modules);
    for (const error of unhandled) report.faults.push(`unhandled: ${error.message}`);
    if (reason === 'interrupted') report.faults.push('the run was interrupted');
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, JSON.stringify(report));
  }
}

/** @param {ReadonlyArray<TestModule>} modules */
function count(modules) {
  /** @type {Report} */
  const report = { passed: 0, failed: 0, skipped: [], faults: [] };
  for (const module of modules) {
    const file = relative(root, module.moduleId);
    if (module.errors().length > 0) report.faults.push(file);
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) report.faults.push(`${file} > ${suite.fullName}`);
    }
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') report.passed += 1;
      else if (result.state === 'failed') report.failed += 1;
      else
        report.skipped.push({
          name: `${file} > ${test.fullName}`,
          reason: 'note' in result ? result.note : undefined,
        });
    }
  }
  return report;
}
