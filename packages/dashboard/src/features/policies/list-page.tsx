import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import {
  attachmentsQuery,
  policiesQuery,
  policyUsageQuery,
  type PolicyRow,
  summariesQuery,
} from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { LinkButton } from '../../ui/button.tsx';
import { Badge, Empty, ErrorNotice, Skeleton } from '../../ui/feedback.tsx';
import { Filter, Search } from '../../ui/form.tsx';
import { Card, Names, Page } from '../../ui/layout.tsx';
import { useSearchState } from '../../ui/search-state.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { Ago, formatCount } from '../../ui/time.tsx';
import { ConfigBadge, conditionText, StatusBadge } from './words.tsx';

/** One policy: its name, with the version that counts and what stands beside it. */
interface ListedPolicy {
  readonly name: string;
  /** In production, or else the newest. */
  readonly current: PolicyRow;
  readonly newest: PolicyRow;
  readonly versions: number;
  readonly attachments: number;
  readonly resolved: readonly string[] | null;
  readonly requests: number;
  readonly blocked: number;
}

const STATES = [
  { value: '', label: 'Every state' },
  { value: 'production', label: 'In production' },
  { value: 'draft', label: 'With a draft' },
  { value: 'none', label: 'Not in production' },
  { value: 'idle', label: 'Not attached' },
] as const;

/** Every policy by its name. */
export function PolicyListPage() {
  const mayWrite = useMayWrite();
  const [search, setSearch] = useSearchState();
  const policies = useQuery(policiesQuery);
  const attachments = useQuery(attachmentsQuery);
  const summaries = useQuery(summariesQuery);
  const usage = useQuery(policyUsageQuery);

  const listed = useMemo<readonly ListedPolicy[]>(() => {
    const byName = Map.groupBy(policies.data?.policies ?? [], ({ policy_name }) => policy_name);
    const attached = Map.groupBy(attachments.data?.attachments ?? [], ({ policy_name }) => policy_name);
    const traffic = Map.groupBy(usage.data?.rows ?? [], ({ name }) => name);
    return [...byName].flatMap(([name, versions]) => {
      const ordered = versions.toSorted((a, b) => b.version_number - a.version_number);
      const [newest] = ordered;
      if (newest === undefined) return [];
      const rows = traffic.get(name) ?? [];
      return [
        {
          name,
          newest,
          current: ordered.find(({ version_status }) => version_status === 'production') ?? newest,
          versions: versions.length,
          attachments: attached.get(name)?.length ?? 0,
          resolved: summaries.data?.[name]?.resolved_guardrails ?? null,
          requests: rows.reduce((sum, row) => sum + row.requestsEvaluated, 0),
          blocked: rows.reduce((sum, row) => sum + row.blockedCount, 0),
        },
      ];
    });
  }, [attachments.data, policies.data, summaries.data, usage.data]);

  const shown = useMemo(() => {
    const part = (search['q'] ?? '').trim().toLowerCase();
    return listed
      .filter((row) => part === '' || textOf(row).includes(part))
      .filter((row) => isInState(row, search['state'] ?? ''));
  }, [listed, search]);

  const columns: readonly Column<ListedPolicy>[] = [
    {
      id: 'name',
      header: 'Policy',
      main: true,
      sort: ({ name }) => name,
      cell: (row) => <NameCell row={row} />,
    },
    {
      id: 'status',
      header: 'Version',
      sort: ({ current }) => `${current.version_status} ${current.version_number}`,
      cell: ({ current, newest }) => (
        <span className="row-tight">
          <span className="nowrap">v{current.version_number}</span>
          <StatusBadge status={current.version_status} />
          {newest === current ? null : (
            <Badge title={`v${newest.version_number} is not in production`}>
              v{newest.version_number} {newest.version_status}
            </Badge>
          )}
        </span>
      ),
    },
    {
      id: 'guardrails',
      header: 'Effective guardrails',
      sort: ({ resolved }) => resolved?.length ?? -1,
      cell: ({ resolved, current }) => <Names names={resolved ?? current.guardrails_add} most={3} />,
    },
    {
      id: 'attachments',
      header: 'Attached',
      numeric: true,
      sort: ({ attachments: count }) => count,
      cell: ({ name, attachments: count }) =>
        count === 0 ? (
          <Badge tone="warn" title="Nothing reaches this policy through an attachment">
            nowhere
          </Badge>
        ) : (
          <Link to="/attachments" search={{ q: name }}>
            {formatCount(count)}
          </Link>
        ),
    },
    {
      id: 'traffic',
      header: 'Traffic, 24 h',
      numeric: true,
      sort: ({ requests }) => requests,
      cell: ({ requests, blocked }) =>
        requests === 0 ? (
          <span className="muted">none</span>
        ) : (
          <span className="nowrap">
            {formatCount(requests)}
            {blocked > 0 ? <span className="muted"> · {formatCount(blocked)} blocked</span> : null}
          </span>
        ),
    },
    {
      id: 'updated',
      header: 'Changed',
      sort: ({ newest }) => Date.parse(newest.updated_at ?? '') || 0,
      cell: ({ newest }) => (
        <span>
          <Ago at={newest.updated_at} />
          {newest.updated_by === null ? null : (
            <span className="muted break"> by {shortActor(newest.updated_by)}</span>
          )}
        </span>
      ),
    },
  ];

  const failed = policies.error ?? attachments.error;
  return (
    <Page
      title="Policies"
      lead="What runs: the guardrails that requests must pass. An attachment says where."
      actions={
        mayWrite ? (
          <LinkButton to="/policies/new" look="primary" icon="plus">
            New policy
          </LinkButton>
        ) : undefined
      }
    >
      {failed === null ? null : (
        <ErrorNotice
          error={failed}
          title="The policies could not be read"
          onRetry={() => void policies.refetch()}
        />
      )}
      <Card flush>
        <div className="toolbar">
          <Search
            label="Search name, description, guardrail, author"
            value={search['q'] ?? ''}
            onChange={(q) => setSearch({ q, page: undefined })}
          />
          <Filter
            label="State"
            choices={STATES}
            value={STATES.find(({ value }) => value === search['state'])?.value ?? ''}
            onChange={(state) => setSearch({ state, page: undefined })}
          />
          <span className="muted small" role="status">
            {policies.data === undefined
              ? ''
              : `${formatCount(shown.length)} of ${formatCount(listed.length)}`}
          </span>
        </div>
        {policies.isPending ? (
          <Skeleton lines={6} />
        ) : listed.length === 0 ? (
          <Empty
            icon="policies"
            title="No policy yet"
            action={
              mayWrite ? (
                <LinkButton to="/policies/new" look="primary" icon="plus">
                  New policy
                </LinkButton>
              ) : undefined
            }
          >
            A policy names guardrails that run together. It takes effect once a version is in production and
            an attachment says for whom: everybody, a team, a key, a model or a tag.
          </Empty>
        ) : shown.length === 0 ? (
          <Empty icon="search" title="Nothing matches">
            No policy has “{search['q'] ?? ''}” in this state. Clear the search to see all {listed.length}.
          </Empty>
        ) : (
          <Table
            label="Policies"
            rows={shown}
            columns={columns}
            rowKey={({ name }) => name}
            initialSort="name"
          />
        )}
      </Card>
    </Page>
  );
}

