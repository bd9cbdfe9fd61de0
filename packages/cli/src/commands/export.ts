import { catalogue, secretPaths } from '@portcullis/guardrails';
import { commonParamsSchema } from '@portcullis/policy';
import { stringify } from 'yaml';
import { type Answer, type Client, connect, isAnswer, type RemoteOptions, rowsOf } from '../client.ts';
import type { Output } from '../output.ts';
import { CliProblem } from '../problem.ts';

const PAGE = '1000';
const ATTEMPTS = 3;

/** The sections of a configuration file. */
interface Sections {
  readonly guardrails: readonly Answer[];
  readonly policies: Readonly<Record<string, Answer>>;
  readonly policy_attachments: readonly Answer[];
}

/**
 * Writes what is in production on a running gateway as sections of a configuration file: guardrails, policies and where
 * they apply. A secret becomes `os.environ/NAME`. Gives the exit code.
 */
export async function exportPolicies(options: RemoteOptions, output: Output): Promise<number> {
  const client = await connect(options);
  const { revision, sections } = await atOneRevision(client);
  const names = new Set<string>();
  const told: Sections = { ...sections, guardrails: withoutSecrets(sections.guardrails, names) };
  if (options.json === true) {
    output.line(JSON.stringify({ revision, variables: [...names], ...told }, null, 2));
  } else {
    output.line(`# ${client.url}, revision ${revision}`);
    if (names.size > 0) output.line(`# Secrets are not part of this: set ${[...names].join(', ')}`);
    output.line(stringify(told, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
  }
  return 0;
}

/** Several questions are asked, and only answers of one revision belong together. */
async function atOneRevision(client: Client): Promise<{ revision: string; sections: Sections }> {
  let before = await revisionOf(client);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const sections = await readSections(client);
    const after = await revisionOf(client);
    if (after === before) return { revision: after, sections };
    before = after;
  }
  throw new CliProblem(
    `${client.url} is being changed: its revision was never the same before and after reading; try again`,
  );
}

async function revisionOf(client: Client): Promise<string> {
  return String((await client.get('/policies/revision'))['revision']);
}

async function readSections(client: Client): Promise<Sections> {
  const policies = await everyPage(client, '/policies/list', 'policies', { version_status: 'production' });
  const attachments = await everyPage(client, '/policies/attachments/list', 'attachments');
  const guardrails = rowsOf(await client.get('/v2/guardrails/list'), 'guardrails');
  return {
    guardrails: sorted(guardrails.map(guardrailEntry), 'guardrail_name'),
    policies: Object.fromEntries(
      sorted(policies, 'policy_name').map((row) => [String(row['policy_name']), policyEntry(row)]),
    ),
    policy_attachments: sorted(attachments.map(attachmentEntry), 'policy'),
  };
}

async function everyPage(
  client: Client,
  path: string,
  name: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly Answer[]> {
  const rows: Answer[] = [];
  let after: string | undefined;
  do {
    const page = await client.get(path, { ...query, limit: PAGE, after });
    rows.push(...rowsOf(page, name));
    after = typeof page['next'] === 'string' ? page['next'] : undefined;
  } while (after !== undefined);
  return rows;
}

/** The same objects always come in the same order, so that two exports can be compared. */
function sorted(rows: readonly Answer[], name: string): readonly Answer[] {
  const placeOf = (row: Answer): string => `${String(row[name])} ${JSON.stringify(row)}`;
  return rows.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

function policyEntry(row: Answer): Answer {
  const { guardrails_add: add, guardrails_remove: remove, guardrails_lock: lock } = row;
  return given({
    description: row['description'],
    inherit: row['inherit'],
    guardrails: given({ add, remove, lock }),
    condition: row['condition'],
    pipeline: row['pipeline'],
    unscanned: row['unscanned'],
  });
}

function attachmentEntry(row: Answer): Answer {
  const { policy_name: policy, scope, teams, keys, models, tags, priority, enforcement } = row;
  return {
    policy,
    ...given({ scope, teams, keys, models, tags, priority }),
    ...(row['default'] === true ? { default: true } : {}),
    ...(enforcement === 'enforce' ? {} : { enforcement }),
  };
}

function guardrailEntry(row: Answer): Answer {
  const { guardrail_name, litellm_params: params, guardrail_info, policy_template } = row;
  return {
    guardrail_name,
    litellm_params: isAnswer(params) ? withoutDefaults(params) : {},
    ...given({ guardrail_info, policy_template }),
  };
}

/** What every guardrail has without saying so. */
const DEFAULTS: Answer = commonParamsSchema.parse({ guardrail: 'any', mode: 'pre_call' });
const SAID = new Set(['guardrail', 'mode']);

function withoutDefaults(params: Answer): Answer {
  return Object.fromEntries(
    Object.entries(params).filter(
      ([name, value]) =>
        value !== null && (SAID.has(name) || JSON.stringify(value) !== JSON.stringify(DEFAULTS[name])),
    ),
  );
}

/** The fields that say something: `null`, `[]` and `{}` are what a file has by leaving them out. */
function given(row: Answer): Answer {
  return Object.fromEntries(
    Object.entries(row).filter(
      ([, value]) =>
        value !== null &&
        value !== undefined &&
        !(typeof value === 'object' && Object.keys(value).length === 0),
    ),
  );
}

/** What the gateway shows instead of a secret: at most its first characters, then four stars. */
const MASKED = /^.{0,4}\*{4}$/su;

function withoutSecrets(guardrails: readonly Answer[], names: Set<string>): readonly Answer[] {
  return guardrails.map((guardrail) => {
    const params = isAnswer(guardrail['litellm_params']) ? guardrail['litellm_params'] : {};
    const secret = new Set(secretPaths(params, catalogue).map((path) => path.join('\u0000')));
    const visit = (value: unknown, path: readonly (string | number)[]): unknown => {
      if (Array.isArray(value)) return value.map((one: unknown, index) => visit(one, [...path, index]));
      if (isAnswer(value)) {
        return Object.fromEntries(
          Object.entries(value).map(([key, one]) => [key, visit(one, [...path, key])]),
        );
      }
      const isSecret = secret.has(path.join('\u0000')) || (typeof value === 'string' && MASKED.test(value));
      return isSecret
        ? `os.environ/${variable([String(guardrail['guardrail_name']), ...path], names)}`
        : value;
    };
    return { ...guardrail, litellm_params: visit(params, []) };
  });
}

/** A name for the variable of one secret; one of its own, also when several guardrails have the same name. */
function variable(path: readonly (string | number)[], names: Set<string>): string {
  const plain = path
    .join('_')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/gu, '_')
    .replaceAll(/^_+|_+$/gu, '');
  const base = /^\d|^$/u.test(plain) ? `GUARDRAIL_${plain}` : plain;
  let name = base;
  for (let number = 2; names.has(name); number += 1) name = `${base}_${number}`;
  names.add(name);
  return name;
}
