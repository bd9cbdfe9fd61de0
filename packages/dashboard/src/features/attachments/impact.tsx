import type { CreateAttachment } from '@portcullis/contract';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type AttachmentRow, impactQuery } from '../../api/policies.ts';
import { ErrorNotice, Notice, Skeleton } from '../../ui/feedback.tsx';
import { Facts, Names } from '../../ui/layout.tsx';
import { formatCount, formatShare } from '../../ui/time.tsx';

/** Whom an attachment reaches, counted by the gateway with the rules of the matcher (Q2). */
export function Impact({ attachment }: { readonly attachment: CreateAttachment }) {
  const impact = useQuery({ ...impactQuery(attachment), placeholderData: keepPreviousData });
  if (impact.isPending) return <Skeleton lines={4} />;
  if (impact.isError) return <ErrorNotice error={impact.error} title="The impact is not known" />;
  const { data } = impact;
  const { traffic_24h: traffic, guardrails } = data;
  return (
    <div className="stack-tight" aria-busy={impact.isFetching} aria-live="polite">
      {guardrails.problem === undefined ? null : <Notice tone="warn">{guardrails.problem}</Notice>}
      <Facts
        items={[
          [
            'Keys',
            <span key="keys">
              <strong>{formatCount(data.affected_keys_count)}</strong> of {formatCount(data.total_keys)}
              {data.unnamed_keys_count > 0 ? (
                <span className="muted"> ({formatCount(data.unnamed_keys_count)} without an alias)</span>
              ) : null}
              <br />
              <Names names={data.sample_keys.filter((name) => name !== null)} none="" />
            </span>,
          ],
          [
            'Teams',
            <span key="teams">
              <strong>{formatCount(data.affected_teams_count)}</strong> of {formatCount(data.total_teams)}
              <br />
              <Names names={data.sample_teams} none="" />
            </span>,
          ],
          [
            'Traffic, 24 h',
            traffic.affected_requests === null || traffic.total_requests === null ? (
              <span className="muted">{traffic.problem ?? 'not known'}</span>
            ) : (
              <span key="traffic">
                <strong>{formatCount(traffic.affected_requests)}</strong> of{' '}
                {formatCount(traffic.total_requests)} requests
                {traffic.share === null ? '' : ` (${formatShare(traffic.share)})`}
              </span>
            ),
          ],
          ['They gain', <Names key="gain" names={guardrails.gained} tone="add" most={10} none="nothing" />],
          ['They lose', <Names key="lose" names={guardrails.lost} tone="remove" most={10} none="nothing" />],
        ]}
      />
      <details className="small muted">
        <summary>How this is counted</summary>
        <ul className="stack-tight" style={{ paddingTop: 6 }}>
          {data.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </details>
    </div>
  );
}

/** The same of an attachment that exists: who is reached now. */
export function StoredImpact({ row }: { readonly row: AttachmentRow }) {
  const { policy_name, scope, teams, keys, models, tags, enforcement, priority, default: isDefault } = row;
  return (
    <Impact
      attachment={{
        policy_name,
        scope,
        teams,
        keys,
        models,
        tags,
        enforcement,
        priority,
        default: isDefault,
      }}
    />
  );
}
