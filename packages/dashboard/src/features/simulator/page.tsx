import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { attachmentsQuery, type Explained, explainQuery, requestsQuery } from '../../api/policies.ts';
import { Button } from '../../ui/button.tsx';
import { Badge, Empty, ErrorNotice, Notice, Skeleton } from '../../ui/feedback.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { Popover } from '../../ui/popover.tsx';
import { type SearchState, useSearchState } from '../../ui/search-state.ts';
import { Ago } from '../../ui/time.tsx';
import { KeyPicker, ModelPicker, TagPicker, TeamPicker } from '../attachments/pickers.tsx';
import { AttachmentReports } from './attachments.tsx';
import { Plan } from './plan.tsx';
import './simulator.css';

/** More than this is not sent to a browser: the gateway's answer then stands alone. */
const COMPILED_HERE = 5_000;

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').filter((part) => part !== '');

/** Asks the engine about a request that nobody has sent. The whole question is in the address. */
export function SimulatorPage() {
  const [search, setSearch] = useSearchState();
  const question = questionOf(search);
  const isAsked = Object.keys(question).length > 0 || search['ask'] === 'anonymous';
  const set = (name: string) => (values: readonly string[]) =>
    setSearch({ [name]: values.join(','), request: undefined, ask: undefined });
  return (
    <Page
      title="Simulator"
      lead="What would happen to a request, and why. Nothing is sent: the engine of the gateway is asked, here and there."
      actions={
        <>
          <FromLog />
          <Button
            icon="undo"
            disabled={!isAsked}
            onClick={() =>
              setSearch({
                team: undefined,
                key: undefined,
                model: undefined,
                tags: undefined,
                caller: undefined,
                ask: undefined,
              })
            }
          >
            Reset
          </Button>
        </>
      }
    >
      <Card>
        <div className="columns">
          <KeyPicker label="Key" single values={listOf(search['key'])} onChange={set('key')} />
          <TeamPicker label="Team" single values={listOf(search['team'])} onChange={set('team')} />
          <ModelPicker label="Model" single values={listOf(search['model'])} onChange={set('model')} />
          <TagPicker
            label="Tags of key or team"
            hint="Trusted: they may also take protection away."
            values={listOf(search['tags'])}
            onChange={set('tags')}
          />
          <TagPicker
            label="Tags of the caller"
            hint="They can only add protection."
            values={listOf(search['caller'])}
            onChange={set('caller')}
          />
        </div>
      </Card>
      {isAsked ? (
        <Answer question={question} />
      ) : (
        <Empty
          icon="simulator"
          title="Describe a request"
          action={
            <Button onClick={() => setSearch({ ask: 'anonymous' })}>
              Ask about a request without anything
            </Button>
          }
        >
          Choose a key, a team, a model or tags; or take them from a logged request. A stored key or team
          brings its own tags, policies, guardrails and opt-outs.
        </Empty>
      )}
    </Page>
  );
}

