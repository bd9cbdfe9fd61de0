import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import {
  attachmentsQuery,
  guardrailsQuery,
  policiesQuery,
  policyUsageQuery,
  type PolicyRow,
  versionsQuery,
} from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { LinkButton } from '../../ui/button.tsx';
import { Badge, Empty, ErrorNotice, Notice, Skeleton } from '../../ui/feedback.tsx';
import { Filter } from '../../ui/form.tsx';
import { Card, Facts, Names, Page, Tabs } from '../../ui/layout.tsx';
import { useParam, useSearchState } from '../../ui/search-state.ts';
import { Ago, formatCount } from '../../ui/time.tsx';
import { AttachmentSentence } from '../attachments/sentence.tsx';
import { firstDeadStep, stepSentence } from '../flow/sentence.ts';
import { PolicyActions } from './actions.tsx';
import { CompareVersions } from './compare.tsx';
import { EffectiveGuardrails } from './effective.tsx';
import './policies.css';
import { productionByName, resolveContent } from './provenance.ts';
import { VersionTable } from './versions.tsx';
import { ConfigBadge, conditionText, StatusBadge } from './words.tsx';
import { shortActor } from './list-page.tsx';

/** One policy with all its versions. */
export function PolicyDetailPage() {
  const name = useParam('name');
  const [search] = useSearchState();
  const versions = useQuery(versionsQuery(name));
  const shown = chosenVersion(versions.data?.versions ?? [], search['version']);
  if (versions.isPending) return <Skeleton lines={8} />;
  if (shown === undefined) {
    return (
      <Page title={name} parent={{ to: '/policies', label: 'Policies' }}>
        <ErrorNotice
          error={versions.error ?? new Error('This policy has no version.')}
          title="The policy could not be shown"
          onRetry={() => void versions.refetch()}
        />
      </Page>
    );
  }
  return (
    <Detail
      versions={versions.data?.versions ?? []}
      shown={shown}
      revision={versions.data?.revision ?? null}
    />
  );
}

/** The version of the address, or the one in production, or the newest. */
function chosenVersion(versions: readonly PolicyRow[], number: string | undefined): PolicyRow | undefined {
  return (
    versions.find(({ version_number }) => String(version_number) === number) ??
    versions.find(
      ({ version_status, shadowed_by }) => version_status === 'production' && shadowed_by === undefined,
    ) ??
    versions[0]
  );
}

const TABS = [
  ['overview', 'Overview'],
  ['versions', 'Versions'],
  ['compare', 'Compare'],
] as const;

function Detail({
  versions,
  shown,
  revision,
}: {
  readonly versions: readonly PolicyRow[];
  readonly shown: PolicyRow;
  readonly revision: number | null;
}) {
  const name = shown.policy_name;
  const mayWrite = useMayWrite();
  const [search, setSearch] = useSearchState();
  const tab = TABS.find(([id]) => id === search['tab'])?.[0] ?? 'overview';
  const version = search['version'];
  return (
    <Page
      title={name}
      parent={{ to: '/policies', label: 'Policies' }}
      {...(shown.description === null ? {} : { lead: shown.description })}
      badges={
        <>
          <StatusBadge status={shown.version_status} />
          <ConfigBadge row={shown} />
        </>
      }
      actions={
        <>
          <Filter
            label="Version"
            choices={versions.map((row) => ({
              value: String(row.version_number),
              label: `v${row.version_number} ${row.version_status}${row.definition_location === 'config' ? ' (file)' : ''}`,
            }))}
            value={String(shown.version_number)}
            onChange={(value) => setSearch({ version: value }, { push: true })}
          />
          {mayWrite ? <PolicyActions shown={shown} versions={versions} revision={revision} /> : null}
        </>
      }
    >
      {shown.shadowed_by === undefined ? null : (
        <Notice tone="warn" title="Not in force">
          A production version of the database stands before this policy of the configuration file.
        </Notice>
      )}
      <Tabs
        label="Parts of the policy"
        current={tab}
        tabs={TABS.map(([id, label]) => ({
          id,
          label: id === 'versions' ? `${label} (${versions.length})` : label,
          to: `/policies/${encodeURIComponent(name)}`,
          search: {
            ...(id === 'overview' ? {} : { tab: id }),
            ...(version === undefined ? {} : { version }),
          },
        }))}
      />
      {tab === 'overview' ? <Overview shown={shown} /> : null}
      {tab === 'versions' ? (
        <Card flush>
          <VersionTable versions={versions} revision={revision} />
        </Card>
      ) : null}
      {tab === 'compare' ? <CompareVersions versions={versions} /> : null}
    </Page>
  );
}

