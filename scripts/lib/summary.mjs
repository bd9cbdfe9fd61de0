/**
 * Adds the checks and the tests up. A skipped test proves nothing, so a strict run counts it as failed.
 * @param {object} run
 * @param {ReadonlyMap<string, boolean>} run.checks whether each check passed
 * @param {import('../vitest-reporter.mjs').Report | undefined} run.report what vitest counted, if it came that far
 * @param {boolean} run.vitestPassed whether vitest ended well
 * @param {boolean} run.strict
 */
export function summarise({ checks, report, vitestPassed, strict }) {
  const lines = [];
  const failedChecks = [...checks].filter(([, ok]) => !ok).map(([name]) => name);
  const { passed, failed, skipped, faults } = report ?? { passed: 0, failed: 0, skipped: [], faults: [] };

  for (const name of failedChecks) lines.push(`failed check: ${name}`);
  for (const fault of faults) lines.push(`failed outside a test: ${fault}`);
  for (const { name, reason } of skipped) lines.push(`skipped: ${name}${reason ? ` (${reason})` : ''}`);

  let failures = failedChecks.length + failed + faults.length;
  if (strict && skipped.length > 0) {
    lines.push(`${skipped.length} skipped, which a strict run does not allow`);
    failures += skipped.length;
  }
  const nothingRan = passed + failed + faults.length === 0;
  // The exit code has the last word: what it complains about is never lost for want of a count.
  if (nothingRan || (!vitestPassed && failed + faults.length === 0)) {
    lines.push(nothingRan ? 'failed: no test ran' : 'failed: vitest ended with an error');
    failures += 1;
  }
  return { lines, passed: checks.size - failedChecks.length + passed, failed: failures };
}
