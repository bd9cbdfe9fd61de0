import { type FieldProblem, FieldsError } from '@portcullis/contract';
import { type Finding, type Guardrail, guardrailSchema } from '@portcullis/policy';
import type { GuardrailSecrets } from '../../ports/guardrail-secrets.ts';
import type { GuardrailTools } from '../../ports/guardrail-tools.ts';
import { unmasked, withoutSecrets } from './masking.ts';

/** What a client wrote, before anything of it is believed. */
export interface WrittenGuardrail {
  readonly guardrail_id: string;
  readonly guardrail_name: string;
  readonly litellm_params: Readonly<Record<string, unknown>>;
  readonly guardrail_info: Readonly<Record<string, unknown>>;
  readonly policy_template: string | null;
}

export interface CandidateRules {
  readonly secrets: GuardrailSecrets;
  readonly tools: GuardrailTools;
  /** Where the fields of a guardrail are in the body. */
  readonly root: readonly string[];
  /** The stored settings with open secrets, for masked values that mean "unchanged"; null for a new guardrail. */
  readonly current: Readonly<Record<string, unknown>> | null;
}

/**
 * The guardrail that was written, with open secrets. It can be set up: a guardrail that would only exist and never run is
 * refused here.
 * @throws FieldsError naming every field at fault, and no value of a secret.
 */
export function readCandidate(written: WrittenGuardrail, rules: CandidateRules): Guardrail {
  const { secrets, tools, root, current } = rules;
  const meant = unmasked(written.litellm_params, secrets.paths(written.litellm_params), current);
  const problems: FieldProblem[] = [...meant.problems, ...unresolved(meant.params)].map((problem) => ({
    ...problem,
    loc: ['body', ...root, 'litellm_params', ...problem.loc],
  }));
  if (problems.length > 0) throw new FieldsError(problems);

  const parsed = guardrailSchema.safeParse({
    ...written,
    litellm_params: meant.params,
    definition_location: 'db',
  });
  if (!parsed.success) {
    throw new FieldsError(
      parsed.error.issues.map((issue) => ({
        loc: ['body', ...root, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
        msg: issue.message,
        type: issue.code,
      })),
    );
  }
  const guardrail = parsed.data;
  refuse(tools.problems(guardrail), guardrail, rules);
  return guardrail;
}

function refuse(
  findings: readonly Finding[],
  { litellm_params: params }: Guardrail,
  { secrets, root }: CandidateRules,
): void {
  if (findings.length === 0) return;
  const places = secrets.paths(params);
  throw new FieldsError(
    // Paths of findings begin with the section and the guardrail's name.
    findings.map(({ path, message, code }) => ({
      loc: ['body', ...root, ...path.slice(2)],
      msg: withoutSecrets(message, params, places),
      type: code,
    })),
  );
}

/** The environment is the operator's: whoever may only use the API must not read it through a guardrail's service. */
function unresolved(params: unknown, loc: readonly (string | number)[] = []): readonly FieldProblem[] {
  if (typeof params === 'string') {
    const msg = 'os.environ/NAME is read in the configuration file only; send the value itself';
    return params.startsWith('os.environ/') ? [{ loc, msg, type: 'environment' }] : [];
  }
  if (typeof params !== 'object' || params === null) return [];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(params)
    ? [...params.entries()]
    : Object.entries(params);
  return entries.flatMap(([key, value]) => unresolved(value, [...loc, key]));
}
