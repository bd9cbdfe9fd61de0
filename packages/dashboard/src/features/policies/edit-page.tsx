import { useNavigate } from '@tanstack/react-router';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo, useState } from 'react';
import { isToldAt, problemAt } from '../../api/client.ts';
import {
  guardrailsQuery,
  modelsQuery,
  policiesQuery,
  type PolicyRow,
  validateQuery,
  versionsQuery,
} from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { useWrite } from '../../api/write.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Combo } from '../../ui/combo.tsx';
import { ErrorNotice, Notice, Skeleton } from '../../ui/feedback.tsx';
import { Segments, Select, TextArea, TextField } from '../../ui/form.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { useParam, useSearchState } from '../../ui/search-state.ts';
import { useToast } from '../../ui/toast.tsx';
import { useDebounced } from '../../ui/use-debounced.ts';
import {
  type ConditionDraft,
  ConditionField,
  conditionOfDraft,
  draftOfCondition,
} from './condition-field.tsx';
import { EffectiveGuardrails } from './effective.tsx';
import './policies.css';
import { productionByName, resolveContent } from './provenance.ts';

interface Draft {
  readonly name: string;
  readonly description: string;
  readonly inherit: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly lock: readonly string[];
  readonly condition: ConditionDraft;
  readonly unscanned: '' | 'allow' | 'block';
  readonly note: string;
}

const EMPTY: Draft = {
  name: '',
  description: '',
  inherit: [],
  add: [],
  remove: [],
  lock: [],
  condition: { kind: 'none', texts: [] },
  unscanned: '',
  note: '',
};

/** A new policy. */
export function NewPolicyPage() {
  return <Editor edited={null} revision={null} />;
}

/** A draft of an existing policy. */
export function EditPolicyPage() {
  const name = useParam('name');
  const [search] = useSearchState();
  const versions = useQuery(versionsQuery(name));
  if (versions.isPending) return <Skeleton lines={8} />;
  const row = versions.data?.versions.find(({ version_number, version_status }) =>
    search['version'] === undefined
      ? version_status === 'draft'
      : String(version_number) === search['version'],
  );
  const parent = { to: `/policies/${encodeURIComponent(name)}`, label: name };
  if (
    versions.isError ||
    row === undefined ||
    row.version_status !== 'draft' ||
    row.definition_location === 'config'
  ) {
    return (
      <Page title={`Edit ${name}`} parent={parent}>
        {versions.isError ? (
          <ErrorNotice error={versions.error} title="The policy could not be read" />
        ) : (
          <Notice tone="warn" title="Only drafts can be edited">
            <p>Make a new draft from the version you want to change; it takes effect once it is promoted.</p>
            <p>
              <LinkButton small to={parent.to}>
                Back to {name}
              </LinkButton>
            </p>
          </Notice>
        )}
      </Page>
    );
  }
  return <Editor key={row.policy_id} edited={row} revision={versions.data?.revision ?? null} />;
}

function draftOf(row: PolicyRow): Draft {
  return {
    name: row.policy_name,
    description: row.description ?? '',
    inherit: row.inherit === null ? [] : [row.inherit],
    add: row.guardrails_add,
    remove: row.guardrails_remove,
    lock: row.guardrails_lock,
    condition: draftOfCondition(row.condition),
    unscanned: row.unscanned ?? '',
    note: row.note ?? '',
  };
}

function contentOf(draft: Draft) {
  return {
    inherit: draft.inherit[0] ?? null,
    description: draft.description.trim() === '' ? null : draft.description,
    guardrails_add: [...draft.add],
    guardrails_remove: [...draft.remove],
    guardrails_lock: [...draft.lock],
    condition: conditionOfDraft(draft.condition),
    unscanned: draft.unscanned === '' ? null : draft.unscanned,
    note: draft.note.trim() === '' ? null : draft.note,
  };
}

const FIELDS = [
  'policy_name',
  'description',
  'inherit',
  'guardrails_add',
  'guardrails_remove',
  'guardrails_lock',
  'condition',
  'note',
];
const UNSCANNED = [
  { value: '', label: 'as each guardrail says' },
  { value: 'block', label: 'refuse the request' },
  { value: 'allow', label: 'let it through' },
] as const;

