import type { CreateAttachment } from '@portcullis/contract';
import { useNavigate } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { isToldAt, problemAt } from '../../api/client.ts';
import { type AttachmentRow, attachmentsQuery, policiesQuery } from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { useWrite } from '../../api/write.tsx';
import { Button } from '../../ui/button.tsx';
import { Combo } from '../../ui/combo.tsx';
import { Empty, ErrorNotice, Notice, Skeleton } from '../../ui/feedback.tsx';
import { Checkbox, Segments, TextField } from '../../ui/form.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { useParam, useSearchState } from '../../ui/search-state.ts';
import { useToast } from '../../ui/toast.tsx';
import { useDebounced } from '../../ui/use-debounced.ts';
import { ConfigBadge } from '../policies/words.tsx';
import { Impact } from './impact.tsx';
import { DeleteAttachment } from './list-page.tsx';
import { KeyPicker, ModelPicker, TagPicker, TeamPicker } from './pickers.tsx';
import { AttachmentSentence, tagPartsOf } from './sentence.tsx';

interface Draft {
  readonly policy: readonly string[];
  /** Not preset: somebody who does not choose must not reach everybody. */
  readonly reach: '' | 'selected' | 'global';
  readonly teams: readonly string[];
  readonly keys: readonly string[];
  readonly models: readonly string[];
  readonly any: readonly string[];
  readonly all: readonly string[];
  readonly none: readonly string[];
  readonly priority: string;
  readonly isDefault: boolean;
  readonly enforcement: 'enforce' | 'monitor';
}

const EMPTY: Draft = {
  policy: [],
  reach: '',
  teams: [],
  keys: [],
  models: [],
  any: [],
  all: [],
  none: [],
  priority: '',
  isDefault: false,
  enforcement: 'enforce',
};

export function NewAttachmentPage() {
  const [search] = useSearchState();
  const policy = search['policy'];
  return (
    <Editor
      key={policy ?? ''}
      edited={null}
      revision={null}
      initial={policy === undefined ? EMPTY : { ...EMPTY, policy: [policy] }}
    />
  );
}

export function EditAttachmentPage() {
  const id = useParam('id');
  const attachments = useQuery(attachmentsQuery);
  if (attachments.isPending) return <Skeleton lines={8} />;
  const row = attachments.data?.attachments.find(({ attachment_id }) => attachment_id === id);
  if (row === undefined) {
    return (
      <Page title="Attachment" parent={{ to: '/attachments', label: 'Attachments' }}>
        {attachments.isError ? (
          <ErrorNotice error={attachments.error} title="The attachment could not be read" />
        ) : (
          <Empty icon="attachments" title="There is no attachment with this id">
            It may have been deleted; the audit log knows.
          </Empty>
        )}
      </Page>
    );
  }
  return (
    <Editor key={id} edited={row} revision={attachments.data?.revision ?? null} initial={draftOf(row)} />
  );
}

function draftOf(row: AttachmentRow): Draft {
  const { any, all, none } = tagPartsOf(row.tags);
  return {
    policy: [row.policy_name],
    reach: row.scope === '*' ? 'global' : 'selected',
    teams: row.teams,
    keys: row.keys,
    models: row.models,
    any,
    all,
    none,
    priority: row.priority === null ? '' : String(row.priority),
    isDefault: row.default,
    enforcement: row.enforcement,
  };
}

/** The attachment as it would be written, or null while it selects nothing. */
function attachmentOf(draft: Draft): CreateAttachment | null {
  const isGlobal = draft.reach === 'global';
  const { teams, keys, models, any, all, none } = isGlobal
    ? { ...draft, teams: [], keys: [], models: [], any: [], all: [] }
    : draft;
  const [policy_name] = draft.policy;
  const selects = teams.length + keys.length + models.length + any.length + all.length > 0;
  if (policy_name === undefined || draft.reach === '' || !(isGlobal || selects)) return null;
  const tags =
    all.length + none.length === 0
      ? [...any]
      : {
          ...(any.length > 0 ? { any: [...any] } : {}),
          ...(all.length > 0 ? { all: [...all] } : {}),
          ...(none.length > 0 ? { none: [...none] } : {}),
        };
  return {
    policy_name,
    scope: isGlobal ? '*' : null,
    teams: [...teams],
    keys: [...keys],
    models: [...models],
    tags,
    priority: draft.priority.trim() === '' ? null : Number(draft.priority),
    default: draft.isDefault,
    enforcement: draft.enforcement,
  };
}