function Overview({ shown }: { readonly shown: PolicyRow }) {
  const policies = useQuery(policiesQuery);
  const guardrails = useQuery(guardrailsQuery);
  const resolved = useMemo(
    () => resolveContent(shown, productionByName(policies.data?.policies ?? [])),
    [policies.data, shown],
  );
  const children = [
    ...new Set(
      (policies.data?.policies ?? [])
        .filter(({ inherit }) => inherit === shown.policy_name)
        .map(({ policy_name }) => policy_name),
    ),
  ];
  const condition = conditionText(shown.condition);
  return (
    <div className="split">
      <div className="stack">
        <Card title="Effective guardrails">
          {policies.isPending ? (
            <Skeleton lines={3} />
          ) : (
            <EffectiveGuardrails
              resolved={resolved}
              guardrails={guardrails.data ?? []}
              own={shown.policy_name}
            />
          )}
        </Card>
        {shown.pipeline === null ? null : <PipelineCard shown={shown} />}
        <Card title="This version">
          <Facts
            items={[
              [
                'Inherits',
                shown.inherit === null ? (
                  <span className="muted">nothing</span>
                ) : (
                  <Link to="/policies/$name" params={{ name: shown.inherit }}>
                    {shown.inherit}
                  </Link>
                ),
              ],
              ['Inherited by', <Names key="children" names={children} none="nobody" />],
              ['Applies', condition === null ? 'to every model' : `only when ${condition}`],
              ['Adds', <Names key="add" names={shown.guardrails_add} tone="add" most={20} />],
              ['Removes', <Names key="remove" names={shown.guardrails_remove} tone="remove" most={20} />],
              ['Locks', <Names key="lock" names={shown.guardrails_lock} most={20} />],
              ['Unreadable content', shown.unscanned ?? 'as each guardrail says'],
              ['Note', shown.note ?? <span className="muted">none</span>],
              ['Author', shown.created_by === null ? 'the configuration file' : shortActor(shown.created_by)],
              ['Created', <Ago key="created" at={shown.created_at} />],
              ['In production', <Ago key="production" at={shown.production_at} none="never" />],
            ]}
          />
        </Card>
      </div>
      <div className="stack aside">
        <AttachedCard name={shown.policy_name} />
        <TrafficCard name={shown.policy_name} />
      </div>
    </div>
  );
}

function PipelineCard({ shown }: { readonly shown: PolicyRow }) {
  const { pipeline } = shown;
  if (pipeline === null) return null;
  const dead = firstDeadStep(pipeline.steps);
  return (
    <Card
      title={`Pipeline, ${pipeline.mode}`}
      actions={
        <LinkButton
          small
          icon="flow"
          to={`/policies/${encodeURIComponent(shown.policy_name)}/flow`}
          search={{ version: String(shown.version_number) }}
        >
          Flow builder
        </LinkButton>
      }
    >
      {dead === null ? null : (
        <Notice tone="warn">
          Step {dead + 1} and what follows it can never run: the step before always ends it.
        </Notice>
      )}
      <ol className="stack-tight">
        {pipeline.steps.map((step, index) => (
          <li key={index} className="row" style={{ flexWrap: 'nowrap', alignItems: 'baseline' }}>
            <Badge>{index + 1}</Badge>
            <span>{stepSentence(step, index, pipeline.steps.length)}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function AttachedCard({ name }: { readonly name: string }) {
  const mayWrite = useMayWrite();
  const attachments = useQuery(attachmentsQuery);
  const own = (attachments.data?.attachments ?? []).filter(({ policy_name }) => policy_name === name);
  return (
    <Card
      title={`Attached (${own.length})`}
      actions={
        mayWrite ? (
          <LinkButton small icon="plus" to="/attachments/new" search={{ policy: name }}>
            Attach
          </LinkButton>
        ) : undefined
      }
    >
      {attachments.isPending ? (
        <Skeleton lines={2} />
      ) : own.length === 0 ? (
        <Empty icon="attachments" title="Attached nowhere">
          No request gets this policy through an attachment. Keys and teams may still name it.
        </Empty>
      ) : (
        <ul className="attached">
          {own.map((row) => (
            <li key={row.attachment_id}>
              <Link to="/attachments/$id" params={{ id: row.attachment_id }}>
                <AttachmentSentence selectors={row} />
              </Link>
              {row.enforcement === 'monitor' ? <Badge tone="warn">monitor only</Badge> : null}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function TrafficCard({ name }: { readonly name: string }) {
  const usage = useQuery(policyUsageQuery);
  const rows = (usage.data?.rows ?? []).filter((row) => row.name === name);
  const sum = (count: (row: (typeof rows)[number]) => number) =>
    formatCount(rows.reduce((all, row) => all + count(row), 0));
  return (
    <Card title="Traffic, today and yesterday">
      {usage.isError ? (
        <ErrorNotice error={usage.error} title="The traffic could not be read" />
      ) : (
        <Facts
          items={[
            ['Judged', sum((row) => row.requestsEvaluated)],
            ['Blocked', sum((row) => row.blockedCount)],
            ['Masked', sum((row) => row.maskedCount)],
            ['Errors', sum((row) => row.errorCount)],
          ]}
        />
      )}
    </Card>
  );
}
