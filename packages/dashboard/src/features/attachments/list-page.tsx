import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AttachmentRow, attachmentsQuery, summariesQuery } from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { useWrite } from '../../api/write.tsx';
import { LinkButton } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Badge, Empty, ErrorNotice, Skeleton } from '../../ui/feedback.tsx';
import { Filter, Search } from '../../ui/form.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { Menu, Popover } from '../../ui/popover.tsx';
import { useSearchState } from '../../ui/search-state.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Ago, formatCount } from '../../ui/time.tsx';
import { ConfigBadge } from '../policies/words.tsx';
import { StoredImpact } from './impact.tsx';
import { AttachmentSentence, selectorText } from './sentence.tsx';

const KINDS = [
  { value: '', label: 'Every attachment' },
  { value: 'global', label: 'Every request' },
  { value: 'selected', label: 'Selected requests' },
  { value: 'monitor', label: 'Monitor only' },
  { value: 'idle', label: 'Without effect' },
] as const;

/** Where policies apply. */
export function AttachmentListPage() {
  const mayWrite = useMayWrite();
  const [search, setSearch] = useSearchState();
  const attachments = useQuery(attachmentsQuery);
  const summaries = useQuery(summariesQuery);
  const [deleted, setDeleted] = useState<AttachmentRow | null>(null);
  const all = attachments.data?.attachments ?? [];
  const isIdle = (row: AttachmentRow) =>
    summaries.data !== undefined && summaries.data[row.policy_name] === undefined;
  const part = (search['q'] ?? '').trim().toLowerCase();
  const shown = all
    .filter((row) => part === '' || `${row.policy_name} ${selectorText(row)}`.toLowerCase().includes(part))
    .filter((row) => {
      switch (search['kind'] ?? '') {
        case 'global':
          return row.scope === '*';
        case 'selected':
          return row.scope === null;
        case 'monitor':
          return row.enforcement === 'monitor';
        case 'idle':
          return isIdle(row);
        default:
          return true;
      }
    });

  const columns: readonly Column<AttachmentRow>[] = [
    {
      id: 'where',
      header: 'Where',
      main: true,
      sort: selectorText,
      cell: (row) => (
        <Link to="/attachments/$id" params={{ id: row.attachment_id }}>
          <AttachmentSentence selectors={row} />
        </Link>
      ),
    },
    {
      id: 'policy',
      header: 'Policy',
      sort: ({ policy_name }) => policy_name,
      cell: (row) => (
        <span className="row-tight">
          <Link to="/policies/$name" params={{ name: row.policy_name }}>
            {row.policy_name}
          </Link>
          <ConfigBadge row={row} />
        </span>
      ),
    },
    {
      id: 'mode',
      header: 'Mode',
      sort: ({ enforcement }) => enforcement,
      cell: (row) => (
        <span className="row-tight">
          {row.enforcement === 'monitor' ? (
            <Badge tone="warn" title="Records what it would have done and changes nothing">
              monitor only
            </Badge>
          ) : (
            <Badge tone="good">enforce</Badge>
          )}
          {isIdle(row) ? (
            <Badge tone="bad" title="The policy has no version in production">
              no effect
            </Badge>
          ) : null}
        </span>
      ),
    },
    {
      id: 'priority',
      header: 'Priority',
      numeric: true,
      sort: ({ priority }) => priority ?? 0,
      cell: ({ priority }) => priority ?? 0,
    },
    {
      id: 'changed',
      header: 'Changed',
      sort: ({ updated_at }) => updated_at ?? '',
      cell: ({ updated_at }) => <Ago at={updated_at} />,
    },
    {
      id: 'actions',
      header: 'Actions',
      actions: true,
      cell: (row) => (
        <span className="row-tight" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
          <Popover label={`Impact on requests of ${row.policy_name}`} text="Impact">
            {() => <StoredImpact row={row} />}
          </Popover>
          {mayWrite && row.definition_location === 'db' ? (
            <Menu
              label="Actions for this attachment"
              entries={[
                { label: 'Edit', icon: 'edit', to: `/attachments/${row.attachment_id}` },
                { label: 'Delete', icon: 'trash', danger: true, onSelect: () => setDeleted(row) },
              ]}
            />
          ) : null}
        </span>
      ),
    },
  ];

  return (
    <Page
      title="Attachments"
      lead="Where policies apply: to everybody, or to teams, keys, models and tags."
      actions={
        mayWrite ? (
          <LinkButton to="/attachments/new" look="primary" icon="plus">
            New attachment
          </LinkButton>
        ) : undefined
      }
    >
      {attachments.isError ? (
        <ErrorNotice
          error={attachments.error}
          title="The attachments could not be read"
          onRetry={() => void attachments.refetch()}
        />
      ) : null}
      <Card flush>
        <div className="toolbar">
          <Search
            label="Search policy, team, key, model, tag"
            value={search['q'] ?? ''}
            onChange={(q) => setSearch({ q, page: undefined })}
          />
          <Filter
            label="Kind"
            choices={KINDS}
            value={KINDS.find(({ value }) => value === search['kind'])?.value ?? ''}
            onChange={(kind) => setSearch({ kind, page: undefined })}
          />
          <span className="muted small" role="status">
            {attachments.data === undefined
              ? ''
              : `${formatCount(shown.length)} of ${formatCount(attachments.data.total_count)}`}
          </span>
        </div>
        {attachments.isPending ? (
          <Skeleton lines={6} />
        ) : shown.length === 0 ? (
          <Empty icon="attachments" title={all.length === 0 ? 'Nothing is attached yet' : 'Nothing matches'}>
            An attachment puts a policy to work. Without one, a policy runs only where a key, a team or a
            request names it.
          </Empty>
        ) : (
          <Table
            label="Attachments"
            rows={shown}
            columns={columns}
            rowKey={({ attachment_id }) => attachment_id}
            initialSort="policy"
          />
        )}
      </Card>
      {deleted === null ? null : (
        <DeleteAttachment
          row={deleted}
          revision={attachments.data?.revision ?? null}
          onClose={() => setDeleted(null)}
        />
      )}
    </Page>
  );
}

export function DeleteAttachment({
  row,
  revision,
  onClose,
  onDone,
}: {
  readonly row: AttachmentRow;
  readonly revision: number | null;
  readonly onClose: () => void;
  readonly onDone?: () => void;
}) {
  const write = useWrite();
  const tell = useToast();
  return (
    <Confirm
      title={`Detach ${row.policy_name}`}
      action="Delete the attachment"
      danger
      onClose={onClose}
      onConfirm={async () => {
        await write(
          'DELETE /policies/attachments/:attachment_id',
          { params: { attachment_id: row.attachment_id } },
          { revision, concerns: [row.attachment_id] },
        );
        tell('good', 'The attachment is deleted.');
        onDone?.();
      }}
    >
      <p>
        <AttachmentSentence selectors={row} />
      </p>
      <p>From this moment these requests are no longer held to {row.policy_name} by it.</p>
      <StoredImpact row={row} />
    </Confirm>
  );
}