function Editor({
  edited,
  revision,
}: {
  readonly edited: PolicyRow | null;
  readonly revision: number | null;
}) {
  const mayWrite = useMayWrite();
  const navigate = useNavigate();
  const write = useWrite();
  const tell = useToast();
  const policies = useQuery(policiesQuery);
  const guardrails = useQuery(guardrailsQuery);
  const models = useQuery(modelsQuery);
  const initial = useMemo(() => (edited === null ? EMPTY : draftOf(edited)), [edited]);
  const [draft, setDraft] = useState<Draft>(initial);
  const [status, setStatus] = useState<'draft' | 'production'>('draft');
  const [isBusy, setBusy] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const set = <Name extends keyof Draft>(name: Name, value: Draft[Name]): void => {
    setDraft((before) => ({ ...before, [name]: value }));
    setError(null);
  };

  const content = contentOf(draft);
  const parents = useMemo(() => productionByName(policies.data?.policies ?? []), [policies.data]);
  const shownName = draft.name.trim() === '' ? 'this policy' : draft.name.trim();
  const resolved = useDeferredValue(resolveContent({ ...content, policy_name: shownName }, parents));
  const checked = useChecked(draft, edited);
  const problem = (field: string): string | undefined =>
    problemAt(error, field) ?? checked.errors.find((entry) => isIn(entry.field, field))?.message;
  const names = [...parents.keys()].filter((name) => name !== edited?.policy_name).sort();
  const options = [...new Set((guardrails.data ?? []).map((row) => row.guardrail_name))]
    .sort()
    .map((value) => ({ value }));
  const inherited = resolveContent({ ...content, policy_name: shownName, guardrails_remove: [] }, parents)
    .guardrails.filter(({ addedBy }) => addedBy !== shownName)
    .map(({ name, addedBy }) => ({ value: name, hint: `from ${addedBy}` }));
  const isDirty = !isSaved && JSON.stringify(draft) !== JSON.stringify(initial);

  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const row =
        edited === null
          ? await write(
              'POST /policies',
              { body: { ...content, policy_name: draft.name.trim(), version_status: status } },
              { revision: null },
            )
          : await write(
              'PUT /policies/:policy_id',
              { params: { policy_id: edited.policy_id }, body: content },
              { revision, concerns: [edited.policy_id, edited.policy_name, content.inherit] },
            );
      setSaved(true);
      const [warning] = row.warnings ?? [];
      tell(
        warning === undefined ? 'good' : 'warn',
        warning?.message ?? `${row.policy_name} v${row.version_number} is saved.`,
      );
      await navigate({
        to: `/policies/${encodeURIComponent(row.policy_name)}`,
        search: { version: String(row.version_number) },
        ignoreBlocker: true,
      });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Page
      title={edited === null ? 'New policy' : `Edit ${edited.policy_name} v${edited.version_number}`}
      parent={
        edited === null
          ? { to: '/policies', label: 'Policies' }
          : { to: `/policies/${encodeURIComponent(edited.policy_name)}`, label: edited.policy_name }
      }
      lead="A policy says which guardrails run. Where it applies is said by its attachments."
    >
      <LeaveGuard isDirty={isDirty} />
      <form
        className="split"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="stack">
          <Card title="What it is">
            <div className="stack">
              <TextField
                label="Name"
                hint={
                  edited === null
                    ? 'Requests, attachments and logs name it so.'
                    : 'All versions are renamed together: see the actions of the policy.'
                }
                value={draft.name}
                disabled={edited !== null}
                required
                autoFocus={edited === null}
                problem={problem('policy_name')}
                onChange={(value) => set('name', value)}
              />
              <TextArea
                label="Description"
                rows={2}
                value={draft.description}
                problem={problem('description')}
                onChange={(value) => set('description', value)}
              />
            </div>
          </Card>
          <Card title="What runs">
            <div className="stack">
              <Combo
                label="Inherit from"
                single
                hint="It begins with the list of that policy, as it is in production."
                placeholder="nothing"
                options={names.map((value) => ({ value }))}
                values={draft.inherit}
                problem={problem('inherit')}
                onChange={(value) => set('inherit', value.slice(-1))}
              />
              <Combo
                label="Add guardrails"
                placeholder="Search guardrails"
                options={options}
                values={draft.add}
                problem={problem('guardrails_add') ?? problem('guardrails.add')}
                onChange={(value) => set('add', value)}
              />
              <Combo
                label="Remove guardrails"
                hint="Only what is inherited can be removed, and not what an ancestor has locked."
                placeholder={inherited.length === 0 ? 'nothing is inherited' : 'Search what is inherited'}
                options={inherited}
                values={draft.remove}
                problem={problem('guardrails_remove') ?? problem('guardrails.remove')}
                onChange={(value) => set('remove', value)}
              />
              <Combo
                label="Lock guardrails"
                hint="No policy that inherits from this one can remove them."
                options={resolved.guardrails
                  .filter(({ removedBy }) => removedBy === null)
                  .map(({ name }) => ({ value: name }))}
                values={draft.lock}
                problem={problem('guardrails_lock') ?? problem('guardrails.lock')}
                onChange={(value) => set('lock', value)}
              />
            </div>
          </Card>
          <Card title="When it applies">
            <div className="stack">
              <ConditionField
                value={draft.condition}
                models={models.data ?? []}
                problem={draft.condition.kind === 'none' ? undefined : problem('condition')}
                onChange={(value) => set('condition', value)}
              />
              <Select
                label="Content that a guardrail cannot read"
                choices={UNSCANNED}
                value={draft.unscanned}
                onChange={(value) => set('unscanned', value)}
              />
            </div>
          </Card>
        </div>
        <div className="stack aside">
          <Card title="Effective guardrails">
            <EffectiveGuardrails resolved={resolved} guardrails={guardrails.data ?? []} own={shownName} />
          </Card>
          {checked.errors.length === 0 && checked.warnings.length === 0 ? null : (
            <Notice
              tone={checked.errors.length > 0 ? 'bad' : 'warn'}
              title={checked.errors.length > 0 ? 'The gateway would refuse this' : 'Worth a look'}
            >
              <ul className="stack-tight">
                {[...checked.errors, ...checked.warnings].map(({ policy_name, message, field }) => (
                  <li key={`${policy_name} ${field ?? ''} ${message}`}>
                    {policy_name === shownName ? '' : `${policy_name}: `}
                    {field === undefined ? '' : <code>{field} </code>}
                    {message}
                  </li>
                ))}
              </ul>
            </Notice>
          )}
          <Card title={edited === null ? 'Create' : 'Save'}>
            <div className="stack">
              {edited === null ? (
                <Segments
                  label="As"
                  choices={[
                    { value: 'draft', label: 'Draft' },
                    { value: 'production', label: 'In production' },
                  ]}
                  value={status}
                  onChange={setStatus}
                  hint={
                    status === 'draft'
                      ? 'Changes nothing until it is published and promoted.'
                      : 'In force at once wherever it is attached.'
                  }
                />
              ) : null}
              <TextArea
                label="Note"
                hint="Why, for whoever looks at the history."
                rows={2}
                value={draft.note}
                problem={problem('note')}
                onChange={(value) => set('note', value)}
              />
              {error === null ? null : isToldAt(error, FIELDS) ? (
                <Notice tone="bad" title="Not saved">
                  The fields say what is wrong.
                </Notice>
              ) : (
                <ErrorNotice error={error} title="Not saved" />
              )}
              <Button
                type="submit"
                look="primary"
                busy={isBusy}
                disabled={!mayWrite || draft.name.trim() === ''}
              >
                {edited === null ? 'Create' : 'Save the draft'}
              </Button>
            </div>
          </Card>
        </div>
      </form>
    </Page>
  );
}

/** What the gateway would say, asked while somebody types. */
function useChecked(draft: Draft, edited: PolicyRow | null) {
  const {
    guardrails_add: add,
    guardrails_remove: remove,
    guardrails_lock: lock,
    note: _,
    ...rest
  } = contentOf(draft);
  const name = draft.name.trim() === '' ? 'this-policy' : draft.name.trim();
  const definition = useDebounced(
    JSON.stringify({
      [name]: { ...rest, guardrails: { add, remove, lock }, pipeline: edited?.pipeline ?? null },
    }),
    300,
  );
  const isNothing =
    draft.add.length + draft.inherit.length + draft.remove.length === 0 && draft.condition.kind === 'none';
  const { data } = useQuery({
    ...validateQuery(definition),
    enabled: !isNothing,
    placeholderData: keepPreviousData,
  });
  return isNothing || data === undefined ? { errors: [], warnings: [] } : data;
}

function isIn(place: string | undefined, field: string): boolean {
  return place !== undefined && (place === field || place.startsWith(`${field}.`));
}
