import type { Guardrail } from '@portcullis/policy';
import { type GuardrailSecrets, SecretProblem } from '../../ports/guardrail-secrets.ts';
import type { StoredGuardrail } from '../../ports/policy-store.ts';
import type { Submission } from '../../ports/submissions.ts';
import { changedSecrets, masked, replacedAt } from './masking.ts';

type Shown = Readonly<Record<string, unknown>>;

/** `litellm_params` as everybody may see them: secrets masked, a single hook as it is usually written. */
export function shownParams({ litellm_params: params }: Guardrail, secrets: GuardrailSecrets): Shown {
  const { mode } = params;
  const shown = masked(params, secrets.paths(params));
  return { ...shown, mode: Array.isArray(mode) && mode.length === 1 ? mode[0] : mode };
}

/** What somebody without a right to the configuration sees: that the guardrail exists and when it runs. */
export function outlineParams({ litellm_params: { guardrail, mode, default_on } }: Guardrail): Shown {
  return {
    guardrail,
    mode: Array.isArray(mode) && mode.length === 1 ? mode[0] : mode,
    default_on,
  };
}

/** A guardrail of the database as the routes show it, from its stored or its open form. */
export function guardrailRow(stored: StoredGuardrail, secrets: GuardrailSecrets): Shown {
  const { guardrail, problem } = readable(stored.guardrail, secrets);
  return {
    guardrail_id: guardrail.guardrail_id,
    guardrail_name: guardrail.guardrail_name,
    litellm_params: shownParams(guardrail, secrets),
    guardrail_info: guardrail.guardrail_info,
    policy_template: guardrail.policy_template,
    guardrail_definition_location: 'db',
    created_at: new Date(stored.createdAtMs).toISOString(),
    created_by: stored.createdBy,
    updated_at: new Date(stored.updatedAtMs).toISOString(),
    updated_by: stored.updatedBy,
    ...(problem === null ? {} : { problem }),
  };
}

/** The rows for the audit log. Which secrets are new is told by their places, because masked ones may look alike. */
export function auditRows(
  before: StoredGuardrail | null,
  after: StoredGuardrail | null,
  secrets: GuardrailSecrets,
): { readonly before: Shown | null; readonly after: Shown | null } {
  const rows = {
    before: before === null ? null : guardrailRow(before, secrets),
    after: after === null ? null : guardrailRow(after, secrets),
  };
  if (before === null || after === null) return rows;
  const [old, fresh] = [before, after].map(
    (stored) => readable(stored.guardrail, secrets).guardrail.litellm_params,
  );
  const changed = changedSecrets(old ?? {}, fresh ?? {}, secrets.paths(fresh ?? {}));
  return changed.length === 0 ? rows : { ...rows, after: { ...rows.after, changed_secrets: changed } };
}

/** A guardrail of the configuration file. */
export function configRow(guardrail: Guardrail, secrets: GuardrailSecrets): Shown {
  return {
    guardrail_id: guardrail.guardrail_id,
    guardrail_name: guardrail.guardrail_name,
    litellm_params: shownParams(guardrail, secrets),
    guardrail_info: guardrail.guardrail_info,
    policy_template: guardrail.policy_template,
    guardrail_definition_location: 'config',
    created_at: null,
    updated_at: null,
  };
}

/** A team's submission. */
export function submissionRow(submission: Submission, secrets: GuardrailSecrets): Shown {
  const { guardrail, problem } = readable(submission.guardrail, secrets);
  const { review } = submission;
  return {
    guardrail_id: guardrail.guardrail_id,
    guardrail_name: guardrail.guardrail_name,
    status: submission.status,
    team_id: submission.teamId,
    litellm_params: shownParams(guardrail, secrets),
    guardrail_info: guardrail.guardrail_info,
    submitted_at: new Date(submission.submittedAtMs).toISOString(),
    submitted_by: submission.submittedBy,
    reviewed_at: review === null ? null : new Date(review.atMs).toISOString(),
    reviewed_by: review?.by ?? null,
    review_reason: review?.reason ?? null,
    ...(problem === null ? {} : { problem }),
  };
}

/**
 * The guardrail with open secrets. A list must not fail because one secret cannot be opened: then all of the guardrail's
 * are shown as if they were empty, and the problem is told.
 */
function readable(
  guardrail: Guardrail,
  secrets: GuardrailSecrets,
): { readonly guardrail: Guardrail; readonly problem: string | null } {
  try {
    return { guardrail: secrets.open(guardrail), problem: null };
  } catch (error) {
    if (!(error instanceof SecretProblem)) throw error;
    const { litellm_params: params } = guardrail;
    const emptied = secrets.paths(params).reduce((kept, path) => replacedAt(kept, path, ''), params);
    return { guardrail: { ...guardrail, litellm_params: emptied }, problem: error.message };
  }
}
