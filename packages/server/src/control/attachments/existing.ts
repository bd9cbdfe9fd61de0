import { PortcullisError } from '@portcullis/contract';
import { type Attachment, hasIdForm } from '@portcullis/policy';
import type { Stores } from '../../ports/database.ts';
import type { ConfiguredObjects } from '../../ports/policy-engine.ts';

/** How many keys a doubt about aliases names. */
const NAMED = 5;

/**
 * Refuses an attachment that names a team, key or model which nobody has: with a misspelt name it would protect nothing
 * (D-53). When the store cannot be asked, that is an error of its own and never "exists".
 */
export async function requireExisting(
  attachment: Attachment,
  stores: Stores,
  models: Pick<ConfiguredObjects, 'modelGroups' | 'modelAliases'>,
): Promise<void> {
  const teams = concrete(attachment.teams);
  const keys = concrete(attachment.keys);
  const knownTeams = await stores.teams.known(teams);
  const knownKeys = await stores.keys.known(keys);
  const missing = [
    ...teams.filter((team) => !knownTeams.has(team)).map((team) => text('Team', team)),
    ...keys.filter((key) => !knownKeys.has(key)).map((key) => text('Key', key)),
    ...concrete(attachment.models)
      .filter((model) => !isModel(model, models))
      .map((model) => text('Model', model)),
  ];
  if (missing.length > 0) throw new PortcullisError('unknown_selector', missing.join(' | '));
}

function concrete(patterns: readonly string[]): readonly string[] {
  return [...new Set(patterns)].filter((pattern) => !pattern.endsWith('*'));
}

/** Any name by which a request's model may be known (M8). */
function isModel(
  name: string,
  { modelGroups, modelAliases }: Pick<ConfiguredObjects, 'modelGroups' | 'modelAliases'>,
): boolean {
  if (Object.hasOwn(modelAliases, name)) return true;
  return modelGroups.some(({ model_name, deployments }) =>
    [model_name, ...deployments.map(({ model }) => model)].some(
      (known) => known === name || (known.endsWith('*') && name.startsWith(known.slice(0, -1))),
    ),
  );
}

function text(label: 'Team' | 'Key' | 'Model', value: string): string {
  const what = label.toLowerCase();
  return `${label} '${value}' does not exist. Reference an existing ${what} or use a wildcard pattern (e.g. '${value}*') to match by prefix.`;
}

/** A doubt about an attachment that goes by aliases which users have chosen: a user may leave it by renaming (M9, D-48). */
export async function aliasDoubt(
  { attachment_id, keys }: Attachment,
  stores: Stores,
): Promise<Readonly<Record<string, unknown>> | null> {
  const names = concrete(keys).filter((name) => !hasIdForm(name));
  const prefixes = keys.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  if (names.length + prefixes.length === 0) return null;
  const chosen = await stores.keys.withUserAlias(names, prefixes, NAMED + 1);
  if (chosen.length === 0) return null;
  const named = chosen.slice(0, NAMED).map(({ alias }) => `"${alias?.value ?? ''}"`);
  const more = chosen.length > NAMED ? ' and others' : '';
  return {
    code: 'alias_chosen_by_user',
    message: `these keys' aliases were not given by an administrator, so their owners can change them and what applies to them: ${named.join(', ')}${more}; use token hashes or a team`,
    path: ['attachments', attachment_id, 'keys'],
  };
}
