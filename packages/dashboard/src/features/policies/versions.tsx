import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { PolicyRow } from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Ago } from '../../ui/time.tsx';
import { AskStatus } from './actions.tsx';
import { shortActor } from './list-page.tsx';
import { CHANGE_WORDS, changesOf, type StatusChange } from './transitions.ts';
import { ConfigBadge, StatusBadge } from './words.tsx';

interface Asked {
  readonly row: PolicyRow;
  readonly change: StatusChange;
  readonly to: string;
}

/** The history of one policy: who made what, why, and what may become of it. */
export function VersionTable({
  versions,
  revision,
}: {
  readonly versions: readonly PolicyRow[];
  readonly revision: number | null;
}) {
  const mayWrite = useMayWrite();
  const [asked, setAsked] = useState<Asked | null>(null);
  const production = versions.find(({ version_status }) => version_status === 'production');
  const columns: readonly Column<PolicyRow>[] = [
    {
      id: 'version',
      header: 'Version',
      main: true,
      sort: ({ version_number }) => version_number,
      cell: (row) => (
        <span className="row-tight">
          <Link
            to="/policies/$name"
            params={{ name: row.policy_name }}
            search={{ version: String(row.version_number) }}
          >
            <strong>v{row.version_number}</strong>
          </Link>
          <StatusBadge status={row.version_status} />
          <ConfigBadge row={row} />
        </span>
      ),
    },
    {
      id: 'note',
      header: 'Note',
      cell: ({ note }) => note ?? <span className="muted">none</span>,
    },
    {
      id: 'author',
      header: 'Author',
      sort: ({ created_by }) => created_by ?? '',
      cell: ({ created_by }) => (created_by === null ? 'file' : shortActor(created_by)),
    },
    { id: 'created', header: 'Created', cell: ({ created_at }) => <Ago at={created_at} /> },
    { id: 'changed', header: 'Changed', cell: ({ updated_at }) => <Ago at={updated_at} /> },
    {
      id: 'production',
      header: 'In production',
      cell: ({ production_at }) => <Ago at={production_at} none="never" />,
    },
    {
      id: 'actions',
      header: 'Actions',
      actions: true,
      cell: (row) => (
        <span className="row-tight" style={{ justifyContent: 'flex-end' }}>
          {production === undefined || production === row ? null : (
            <LinkButton
              small
              look="quiet"
              icon="compare"
              to={`/policies/${encodeURIComponent(row.policy_name)}`}
              search={{ tab: 'compare', a: production.policy_id, b: row.policy_id }}
            >
              Compare
            </LinkButton>
          )}
          {mayWrite
            ? changesOf(row).map(({ change, to }) => (
                <Button key={change} small onClick={() => setAsked({ row, change, to })}>
                  {CHANGE_WORDS[change].action}
                </Button>
              ))
            : null}
        </span>
      ),
    },
  ];
  return (
    <>
      <Table
        label="Versions"
        rows={versions}
        columns={columns}
        rowKey={({ policy_id }) => policy_id}
        initialSort="-version"
        prefix="v-"
      />
      {asked === null ? null : (
        <AskStatus
          shown={asked.row}
          change={asked.change}
          to={asked.to}
          revision={revision}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
