import { type TestTemplate, testTemplateSchema } from '@portcullis/contract';
import { ANONYMOUS, type Guardrail, guardrailSchema } from '@portcullis/policy';
import type { HookTrialResult } from '../../ports/guardrail-tools.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import type { TrialAllowance } from '../trials/allowance.ts';
import { trialFacts } from '../trials/facts.ts';

/** Weakest first. What could not be tested outranks a pass: nothing was proved about the text. */
const STRENGTH = ['passed', 'unsupported', 'error', 'masked', 'blocked'] as const;
type Action = (typeof STRENGTH)[number];

/** The one kind that can be tried without services, models or files. */
const FILTERS: ReadonlySet<string> = new Set(['litellm_content_filter', 'content_filter']);

interface Tried {
  readonly guardrail_name: string;
  readonly action: Action;
  readonly output_text: string;
  readonly details: string;
}

/** `POST /policy/templates/test`: tries definitions on a text before anything is made of them (D-98). */
export function testTemplateRoute(context: ControlContext, allowance: TrialAllowance): Route<TestTemplate> {
  return {
    method: 'POST',
    path: '/policy/templates/test',
    permission: 'admin',
    body: testTemplateSchema,
    handler: ({ body, identity, callId }) =>
      allowance.spend(identity, async () => {
        const results: Tried[] = [];
        for (const [index, definition] of body.guardrail_definitions.entries()) {
          results.push(await tried(context, definition, index, body.text, callId));
        }
        const strongest = Math.max(...results.map(({ action }) => STRENGTH.indexOf(action)));
        return { body: { overall_action: STRENGTH[strongest], results } };
      }),
  };
}

async function tried(
  { guardrails: { tools } }: ControlContext,
  definition: Readonly<Record<string, unknown>>,
  index: number,
  text: string,
  callId: string,
): Promise<Tried> {
  const given = definition['guardrail_name'];
  const name = typeof given === 'string' && given !== '' ? given : `definition ${index}`;
  const result = (action: Action, details: string, output = text): Tried => {
    return { guardrail_name: name, action, output_text: output, details };
  };
  const parsed = guardrailSchema.safeParse({
    ...definition,
    guardrail_id: `trial-${index}`,
    definition_location: 'db',
  });
  if (!parsed.success) {
    const reasons = parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
    return result('error', `the definition cannot be read: ${reasons.join('; ')}`);
  }
  const guardrail: Guardrail = parsed.data;
  const { guardrail: kind, blocked_words_file: file } = guardrail.litellm_params as Readonly<
    Record<string, unknown>
  >;
  if (!FILTERS.has(String(kind)) || (file !== undefined && file !== null)) {
    return result(
      'unsupported',
      'only a content filter without files can be tried; make it and use /guardrails/apply_guardrail',
    );
  }
  const problems = tools.problems(guardrail);
  if (problems.length > 0) {
    return result(
      'error',
      `the definition cannot be set up: ${problems.map(({ message }) => message).join('; ')}`,
    );
  }
  const ran = await tools.tryOut(guardrail, text, trialFacts(callId, ANONYMOUS, null, { text }));
  return outcomeOf(ran, result);
}

function outcomeOf(
  { block, respond, segments, edited, records }: HookTrialResult,
  result: (action: Action, details: string, output?: string) => Tried,
): Tried {
  const found = [
    ...new Set(records.flatMap(({ match_details }) => match_details.map(({ type }) => type))),
  ].sort();
  const [record] = records;
  if (record === undefined || record.outcome === 'error' || record.outcome === 'not_run') {
    return result('error', `it gave no verdict: ${record?.reason ?? 'it was not run'}`);
  }
  if (block !== null || respond !== null) return result('blocked', `found: ${found.join(', ')}`, '');
  if (edited.length > 0) return result('masked', `found: ${found.join(', ')}`, segments[0]?.text ?? '');
  return result(
    'passed',
    found.length === 0 ? 'nothing was found' : `found and let through: ${found.join(', ')}`,
  );
}
