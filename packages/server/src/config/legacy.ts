// Forms of older versions, of other places, or of the documentation, each with what to write instead.
import type { FindingPath } from '@portcullis/policy';
import type { ConfigDocument } from './document.ts';
import type { Findings } from './findings.ts';

/** Reports every such form, and takes it out of the value so that nothing else is said about it. */
export function explainLegacyForms(document: ConfigDocument, findings: Findings): void {
  const refuse = (path: FindingPath, message: string): void => {
    if (document.nodeAt(path) === null) return;
    findings.error('legacy_form', path, message, 'key');
    findings.spoil(path);
    findings.explain(path.slice(0, -1));
    document.remove(path);
  };

  refuse(['attachments'], 'attachments are read from "policy_attachments": rename this key');
  refuse(
    ['include'],
    '"include" is not supported, and the included file would be missing without a word: put everything into this file',
  );
  explainLitellmGuardrails(document, refuse);

  const policies = document.valueAt(['policies']);
  if (Array.isArray(policies)) {
    refuse(
      ['policies'],
      'policies are a map of name to definition, not a list: write "<name>:" and its keys below',
    );
  }
  for (const name of keysOf(policies)) explainPolicy(document, refuse, ['policies', name]);

  const attachments = document.valueAt(['policy_attachments']);
  if (Array.isArray(attachments)) {
    for (const index of attachments.keys()) {
      explainAttachment(document, refuse, ['policy_attachments', index]);
    }
  }
}

type Refuse = (path: FindingPath, message: string) => void;

function explainPolicy(document: ConfigDocument, refuse: Refuse, path: FindingPath): void {
  const name = String(path.at(-1));
  refuse(
    [...path, 'statements'],
    '"statements" existed in the first release only and would protect nothing: list the guardrails under "guardrails: {add: [...]}", with one policy for each condition',
  );
  refuse(
    [...path, 'scope'],
    `a policy says what runs, not where: write "- policy: ${name}" with these selectors under "policy_attachments"`,
  );
  for (const selector of ['teams', 'keys', 'models', 'tags']) {
    refuse(
      [...path, selector],
      `"${selector}" selects where a policy applies: write it in an entry "- policy: ${name}" of "policy_attachments"`,
    );
  }
  for (const list of ['add', 'remove', 'lock']) {
    refuse(
      [...path, `guardrails_${list}`],
      `"guardrails_${list}" is the form of the API: in the file write "guardrails: {${list}: [...]}"`,
    );
  }
  refuse(
    [...path, 'policy_name'],
    'the name of a policy is its key in the map "policies": remove "policy_name"',
  );

  const condition = [...path, 'condition'];
  for (const [key, selector] of [
    ['team', 'teams'],
    ['key', 'keys'],
  ] as const) {
    refuse(
      [...condition, key],
      `"condition.${key}" is no longer read, so the policy would apply to everybody: use "${selector}" in an entry of "policy_attachments"`,
    );
  }
  refuse(
    [...condition, 'metadata'],
    '"condition.metadata" is no longer read, so the policy would apply to everybody: use "tags" in an entry of "policy_attachments"',
  );
  explainModelOperators(document, refuse, [...condition, 'model']);
}

const POSITIVE_OPERATORS: Readonly<Record<string, string>> = {
  equals: 'write {exact: <name>}',
  in: 'write the list itself: "model: [...]"',
};
const NEGATIVE_OPERATORS = ['not_equals', 'notEquals', 'not_in', 'notIn'];

function explainModelOperators(document: ConfigDocument, refuse: Refuse, path: FindingPath): void {
  for (const operator of keysOf(document.valueAt(path))) {
    const instead =
      POSITIVE_OPERATORS[operator] ??
      (NEGATIVE_OPERATORS.includes(operator)
        ? 'negative conditions have no counterpart: attach the policy to the models you want with "models", or let a child policy remove the guardrail'
        : null);
    if (instead === null) continue;
    refuse(path, `the operator "${operator}" of the first release is no longer read: ${instead}`);
    return;
  }
}

function explainAttachment(document: ConfigDocument, refuse: Refuse, path: FindingPath): void {
  refuse([...path, 'policy_name'], '"policy_name" is the form of the API: in the file write "policy"');
  refuse([...path, 'team_alias'], 'write the alias into the list "teams"');
  refuse([...path, 'key_alias'], 'write the alias into the list "keys"');
  refuse(
    [...path, 'guardrails'],
    'an attachment says where a policy applies: guardrails belong to the policy, under "policies"',
  );
  const scope = document.valueAt([...path, 'scope']);
  if (typeof scope === 'object' && scope !== null) {
    refuse(
      [...path, 'scope'],
      '"scope" is only ever "*": write its selectors (teams, keys, models, tags) directly in the attachment',
    );
  }
}

/** `- name: {callbacks: [...], default_on: true}`, the form before guardrails had `litellm_params`. */
function explainLitellmGuardrails(document: ConfigDocument, refuse: Refuse): void {
  for (const base of [['guardrails'], ['litellm_settings', 'guardrails']]) {
    const list = document.valueAt(base);
    if (!Array.isArray(list)) continue;
    for (const [index, entry] of list.entries()) {
      const [name, ...others] = keysOf(entry);
      if (name === undefined || others.length > 0) continue;
      if (!keysOf(document.valueAt([...base, index, name])).includes('callbacks')) continue;
      refuse(
        [...base, index, name],
        'this form with "callbacks" is no longer read and would protect nothing: write guardrail_name and litellm_params {guardrail, mode, default_on}',
      );
      // The emptied entry would only repeat that its keys are missing.
      document.setValue([...base, index], null);
    }
  }
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