const FIELDS = ['policy_name', 'teams', 'keys', 'models', 'tags', 'priority', 'scope'];

function Editor({
  edited,
  revision,
  initial,
}: {
  readonly edited: AttachmentRow | null;
  readonly revision: number | null;
  readonly initial: Draft;
}) {
  const mayWrite = useMayWrite();
  const navigate = useNavigate();
  const write = useWrite();
  const tell = useToast();
  const policies = useQuery(policiesQuery);
  const [draft, setDraft] = useState(initial);
  const [isBusy, setBusy] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const set = <Name extends keyof Draft>(name: Name, value: Draft[Name]): void => {
    setDraft((before) => ({ ...before, [name]: value }));
    setError(null);
  };
  const isConfig = edited?.definition_location === 'config';
  const isLocked = !mayWrite || isConfig;
  const attachment = attachmentOf(draft);
  const asked = useDebounced(JSON.stringify(attachment), 250);
  const names = useMemo(() => {
    const production = new Set<string>();
    const all = new Set<string>();
    for (const row of policies.data?.policies ?? []) {
      all.add(row.policy_name);
      if (row.version_status === 'production') production.add(row.policy_name);
    }
    return [...all].sort().map((value) => ({
      value,
      ...(production.has(value) ? {} : { hint: 'not in production yet' }),
    }));
  }, [policies.data]);
  const isDirty = !isBusy && JSON.stringify(draft) !== JSON.stringify(initial);

  const save = async (): Promise<void> => {
    if (attachment === null) return;
    setBusy(true);
    setError(null);
    try {
      const row =
        edited === null
          ? await write('POST /policies/attachments', { body: attachment }, { revision: null })
          : await write(
              'PUT /policies/attachments/:attachment_id',
              { params: { attachment_id: edited.attachment_id }, body: attachment },
              { revision, concerns: [edited.attachment_id, attachment.policy_name] },
            );
      const [doubt] = [...(row.doubts ?? []), ...(row.warnings ?? [])];
      tell(doubt === undefined ? 'good' : 'warn', doubt?.message ?? `${row.policy_name} is attached.`);
      await navigate({ to: '/attachments', search: { q: row.policy_name }, ignoreBlocker: true });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Page
      title={edited === null ? 'New attachment' : `Attachment of ${edited.policy_name}`}
      parent={{ to: '/attachments', label: 'Attachments' }}
      badges={edited === null ? undefined : <ConfigBadge row={edited} />}
      lead="All dimensions that are given must hold; within one, any entry. A final * matches every name that begins so."
      actions={
        edited !== null && !isLocked ? (
          <Button icon="trash" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        ) : undefined
      }
    >
      <LeaveGuard isDirty={isDirty} />
      {isConfig ? (
        <Notice title="Written in the configuration file">
          It is changed there, and reads as it stands here.
        </Notice>
      ) : null}
      <form
        className="split"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="stack">
          <Card title="What">
            <Combo
              label="Policy"
              single
              disabled={isLocked}
              placeholder="Search policies"
              options={names}
              values={draft.policy}
              problem={problemAt(error, 'policy_name')}
              onChange={(value) => set('policy', value.slice(-1))}
            />
          </Card>
          <Card title="Where">
            <div className="stack">
              <Segments
                label="It applies to"
                disabled={isLocked}
                choices={[
                  { value: 'selected', label: 'Selected requests' },
                  { value: 'global', label: 'Every request' },
                ]}
                value={draft.reach}
                onChange={(value) => set('reach', value)}
                {...(draft.reach === '' ? { hint: 'Choose one; nothing is preset.' } : {})}
              />
              {draft.reach === 'selected' ? (
                <>
                  <TeamPicker
                    values={draft.teams}
                    disabled={isLocked}
                    problem={problemAt(error, 'teams')}
                    onChange={(value) => set('teams', value)}
                  />
                  <KeyPicker
                    values={draft.keys}
                    disabled={isLocked}
                    problem={problemAt(error, 'keys')}
                    onChange={(value) => set('keys', value)}
                  />
                  <ModelPicker
                    values={draft.models}
                    disabled={isLocked}
                    problem={problemAt(error, 'models')}
                    onChange={(value) => set('models', value)}
                  />
                  <TagPicker
                    label="With any of these tags"
                    values={draft.any}
                    disabled={isLocked}
                    problem={problemAt(error, 'tags')}
                    onChange={(value) => set('any', value)}
                  />
                  <TagPicker
                    label="With all of these tags"
                    values={draft.all}
                    disabled={isLocked}
                    onChange={(value) => set('all', value)}
                  />
                </>
              ) : null}
              {draft.reach === '' ? null : (
                <TagPicker
                  label="With none of these tags"
                  hint="Only tags that an administrator set on a key or team can exempt a request."
                  values={draft.none}
                  disabled={isLocked}
                  onChange={(value) => set('none', value)}
                />
              )}
            </div>
          </Card>
          <Card title="How">
            <div className="stack">
              <Segments
                label="Mode"
                disabled={isLocked}
                choices={[
                  { value: 'enforce', label: 'Enforce' },
                  { value: 'monitor', label: 'Monitor only' },
                ]}
                value={draft.enforcement}
                onChange={(value) => set('enforcement', value)}
                hint={
                  draft.enforcement === 'enforce'
                    ? 'Its guardrails block and mask.'
                    : 'Its guardrails run beside the request and record what they would have done.'
                }
              />
              <TextField
                label="Priority"
                type="number"
                hint="Lower runs first; 0 without one."
                value={draft.priority}
                disabled={isLocked}
                problem={problemAt(error, 'priority')}
                onChange={(value) => set('priority', value)}
              />
              <Checkbox
                label="Default"
                hint="Applies only when no other enforcing attachment does."
                checked={draft.isDefault}
                disabled={isLocked}
                onChange={(value) => set('isDefault', value)}
              />
            </div>
          </Card>
        </div>
        <div className="stack aside">
          <Card title="In a sentence">
            {attachment === null ? (
              <p className="muted">
                {draft.policy.length === 0
                  ? 'Choose a policy first.'
                  : draft.reach === ''
                    ? 'Choose to which requests it applies.'
                    : 'Name at least one team, key, model or tag: an attachment that selects nothing is refused.'}
              </p>
            ) : (
              <p>
                <strong>{attachment.policy_name}</strong>
                {attachment.enforcement === 'monitor' ? ' watches: ' : ' applies to: '}
                <AttachmentSentence
                  selectors={{
                    scope: attachment.scope ?? null,
                    teams: attachment.teams ?? [],
                    keys: attachment.keys ?? [],
                    models: attachment.models ?? [],
                    tags: attachment.tags ?? [],
                    default: draft.isDefault,
                  }}
                />
              </p>
            )}
          </Card>
          <Card title="Impact">
            {asked === 'null' ? (
              <p className="muted">Counted while you type, exactly, with the rules of the gateway.</p>
            ) : (
              <Impact attachment={JSON.parse(asked) as CreateAttachment} />
            )}
          </Card>
          {error === null ? null : isToldAt(error, FIELDS) ? (
            <Notice tone="bad" title="Not saved">
              The fields say what is wrong.
            </Notice>
          ) : (
            <ErrorNotice error={error} title="Not saved" />
          )}
          {isLocked ? null : (
            <div className="form-foot">
              <Button type="submit" look="primary" busy={isBusy} disabled={attachment === null}>
                {edited === null ? 'Attach' : 'Save'}
              </Button>
            </div>
          )}
        </div>
      </form>
      {isDeleting && edited !== null ? (
        <DeleteAttachment
          row={edited}
          revision={revision}
          onClose={() => setDeleting(false)}
          onDone={() => void navigate({ to: '/attachments', ignoreBlocker: true })}
        />
      ) : null}
    </Page>
  );
}
