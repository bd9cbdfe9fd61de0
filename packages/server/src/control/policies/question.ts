import { FieldsError, PortcullisError } from '@portcullis/contract';
import { type Context, contextOfQuestion, type ResolveQuestion } from '@portcullis/policy';
import { DatabaseError, type Stores } from '../../ports/database.ts';
import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import type { ControlContext } from '../context.ts';
import { hashOfReference } from '../keys/access.ts';

/** What is known of somebody whom a question names. */
export type Known = 'stored' | 'hypothetical' | 'unavailable' | 'not_given';

export interface Question {
  readonly context: Context;
  /** Whether key and team are stored ones, whose settings then count, or only names. */
  readonly key: Known;
  readonly team: Known;
}

/**
 * Makes of a question what the gateway would make of a request (Q1): a name that is exactly one stored key or team brings
 * its tags, policies, guardrails and opt-outs. A name that nobody has is taken as it is given, and marked.
 */
export async function contextOf(
  { database, principalOf }: ControlContext,
  question: ResolveQuestion,
): Promise<Question> {
  const { stores } = database;
  const key = await lookUp(hasKey(question), () => findKey(stores, question));
  const team = await lookUp(hasTeam(question) || (key.stored?.teamId ?? null) !== null, () =>
    findTeam(stores, question, key.stored),
  );
  const stored = principalOf({ key: key.stored, team: team.stored });
  const known = { key: key.stored !== null, team: team.stored !== null };
  return {
    key: key.known,
    team: hasTeam(question) ? team.known : 'not_given',
    context: contextOfQuestion(question, stored, known),
  };
}

const hasKey = ({ key_alias, key_hash }: ResolveQuestion) => (key_alias ?? key_hash ?? null) !== null;
const hasTeam = ({ team_alias, team_id }: ResolveQuestion) => (team_alias ?? team_id ?? null) !== null;

interface Found<T> {
  readonly stored: T | null;
  readonly known: Known;
}

/** With the database away the question is answered all the same, and says that nobody was looked up (D-54). */
async function lookUp<T>(isAsked: boolean, find: () => Promise<T | null>): Promise<Found<T>> {
  if (!isAsked) return { stored: null, known: 'not_given' };
  try {
    const stored = await find();
    return { stored, known: stored === null ? 'hypothetical' : 'stored' };
  } catch (error) {
    const isAway =
      error instanceof DatabaseError && (error.kind === 'unavailable' || error.kind === 'timeout');
    if (!isAway) throw error;
    return { stored: null, known: 'unavailable' };
  }
}

async function findKey({ keys }: Stores, question: ResolveQuestion): Promise<KeyRecord | null> {
  const { key_hash: reference, key_alias: alias } = question;
  if (typeof reference !== 'string') return typeof alias === 'string' ? keys.findByAlias(alias) : null;
  const key = await keys.find(hashOfReference(reference));
  if (key !== null && typeof alias === 'string' && key.alias?.value !== alias) {
    throw contradiction('key_alias', 'is not the alias of the key that key_hash names');
  }
  return key;
}

async function findTeam(
  { teams }: Stores,
  question: ResolveQuestion,
  key: KeyRecord | null,
): Promise<TeamRecord | null> {
  const { team_id: id, team_alias: alias } = question;
  if (typeof id === 'string') {
    const team = await teams.find(id);
    if (team !== null && typeof alias === 'string' && team.alias?.value !== alias) {
      throw contradiction('team_alias', 'is not the alias of the team that team_id names');
    }
    return team;
  }
  if (typeof alias !== 'string') return key === null || key.teamId === null ? null : teams.find(key.teamId);
  const found = await teams.findByAlias(alias);
  if (found.length <= 1) return found[0] ?? null;
  throw new PortcullisError(
    'ambiguous_reference',
    `The alias '${alias}' names ${found.length} teams: give team_id.`,
    { param: 'team_alias', fields: { team_ids: found.map(({ teamId }) => teamId) } },
  );
}

function contradiction(field: string, msg: string): FieldsError {
  return new FieldsError([{ loc: ['body', field], msg, type: 'contradiction' }]);
}
