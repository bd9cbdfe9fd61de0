import { randomUUID } from 'node:crypto';
import { type ApplyTemplate, applyTemplateSchema, FieldsError, PortcullisError } from '@portcullis/contract';
import { putAttachment } from '../attachments/write.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { ControlContext } from '../context.ts';
import { readCandidate } from '../guardrails/candidate.ts';
import { guardrailRow } from '../guardrails/shape.ts';
import { putNew } from '../guardrails/write.ts';
import { createPolicy } from '../policies/write.ts';
import type { Route } from '../route.ts';
import { type PolicyTemplate, templateOf } from './catalogue.ts';

/**
 * `POST /policy/templates/apply`: guardrails, policy and attachment in one transaction, all of them or nothing (D-98).
 * Each guardrail says which version of which template it comes from, and the answer names what an undo has to delete.
 */
export function applyTemplateRoute(context: ControlContext, changes: ChangeMaker): Route<ApplyTemplate> {
  const { secrets } = context.guardrails;
  return {
    method: 'POST',
    path: '/policy/templates/apply',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: applyTemplateSchema,
    handler: (input) =>
      changes.change(input, 'template.apply', async (change) => {
        const { body } = input;
        change.isTrial = body.dry_run === true;
        const template = requireTemplate(body.template_id);
        const names = definitionsOf(template, body).map(({ guardrail_name }) => guardrail_name);
        refuseTwins(names);
        const stored = definitionsOf(template, body).map((definition, index) => {
          const root = ['guardrail_definitions', String(index)];
          const written = {
            guardrail_id: randomUUID(),
            guardrail_name: definition.guardrail_name,
            litellm_params: definition.litellm_params,
            guardrail_info: definition.guardrail_info ?? {},
            policy_template: `${template.id}@${template.version}`,
          };
          const candidate = readCandidate(written, { ...context.guardrails, root, current: null });
          return putNew(context, change, candidate, { createdBy: change.actor.by, root });
        });
        const policy = await createPolicy(change, {
          policy_name: body.policy_name ?? template.templateData.policy_name,
          description: body.description ?? template.templateData.description,
          inherit: body.inherit ?? null,
          guardrails_add: names,
          version_status: body.version_status ?? null,
          note: `template ${template.id}@${template.version}`,
        });
        const attachment = await attached(change, body, String(policy['policy_name']));
        return {
          template: `${template.id}@${template.version}`,
          dry_run: change.isTrial,
          guardrails: stored.map((one) => guardrailRow(one, secrets)),
          policy,
          attachment,
          made: change.isTrial
            ? { attachments: [], policies: [], guardrails: [] }
            : {
                attachments: attachment === null ? [] : [attachment['attachment_id']],
                policies: [policy['policy_id']],
                guardrails: stored.map(({ guardrail }) => guardrail.guardrail_id),
              },
        };
      }),
  };
}

/** @throws PortcullisError in the reference's words. */
export function requireTemplate(id: string): PolicyTemplate {
  const template = templateOf(id);
  if (template !== null) return template;
  throw new PortcullisError('not_found', `Template '${id}' not found`, { param: 'template_id' });
}

function definitionsOf(
  { guardrailDefinitions }: PolicyTemplate,
  { guardrail_definitions: edited }: ApplyTemplate,
): NonNullable<ApplyTemplate['guardrail_definitions']> {
  return edited ?? (guardrailDefinitions as NonNullable<ApplyTemplate['guardrail_definitions']>);
}

function refuseTwins(names: readonly string[]): void {
  const twin = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twin === -1) return;
  throw new FieldsError([
    {
      loc: ['body', 'guardrail_definitions', twin, 'guardrail_name'],
      msg: 'another definition has the same name',
      type: 'value',
    },
  ]);
}

async function attached(
  change: PolicyChange,
  { attachment }: ApplyTemplate,
  policyName: string,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (attachment === null || attachment === undefined) return null;
  return putAttachment(change, { ...attachment, policy_name: policyName });
}