function NameCell({ row: { name, current } }: { readonly row: ListedPolicy }) {
  const condition = conditionText(current.condition);
  return (
    <div>
      <span className="row-tight">
        <Link to="/policies/$name" params={{ name }} className="break">
          <strong>{name}</strong>
        </Link>
        <ConfigBadge row={current} />
        {current.pipeline === null ? null : (
          <Badge tone="accent" title="Its guardrails run as an ordered pipeline">
            {current.pipeline.steps.length} steps
          </Badge>
        )}
      </span>
      {current.description === null ? null : <p className="muted small">{current.description}</p>}
      <p className="muted small">
        {[
          current.inherit === null ? null : `inherits ${current.inherit}`,
          condition === null ? null : `only when ${condition}`,
        ]
          .filter((part) => part !== null)
          .join(' · ')}
      </p>
    </div>
  );
}

/** An author: a user's name, or the first of a key's hash. */
export function shortActor(actor: string): string {
  return /^[0-9a-f]{64}$/u.test(actor) ? `key ${actor.slice(0, 8)}…` : actor;
}

function textOf({ name, current, newest, resolved }: ListedPolicy): string {
  return [name, current.description, newest.updated_by, ...(resolved ?? []), ...current.guardrails_add]
    .join('\n')
    .toLowerCase();
}

function isInState({ current, newest, attachments }: ListedPolicy, state: string): boolean {
  switch (state) {
    case 'production':
      return current.version_status === 'production';
    case 'draft':
      return newest.version_status === 'draft';
    case 'none':
      return current.version_status !== 'production';
    case 'idle':
      return attachments === 0;
    default:
      return true;
  }
}
