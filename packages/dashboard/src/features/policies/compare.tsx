import { useQuery } from '@tanstack/react-query';
import { compareQuery, type PolicyRow } from '../../api/policies.ts';
import { Empty, ErrorNotice, Skeleton } from '../../ui/feedback.tsx';
import { Select } from '../../ui/form.tsx';
import { Card, Names } from '../../ui/layout.tsx';
import { useSearchState } from '../../ui/search-state.ts';

const FIELD_NAMES: Readonly<Record<string, string>> = {
  inherit: 'Inherits',
  description: 'Description',
  guardrails_add: 'Adds',
  guardrails_remove: 'Removes',
  guardrails_lock: 'Locks',
  condition: 'Condition',
  pipeline: 'Pipeline',
  unscanned: 'Unreadable content',
};

/** Two versions side by side, as written and as they come out after inheritance. */
export function CompareVersions({ versions }: { readonly versions: readonly PolicyRow[] }) {
  const [search, setSearch] = useSearchState();
  const production = versions.find(({ version_status }) => version_status === 'production');
  const known = (id: string | undefined) => versions.find(({ policy_id }) => policy_id === id)?.policy_id;
  const [first, second] = versions;
  const a = known(search['a']) ?? production?.policy_id ?? second?.policy_id ?? first?.policy_id ?? '';
  const b = known(search['b']) ?? versions.find(({ policy_id }) => policy_id !== a)?.policy_id ?? a;
  const compared = useQuery({ ...compareQuery(a, b), enabled: a !== b });
  const choices = versions.map((row) => ({
    value: row.policy_id,
    label: `v${row.version_number} ${row.version_status}`,
  }));
  if (versions.length < 2) {
    return (
      <Empty icon="compare" title="There is only one version">
        Make a draft from it; then both can be compared here.
      </Empty>
    );
  }
  return (
    <div className="stack">
      <div className="columns">
        <Select label="From" choices={choices} value={a} onChange={(value) => setSearch({ a: value, b })} />
        <Select label="To" choices={choices} value={b} onChange={(value) => setSearch({ a, b: value })} />
      </div>
      {a === b ? (
        <Empty icon="compare" title="Choose two different versions" />
      ) : compared.isPending ? (
        <Skeleton />
      ) : compared.isError ? (
        <ErrorNotice error={compared.error} title="The versions could not be compared" />
      ) : (
        <>
          <Card title="What requests gain and lose">
            <div className="stack-tight">
              <div className="row">
                <span className="muted small">gain</span>
                <Names names={compared.data.resolved_guardrails.only_b} tone="add" most={30} none="nothing" />
              </div>
              <div className="row">
                <span className="muted small">lose</span>
                <Names
                  names={compared.data.resolved_guardrails.only_a}
                  tone="remove"
                  most={30}
                  none="nothing"
                />
              </div>
            </div>
          </Card>
          <Card title="What is written" flush>
            {Object.keys(compared.data.field_diffs).length === 0 ? (
              <Empty icon="check" title="Nothing differs" />
            ) : (
              <div className="sides">
                {Object.entries(compared.data.field_diffs).map(([field, diff]) => (
                  <Side
                    key={field}
                    name={FIELD_NAMES[field] ?? field}
                    was={diff.version_a}
                    is={diff.version_b}
                  />
                ))}
              </div>
            )}
          </Card>
        </>
      )}
    </div>
  );
}

function Side({ name, was, is }: { readonly name: string; readonly was: unknown; readonly is: unknown }) {
  return (
    <>
      <div className="side-name">{name}</div>
      <div className="was">
        <Value value={was} other={is} tone="remove" />
      </div>
      <div className="is">
        <Value value={is} other={was} tone="add" />
      </div>
    </>
  );
}

function Value({
  value,
  other,
  tone,
}: {
  readonly value: unknown;
  readonly other: unknown;
  readonly tone: 'add' | 'remove';
}) {
  if (value === null || value === undefined) return <span className="muted">nothing</span>;
  if (typeof value === 'string') return <span>{value}</span>;
  if (Array.isArray(value)) {
    const names = value.map(String);
    if (names.length === 0) return <span className="muted">nothing</span>;
    const others = Array.isArray(other) ? other.map(String) : [];
    return (
      <span className="row-tight">
        {names.map((name) => (
          <span key={name} className={others.includes(name) ? 'chip' : `chip chip-${tone}`}>
            {name}
          </span>
        ))}
      </span>
    );
  }
  return <pre>{JSON.stringify(value, null, 2)}</pre>;
}
