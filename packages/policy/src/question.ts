import type { Context, Principal, ResolveQuestion, TagFact } from './schema/context.ts';

/**
 * What the engine is asked by a question (Q1).
 *
 * @param stored what is known of the key and the team that the question names; nobody's when nothing is
 * @param known whether `stored` holds a key and a team. Who may ask this may also name versions (A5); a stored key may
 *   do what it may do.
 */
export function contextOfQuestion(
  question: ResolveQuestion,
  stored: Principal,
  known: { readonly key: boolean; readonly team: boolean },
): Context {
  const keyAlias = question.key_alias ?? null;
  return {
    principal: {
      ...stored,
      key_hash: stored.key_hash ?? question.key_hash ?? null,
      key_alias: stored.key_alias ?? (keyAlias === null ? null : { value: keyAlias, trusted: true }),
      team_id: known.team ? stored.team_id : (question.team_id ?? stored.team_id),
      team_alias: stored.team_alias ?? question.team_alias ?? null,
      tags: [...stored.tags, ...tagFacts(question.tags, true)],
      allow_policy_versions: !known.key || stored.allow_policy_versions,
    },
    model: question.model ?? null,
    tags: tagFacts(question.caller_tags, false),
    guardrails: (question.guardrails ?? []).map((name) => ({ name, params: null })),
    policies: question.policies ?? [],
  };
}

function tagFacts(tags: readonly string[] | null | undefined, trusted: boolean): readonly TagFact[] {
  return (tags ?? []).map((value) => ({ value: value.normalize('NFC'), trusted, source: 'question' }));
}
