import { Link } from '@tanstack/react-router';
import type { Explained } from '../../api/policies.ts';
import { Badge } from '../../ui/feedback.tsx';
import { stepSentence } from '../flow/sentence.ts';

type Run = NonNullable<Explained['hooks']>[keyof NonNullable<Explained['hooks']>][number];

const HOOK_WORDS: Readonly<Record<string, string>> = {
  pre_call: 'before the model is called',
  during_call: 'while the model is called',
  post_call: 'on the answer',
  logging_only: 'on what is logged',
  pre_mcp_call: 'before a tool is called',
  during_mcp_call: 'while a tool is called',
};

/** Everything that would run, hook by hook and in order, each with who demands it; then what would not, and why. */
export function Plan({ explained }: { readonly explained: Explained }) {
  const hooks = Object.entries(explained.hooks ?? {}).filter(([, runs]) => runs.length > 0);
  return (
    <div className="hooks">
      {hooks.map(([hook, runs]) => (
        <section key={hook} className="hook">
          <h3>
            <code>{hook}</code> <span className="muted small">{HOOK_WORDS[hook]}</span>
          </h3>
          <ol className="runs">
            {runs.map((run, index) => (
              <li key={`${run.kind} ${run.name}`}>
                <span className="number">{index + 1}</span>
                <RunRow run={run} explained={explained} />
              </li>
            ))}
          </ol>
        </section>
      ))}
      <Struck explained={explained} />
    </div>
  );
}

function RunRow({ run, explained }: { readonly run: Run; readonly explained: Explained }) {
  return (
    <div className="stack-tight">
      <span className="row-tight">
        <strong className="break">{run.kind === 'pipeline' ? `Pipeline of ${run.name}` : run.name}</strong>
        {run.enforcement === 'monitor' ? (
          <Badge tone="warn" title="Records what it would have done">
            monitor
          </Badge>
        ) : null}
        {run.trusted ? null : <Badge title="Only the caller demands it, so it runs last">caller</Badge>}
        {run.priority === 0 ? null : <Badge>priority {run.priority}</Badge>}
      </span>
      {run.kind === 'pipeline' ? (
        <ol className="stack-tight small">
          {run.steps.map((step, index) => (
            <li key={`${index} ${step.guardrail}`}>
              {index + 1}. {stepSentence(step, index, run.steps.length)}
            </li>
          ))}
        </ol>
      ) : null}
      <ul className="small muted">
        {run.demanded_by.map((demand) => (
          <li key={JSON.stringify(demand)}>
            <DemandText demand={demand} explained={explained} />
          </li>
        ))}
      </ul>
    </div>
  );
}

const SOURCES: Readonly<Record<Run['demanded_by'][number]['source'], string>> = {
  attachment: 'attached',
  default: 'attached as a default',
  key: 'set on the key',
  team: 'set on the team',
  project: 'set on the project',
  model: 'set on the model',
  request: 'named by the request',
  global: 'global guardrail (default_on)',
};

function DemandText({
  demand,
  explained,
}: {
  readonly demand: Run['demanded_by'][number];
  readonly explained: Explained;
}) {
  const via = explained.matched_policies.find(({ policy_name }) => policy_name === demand.policy_name);
  if (demand.policy_name === undefined) return <>{SOURCES[demand.source]}</>;
  return (
    <>
      policy{' '}
      <Link to="/policies/$name" params={{ name: demand.policy_name }} className="inline">
        {demand.policy_name}
      </Link>{' '}
      v{demand.version_number}, {SOURCES[demand.source]}
      {demand.attachment_id === undefined ? null : (
        <>
          {' ('}
          <Link to="/attachments/$id" params={{ id: demand.attachment_id }} className="inline">
            {via?.matched_via === undefined || via.matched_via === '' ? 'attachment' : via.matched_via}
          </Link>
          )
        </>
      )}
    </>
  );
}

/** What would have run, had nobody taken it away. */
function Struck({
  explained: { removed, opt_outs, effective_guardrails: running },
}: {
  readonly explained: Explained;
}) {
  const byDescendant = removed.flatMap(({ policy_name, removed_by, guardrails }) =>
    guardrails.map((name) => ({
      name,
      reason: `of ${policy_name}, replaced by the more special ${removed_by.join(', ')}`,
    })),
  );
  const optedOut = opt_outs
    .filter(({ effective }) => effective)
    .map(({ guardrail, source, setting }) => ({
      name: guardrail,
      reason:
        setting === 'disable_global_guardrails'
          ? `global guardrails are switched off on the ${source}`
          : `opted out on the ${source}`,
    }));
  const struck = [...byDescendant, ...optedOut];
  if (struck.length === 0) return null;
  return (
    <section className="hook">
      <h3>Taken away</h3>
      <ul className="runs">
        {struck.map(({ name, reason }) => (
          <li key={`${name} ${reason}`} className="out">
            <span aria-hidden="true" className="number">
              –
            </span>
            <span>
              <s className="struck">{name}</s>{' '}
              <span className="small muted">
                {reason}
                {running.includes(name) ? '; it runs all the same, for what is listed above' : ''}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
