// Measures guardrails on conformance/guardrails/*.jsonl against floors that only rise.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { guardrailSchema } from '@portcullis/policy';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { scanAll } from '../src/scan/pool.ts';
import { readRows } from '../src/scan/rows.ts';
import { labelsOf, type Report, Score } from '../src/scan/score.ts';

const FLOORS = '.floors.json';
const folder = new URL('../../../conformance/guardrails/', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(FLOORS))
  .map((file) => file.slice(0, -FLOORS.length));

const floorsSchema = z.strictObject({
  litellm_params: z.record(z.string(), z.unknown()),
  floors: z.record(
    z.string(),
    z.strictObject({
      precision: z.number().min(0).max(1).optional(),
      recall: z.number().min(0).max(1).optional(),
    }),
  ),
  most_false_positives_per_1000: z.number().min(0),
});

/** Better than the floor by more than this means that the floor has to follow. */
const SLACK = 0.02;
const SLACK_PER_1000 = 2;

async function measure(name: string): Promise<{ report: Report; floors: z.infer<typeof floorsSchema> }> {
  const text = readFileSync(new URL(`${name}.floors.json`, folder), 'utf8');
  const floors = floorsSchema.parse(JSON.parse(text));
  const guardrail = guardrailSchema.parse({
    guardrail_id: name,
    guardrail_name: name,
    litellm_params: { mode: 'pre_call', ...floors.litellm_params },
  });
  const options = { configFile: fileURLToPath(folder), guardrails: [guardrail], allowedPrivateHosts: [] };
  const score = new Score();
  const rows = readRows([fileURLToPath(new URL(`${name}.jsonl`, folder))]);
  for await (const [row, scanned] of scanAll(rows, options, 1)) score.add(labelsOf(row.fields), scanned);
  return { report: score.report(), floors };
}

test('there are labelled texts to measure', () => {
  expect(names).not.toEqual([]);
});

describe.each(names)('%s', (name) => {
  test('is found as well as its floors say, and a floor follows what has become better', async () => {
    const { report, floors } = await measure(name);
    expect(report.without_verdict).toBe(0);
    expect(Object.keys(floors.floors)).not.toEqual([]);
    const off: string[] = [];
    for (const [type, floor] of Object.entries(floors.floors)) {
      const found = report.types.find((one) => one.type === type);
      for (const measure of ['precision', 'recall'] as const) {
        const least = floor[measure];
        if (least === undefined) continue;
        const is = found?.[measure] ?? 0;
        if (is < least) off.push(`${type} ${measure} ${is} is below ${least}`);
        if (is > least + SLACK) off.push(`${type} ${measure} is ${is}: raise its floor from ${least}`);
      }
    }
    const wrong = report.false_positives.per_1000 ?? 0;
    const most = floors.most_false_positives_per_1000;
    if (wrong > most) off.push(`${wrong} false positives per 1,000 are more than ${most}`);
    if (wrong < most - SLACK_PER_1000)
      off.push(`${wrong} false positives per 1,000: lower the most from ${most}`);
    expect(off).toEqual([]);
  });
});
