import type { ReactNode } from 'react';
import type { AttachmentRow } from '../../api/policies.ts';

/** Where an attachment applies. */
export type Selectors = Pick<AttachmentRow, 'scope' | 'teams' | 'keys' | 'models' | 'tags' | 'default'>;

export function tagPartsOf(tags: Selectors['tags']): {
  readonly any: readonly string[];
  readonly all: readonly string[];
  readonly none: readonly string[];
} {
  if (Array.isArray(tags)) return { any: tags, all: [], none: [] };
  const parts = tags as { any?: string[]; all?: string[]; none?: string[] };
  return { any: parts.any ?? [], all: parts.all ?? [], none: parts.none ?? [] };
}

/** One sentence that says to which requests it applies: "requests of team health AND any tag health-*". */
export function AttachmentSentence({ selectors }: { readonly selectors: Selectors }) {
  const { scope, teams, keys, models, tags } = selectors;
  const { any, all, none } = tagPartsOf(tags);
  const parts: ReactNode[] = [];
  if (teams.length > 0) parts.push(<>of team {chips(teams, 'or')}</>);
  if (keys.length > 0) parts.push(<>with key {chips(keys, 'or')}</>);
  if (models.length > 0) parts.push(<>for model {chips(models, 'or')}</>);
  if (any.length > 0) parts.push(<>with any tag {chips(any, 'or')}</>);
  if (all.length > 0) parts.push(<>with all tags {chips(all, 'and')}</>);
  if (none.length > 0) parts.push(<>with no tag {chips(none, 'or')}</>);
  if (scope !== '*' && parts.length === 0)
    return <span className="muted">No request: nothing is selected.</span>;
  return (
    <span className="sentence">
      {scope === '*' ? <strong>Every request</strong> : 'Requests'}
      {parts.map((part, index) => (
        <span key={index}>
          {index === 0 ? ' ' : <strong> AND </strong>}
          {part}
        </span>
      ))}
      {selectors.default ? <span className="muted">, when nothing else applies</span> : null}
      {'.'}
    </span>
  );
}

function chips(values: readonly string[], word: 'or' | 'and'): ReactNode {
  return values.map((value, index) => (
    <span key={value}>
      {index === 0 ? '' : ` ${word} `}
      <span className="chip">{value}</span>
    </span>
  ));
}

/** The same in plain text, for search. */
export function selectorText({ scope, teams, keys, models, tags }: Selectors): string {
  const { any, all, none } = tagPartsOf(tags);
  return [scope === '*' ? 'every request *' : '', ...teams, ...keys, ...models, ...any, ...all, ...none].join(
    ' ',
  );
}
