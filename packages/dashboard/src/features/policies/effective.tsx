import { Link } from '@tanstack/react-router';
import type { GuardrailRow } from '../../api/policies.ts';
import { Badge, Notice } from '../../ui/feedback.tsx';
import type { ResolvedContent } from './provenance.ts';
import { conditionText } from './words.tsx';

/** The list of a policy with where each guardrail comes from; what was taken out is struck out. */
export function EffectiveGuardrails({
  resolved,
  guardrails,
  own,
}: {
  readonly resolved: ResolvedContent;
  readonly guardrails: readonly GuardrailRow[];
  /** The name of the policy itself. */
  readonly own: string;
}) {
  const known = new Map(guardrails.map((row) => [row.guardrail_name, row]));
  return (
    <div className="stack-tight">
      {resolved.problem === null ? null : <Notice tone="bad">{resolved.problem}</Notice>}
      {resolved.guardrails.length === 0 ? (
        <p className="muted">No guardrail runs through this policy.</p>
      ) : (
        <ul className="effective">
          {resolved.guardrails.map(({ name, addedBy, removedBy, lockedBy, onlyWhen }) => (
            <li key={name}>
              <span className={removedBy === null ? 'chip' : 'chip chip-remove'}>{name}</span>
              <span className="small muted">
                {addedBy === own ? 'added here' : <>from {policyLink(addedBy)}</>}
                {removedBy === null ? null : removedBy === own ? (
                  ', removed here'
                ) : (
                  <>, removed by {policyLink(removedBy)}</>
                )}
                {onlyWhen === null ? null : <>, only when {conditionText(onlyWhen.condition)}</>}
              </span>
              <span className="row-tight">
                {modesOf(known.get(name)).map((mode) => (
                  <Badge key={mode}>{mode}</Badge>
                ))}
                {lockedBy === null ? null : (
                  <Badge tone="violet" title={`Locked by ${lockedBy}: a descendant cannot remove it`}>
                    locked
                  </Badge>
                )}
                {known.get(name)?.litellm_params['enforcement'] === 'monitor' ? (
                  <Badge tone="warn" title="It records what it would have done and changes nothing">
                    monitor
                  </Badge>
                ) : null}
                {guardrails.length > 0 && !known.has(name) ? <Badge tone="bad">unknown</Badge> : null}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function policyLink(name: string) {
  return (
    <Link to="/policies/$name" params={{ name }} className="inline">
      {name}
    </Link>
  );
}

function modesOf(row: GuardrailRow | undefined): readonly string[] {
  const mode = row?.litellm_params['mode'];
  if (typeof mode === 'string') return [mode];
  if (Array.isArray(mode)) return mode.filter((one) => typeof one === 'string');
  return mode === undefined ? [] : ['by tag'];
}