function questionOf(search: SearchState) {
  const [key] = listOf(search['key']);
  const [team] = listOf(search['team']);
  const [model] = listOf(search['model']);
  const tags = listOf(search['tags']);
  const caller = listOf(search['caller']);
  return {
    ...(key === undefined ? {} : isHash(key) ? { key_hash: key } : { key_alias: key }),
    ...(team === undefined ? {} : isId(team) ? { team_id: team } : { team_alias: team }),
    ...(model === undefined ? {} : { model }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(caller.length === 0 ? {} : { caller_tags: [...caller] }),
  };
}

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/u.test(text);
const isId = (text: string): boolean => /^[0-9a-f]{8}-[0-9a-f-]{27}$/u.test(text);

function Answer({ question }: { readonly question: ReturnType<typeof questionOf> }) {
  const there = useQuery({ ...explainQuery(question), placeholderData: keepPreviousData });
  if (there.isPending) return <Skeleton lines={8} />;
  if (there.isError) {
    return (
      <ErrorNotice
        error={there.error}
        title="The gateway did not answer"
        onRetry={() => void there.refetch()}
      />
    );
  }
  return <Shown there={there.data} isOld={there.isPlaceholderData} />;
}

function Shown({ there, isOld }: { readonly there: Explained; readonly isOld: boolean }) {
  const missing = there.missing_context;
  return (
    <div className="stack" aria-busy={isOld}>
      <Card
        title={summaryOf(there)}
        actions={
          <span className="row-tight">
            <Checked there={there} />
            <Badge title="The revision of everything that decides">revision {there.revision}</Badge>
            {there.plan_hash === null ? null : (
              <Badge title={`Plan ${there.plan_hash}: the same bytes on every replica`}>
                plan {there.plan_hash.slice(0, 8)}
              </Badge>
            )}
          </span>
        }
      >
        <div className="stack-tight">
          {there.refusals.map(({ code, names, source }) => (
            <Notice key={`${code} ${names.join()}`} tone="bad" title="The request would be refused">
              {code}: {names.join(', ')} (named by the {source})
            </Notice>
          ))}
          {there.hypothetical === true ? (
            <Notice>
              A name that no stored key or team has is taken as it stands: it brings no tags, policies or
              opt-outs.
            </Notice>
          ) : null}
          {missing.length === 0 ? null : (
            <Notice tone="warn">
              Left open: {missing.join(', ')}. Some attachments or conditions ask for it, so a real request
              may get more.
            </Notice>
          )}
          <Plan explained={there} />
        </div>
      </Card>
      <AttachmentReports explained={there} />
    </div>
  );
}

function summaryOf({
  effective_guardrails: guardrails,
  applied_policies: policies,
  refusals,
}: Explained): string {
  if (refusals.length > 0) return 'Refused';
  if (guardrails.length === 0) return 'Nothing would run';
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  return `${count(guardrails.length, 'guardrail', 'guardrails')} through ${count(policies.length, 'policy', 'policies')}`;
}

/** The same question, answered by the engine in this page. */
function Checked({ there }: { readonly there: Explained }) {
  const attachments = useQuery(attachmentsQuery);
  const isSmall = (attachments.data?.total_count ?? COMPILED_HERE) < COMPILED_HERE;
  const checked = useQuery({
    queryKey: ['simulator', 'check', there.revision, there.plan_hash, there.context],
    queryFn: async ({ signal }) => {
      const { agrees, explainHere, loadSnapshot } = await import('./engine.ts');
      const snapshot = await loadSnapshot(signal);
      return agrees(snapshot, explainHere(snapshot, there), there);
    },
    enabled: isSmall,
    retry: false,
  });
  if (!isSmall)
    return <Badge title="Too many attachments to compile in a browser">answered by the gateway</Badge>;
  if (checked.isPending) return <Badge>checking …</Badge>;
  if (checked.isError) {
    return (
      <Badge tone="warn" title={checked.error.message}>
        not checked here
      </Badge>
    );
  }
  if (checked.data === null) return <Badge tone="warn">changed meanwhile</Badge>;
  return checked.data ? (
    <Badge tone="good" dot title="The engine in this page, on the same documents, makes the same plan">
      browser and gateway agree
    </Badge>
  ) : (
    <Badge tone="bad" dot title="Report this: the same engine on the same documents must say the same">
      browser and gateway differ
    </Badge>
  );
}

/** Takes key, team, model and tags from a request that was logged; `?request=` does so by its id. */
function FromLog() {
  const [search, setSearch] = useSearchState();
  const wanted = search['request'];
  const one = useQuery({ ...requestsQuery(wanted), enabled: wanted !== undefined });
  const found = wanted === undefined ? undefined : one.data?.[0];
  useEffect(() => {
    if (found !== undefined) setSearch(searchOf(found));
  }, [found, setSearch]);
  return (
    <Popover label="From a logged request" text="From a logged request" icon="logs" className="button">
      {(close) => (
        <Recent
          onChoose={(row) => {
            setSearch(searchOf(row), { push: true });
            close();
          }}
        />
      )}
    </Popover>
  );
}

type LoggedRequest = Awaited<ReturnType<NonNullable<ReturnType<typeof requestsQuery>['queryFn']>>>[number];

function searchOf(row: LoggedRequest): SearchState {
  return {
    key: row.api_key,
    team: undefined,
    model: row.model_group,
    tags: undefined,
    caller: row.request_tags.filter((tag) => !tag.startsWith('User-Agent:')).join(','),
    request: undefined,
  };
}

function Recent({ onChoose }: { readonly onChoose: (row: LoggedRequest) => void }) {
  const requests = useQuery(requestsQuery());
  if (requests.isPending) return <Skeleton lines={3} />;
  if (requests.isError) return <ErrorNotice error={requests.error} title="The log could not be read" />;
  if (requests.data.length === 0) return <p className="muted">No request has been logged yet.</p>;
  return (
    <ul className="recent">
      {requests.data.map((row) => (
        <li key={row.request_id}>
          <button type="button" className="menu-item" onClick={() => onChoose(row)}>
            <span className="grow">
              {row.model_group} <span className="muted small">key {row.api_key.slice(0, 8)}…</span>
            </span>
            <span className="small muted">
              <Ago at={row.startTime} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
