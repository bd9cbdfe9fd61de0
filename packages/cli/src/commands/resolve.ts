import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AttachmentReport, DimensionReport, Explanation, ResolveQuestion } from '@portcullis/policy';
import { type Output, painter } from '../output.ts';
import { printFindings } from '../render.ts';

/** A described request, as the command line has it. */
export interface QuestionOptions {
  readonly team?: string;
  readonly key?: string;
  readonly model?: string;
  readonly tag?: readonly string[];
  readonly callerTag?: readonly string[];
  readonly guardrail?: readonly string[];
  readonly policy?: readonly string[];
  readonly json?: boolean;
}

/** The request would be refused: an answer, but not the one that was hoped for. */
const REFUSED = 2;

/** Says which guardrails a described request gets from a configuration file. Gives the exit code. */
export async function resolve(file: string, options: QuestionOptions, output: Output): Promise<number> {
  const explanation = await answered(file, options, output);
  if (explanation === null) return 1;
  const { effective_guardrails, matched_policies, refusals } = explanation;
  if (options.json === true) {
    const refused = refusals.length === 0 ? {} : { refusals };
    output.line(JSON.stringify({ effective_guardrails, matched_policies, ...refused }, null, 2));
  } else {
    printDecision(explanation, output);
  }
  return refusals.length === 0 ? 0 : REFUSED;
}

/** Says the same with the reason of every attachment. Gives the exit code. */
export async function explain(file: string, options: QuestionOptions, output: Output): Promise<number> {
  const explanation = await answered(file, options, output);
  if (explanation === null) return 1;
  if (options.json === true) {
    const { plan, ...rest } = explanation;
    const answer = { plan_hash: plan?.hash ?? null, applied_policies: plan?.policies ?? [], ...rest };
    output.line(JSON.stringify(answer, null, 2));
  } else {
    printDecision(explanation, output);
    printReasons(explanation, output);
  }
  return explanation.refusals.length === 0 ? 0 : REFUSED;
}

/** Asks the engine of the gateway; null when the file is refused, which is then printed. */
async function answered(file: string, options: QuestionOptions, output: Output): Promise<Explanation | null> {
  const server = await import('@portcullis/server');
  const policy = await import('@portcullis/policy');
  const loaded = await server.loadConfig(file, server.readEnvironment());
  if (!loaded.ok) {
    if (options.json === true) {
      output.line(JSON.stringify({ valid: false, file, findings: loaded.findings }, null, 2));
    } else {
      const source = await readFile(file, 'utf8').catch(() => '');
      printFindings(file, loaded.findings, server.excerptsOf(source), output);
    }
    return null;
  }
  const snapshot = await server.compileConfig(loaded.config);
  const nobodyIsStored = { key: false, team: false };
  const question = questionOf(options, policy.hasIdForm);
  return policy.explain(snapshot, policy.contextOfQuestion(question, policy.ANONYMOUS, nobodyIsStored));
}

const TOKEN_HASH = /^[0-9a-f]{64}$/u;

function questionOf(options: QuestionOptions, hasIdForm: (text: string) => boolean): ResolveQuestion {
  const { team, key, model, tag, callerTag, guardrail, policy } = options;
  return {
    ...(team === undefined ? {} : { [hasIdForm(team) ? 'team_id' : 'team_alias']: team }),
    ...(key === undefined ? {} : keyOf(key)),
    ...(model === undefined ? {} : { model }),
    ...(tag === undefined ? {} : { tags: [...tag] }),
    ...(callerTag === undefined ? {} : { caller_tags: [...callerTag] }),
    ...(guardrail === undefined ? {} : { guardrails: [...guardrail] }),
    ...(policy === undefined ? {} : { policies: [...policy] }),
  };
}

/** An alias, a token hash, or the key itself, which selectors know by its hash. */
function keyOf(text: string): Pick<ResolveQuestion, 'key_alias' | 'key_hash'> {
  if (text.startsWith('sk-')) return { key_hash: createHash('sha256').update(text).digest('hex') };
  return TOKEN_HASH.test(text) ? { key_hash: text } : { key_alias: text };
}

function printDecision(explanation: Explanation, output: Output): void {
  const { bold, red, yellow } = painter(output);
  const { refusals, effective_guardrails: guardrails, matched_policies: policies } = explanation;
  for (const { code, names } of refusals) {
    output.line(`${red('refused')}  ${code}  ${names.join(', ')}`);
  }
  if (refusals.length === 0) {
    output.line(`${bold('guardrails')}  ${guardrails.length === 0 ? 'none' : guardrails.join(', ')}`);
    for (const { policy_name, matched_via, guardrails_added } of policies) {
      const added = guardrails_added.length === 0 ? 'nothing' : guardrails_added.join(', ');
      output.line(`${bold('policy')}      ${policy_name}  via ${matched_via}  adds ${added}`);
    }
    for (const [hook, runs] of Object.entries(explanation.hooks ?? {})) {
      if (runs.length === 0) continue;
      const names = runs.map((run) =>
        run.kind === 'guardrail' ? run.name : run.steps.map((step) => step.guardrail).join(' > '),
      );
      output.line(`${bold(hook.padEnd(10))}  ${names.join(', ')}`);
    }
  }
  const missing = explanation.missing_context;
  if (missing.length > 0) {
    output.line(yellow(`Some attachments or conditions ask for what was not given: ${missing.join(', ')}`));
  }
}

function printReasons(explanation: Explanation, output: Output): void {
  const { bold } = painter(output);
  output.line();
  output.line(bold('Attachments'));
  for (const attachment of explanation.attachments) printAttachment(attachment, output);
  if (explanation.attachments.length === 0) output.line('  none');
  for (const { policy_name, removed_by, guardrails } of explanation.removed) {
    const gone = guardrails.length === 0 ? 'nothing' : guardrails.join(', ');
    output.line(`${bold('Removed')}  ${removed_by.join(', ')} replaces ${policy_name}: ${gone}`);
  }
  for (const { note, names } of explanation.notes)
    output.line(`${bold('Note')}  ${note}: ${names.join(', ')}`);
}

function printAttachment(attachment: AttachmentReport, output: Output): void {
  const { green, dim } = painter(output);
  const { attachment_id, policy_name, effect, enforcement, dimensions } = attachment;
  const shown = effect === 'applies' ? green(effect) : effect;
  const mode = enforcement === 'enforce' ? '' : `  (${enforcement})`;
  output.line(`  ${attachment_id}  ${policy_name}  ${shown}${mode}`);
  for (const dimension of dimensions) output.line(dim(`      ${reasonOf(dimension)}`));
}

function reasonOf({ dimension, constraint, actual, passes }: DimensionReport): string {
  if (dimension === 'scope') return 'yes  scope: every request';
  const asked = Array.isArray(constraint) ? constraint.join(', ') : JSON.stringify(constraint);
  const values = actual.map(({ value, trusted }) => (trusted ? value : `${value} (of the caller)`));
  return `${passes ? 'yes' : 'no '}  ${dimension}: asks for ${asked}; is ${values.join(', ') || 'nothing'}`;
}
