import { connect, type RemoteOptions, rowsOf } from '../client.ts';
import type { Output } from '../output.ts';
import { CliProblem } from '../problem.ts';
import { cell, printTable } from '../table.ts';

export interface ListOptions extends RemoteOptions {
  readonly team?: string;
  readonly user?: string;
  readonly alias?: string;
  readonly page?: string;
  readonly size?: string;
}

/** Lists keys of a running gateway, newest first. Gives the exit code. */
export async function listKeys(options: ListOptions, output: Output): Promise<number> {
  const client = await connect(options);
  const answer = await client.get('/key/list', {
    return_full_object: 'true',
    team_id: options.team,
    user_id: options.user,
    key_alias: options.alias,
    page: options.page,
    size: options.size,
  });
  if (options.json === true) {
    output.line(JSON.stringify(answer, null, 2));
    return 0;
  }
  const rows = rowsOf(answer, 'keys').map((key) => [
    cell(key['key_alias']),
    cell(key['key_name']),
    cell(key['team_id']),
    cell(key['user_id']),
    cell(key['expires']),
    key['blocked'] === true ? 'blocked' : '',
    cell(key['token']),
  ]);
  printTable(['ALIAS', 'KEY', 'TEAM', 'USER', 'EXPIRES', '', 'TOKEN HASH'], rows, output);
  const { current_page: page, total_pages: pages, total_count: total } = answer;
  output.note(`page ${cell(page)} of ${cell(pages)}, ${cell(total)} keys`);
  return 0;
}

export interface GenerateOptions extends RemoteOptions {
  readonly alias?: string;
  readonly team?: string;
  readonly user?: string;
  readonly model?: readonly string[];
  readonly duration?: string;
  readonly tag?: readonly string[];
  readonly guardrail?: readonly string[];
  readonly policy?: readonly string[];
}

/** Makes a key on a running gateway; standard output holds the key and nothing else. Gives the exit code. */
export async function generateKey(options: GenerateOptions, output: Output): Promise<number> {
  const client = await connect(options);
  const answer = await client.post('/key/generate', {
    key_alias: options.alias,
    team_id: options.team,
    user_id: options.user,
    models: options.model,
    duration: options.duration,
    tags: options.tag,
    guardrails: options.guardrail,
    policies: options.policy,
  });
  if (options.json === true) {
    output.line(JSON.stringify(answer, null, 2));
    return 0;
  }
  output.line(cell(answer['key']));
  output.note(`token hash ${cell(answer['token'])}; the key itself is shown this once only`);
  return 0;
}

export interface DeleteOptions extends RemoteOptions {
  readonly alias?: readonly string[];
}

/** Deletes all of the named keys of a running gateway or none. Gives the exit code. */
export async function deleteKeys(
  keys: readonly string[],
  options: DeleteOptions,
  output: Output,
): Promise<number> {
  const aliases = options.alias ?? [];
  if (keys.length + aliases.length === 0) {
    throw new CliProblem('nothing to delete: name keys or token hashes, or aliases with --alias');
  }
  const client = await connect(options);
  const answer = await client.post('/key/delete', {
    ...(keys.length === 0 ? {} : { keys }),
    ...(aliases.length === 0 ? {} : { key_aliases: aliases }),
  });
  const deleted = answer['deleted_keys'];
  if (options.json === true) output.line(JSON.stringify(answer, null, 2));
  else for (const name of Array.isArray(deleted) ? deleted : []) output.line(`deleted ${shownName(name)}`);
  return 0;
}

/** A key that was deleted may be in use elsewhere, so only its end is shown. */
function shownName(name: unknown): string {
  return typeof name === 'string' && name.startsWith('sk-') ? `sk-...${name.slice(-4)}` : cell(name);
}
