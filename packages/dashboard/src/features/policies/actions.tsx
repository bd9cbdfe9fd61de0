import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { PolicyRow } from '../../api/policies.ts';
import { useWrite } from '../../api/write.tsx';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { Checkbox, TextArea, TextField } from '../../ui/form.tsx';
import { Menu, type MenuEntry } from '../../ui/popover.tsx';
import { useToast } from '../../ui/toast.tsx';
import { CHANGE_WORDS, changesOf, type StatusChange } from './transitions.ts';

type Asked =
  | { readonly kind: 'status'; readonly change: StatusChange; readonly to: string }
  | { readonly kind: 'rollback' | 'clone' | 'rename' | 'delete' };

interface ActionProps {
  readonly shown: PolicyRow;
  readonly versions: readonly PolicyRow[];
  readonly revision: number | null;
}

/** Everything that can be done with the version that is shown; what cannot is not offered, or says why. */
export function PolicyActions({ shown, versions, revision }: ActionProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const name = encodeURIComponent(shown.policy_name);
  const isConfig = shown.definition_location === 'config';
  const isDraft = shown.version_status === 'draft';
  const wasInProduction = versions.some(
    (row) => row.version_status === 'published' && row.production_at !== null,
  );
  const entries: readonly MenuEntry[] = [
    { label: 'New draft from this version', icon: 'copy', onSelect: () => setAsked({ kind: 'clone' }) },
    {
      label: 'Flow builder',
      icon: 'flow',
      to: `/policies/${name}/flow`,
      search: { version: String(shown.version_number) },
    },
    {
      label: 'Roll back',
      icon: 'rollback',
      disabled: isConfig || !wasInProduction ? 'No other version has been in production' : undefined,
      onSelect: () => setAsked({ kind: 'rollback' }),
    },
    {
      label: 'Rename',
      icon: 'edit',
      disabled: isConfig ? 'Change it in the configuration file' : undefined,
      onSelect: () => setAsked({ kind: 'rename' }),
    },
    {
      label: `Delete v${shown.version_number}`,
      icon: 'trash',
      danger: true,
      disabled: isConfig ? 'Remove it from the configuration file' : undefined,
      onSelect: () => setAsked({ kind: 'delete' }),
    },
  ];
  return (
    <>
      {isDraft && !isConfig ? (
        <LinkButton
          icon="edit"
          to={`/policies/${name}/edit`}
          search={{ version: String(shown.version_number) }}
        >
          Edit draft
        </LinkButton>
      ) : (
        <Button icon="copy" onClick={() => setAsked({ kind: 'clone' })}>
          New draft
        </Button>
      )}
      {changesOf(shown).map(({ change, to }) => (
        <Button
          key={change}
          look={change === 'demote' ? 'default' : 'primary'}
          onClick={() => setAsked({ kind: 'status', change, to })}
        >
          {CHANGE_WORDS[change].action}
        </Button>
      ))}
      <Menu label="More actions" entries={entries} />
      {asked === null ? null : (
        <Ask asked={asked} shown={shown} revision={revision} onClose={() => setAsked(null)} />
      )}
    </>
  );
}

interface AskProps {
  readonly asked: Asked;
  readonly shown: PolicyRow;
  readonly revision: number | null;
  readonly onClose: () => void;
}

function Ask({ asked, shown, revision, onClose }: AskProps) {
  switch (asked.kind) {
    case 'status':
      return <AskStatus {...asked} shown={shown} revision={revision} onClose={onClose} />;
    case 'rollback':
      return <AskRollback shown={shown} revision={revision} onClose={onClose} />;
    case 'clone':
      return <AskClone shown={shown} revision={revision} onClose={onClose} />;
    case 'rename':
      return <AskRename shown={shown} revision={revision} onClose={onClose} />;
    case 'delete':
      return <AskDelete shown={shown} revision={revision} onClose={onClose} />;
  }
}

type AskedAbout = Omit<AskProps, 'asked'>;

export function AskStatus({
  change,
  to,
  shown,
  revision,
  onClose,
}: AskedAbout & { readonly change: StatusChange; readonly to: string }) {
  const write = useWrite();
  const tell = useToast();
  const [note, setNote] = useState('');
  const words = CHANGE_WORDS[change];
  const title = `${words.action}: ${shown.policy_name} v${shown.version_number}`;
  return (
    <Confirm
      title={title}
      action={words.action}
      danger={change === 'demote'}
      onClose={onClose}
      onConfirm={async () => {
        const row = await write(
          'PUT /policies/:policy_id/status',
          {
            params: { policy_id: shown.policy_id },
            body: { version_status: to, ...(note.trim() === '' ? {} : { note: note.trim() }) },
          },
          { revision, concerns: [shown.policy_id, shown.policy_name] },
        );
        tell(
          row.warning === undefined ? 'good' : 'warn',
          row.warning ?? `v${row.version_number} ${words.done}.`,
        );
      }}
    >
      <p>{words.explains}</p>
      <TextArea
        label="Note"
        hint="Why, for whoever looks at the history. May be empty."
        value={note}
        onChange={setNote}
      />
    </Confirm>
  );
}

function AskRollback({ shown, revision, onClose }: AskedAbout) {
  const write = useWrite();
  const tell = useToast();
  const [note, setNote] = useState('');
  return (
    <Confirm
      title={`Roll back ${shown.policy_name}`}
      action="Roll back"
      danger
      onClose={onClose}
      onConfirm={async () => {
        const row = await write(
          'POST /policies/name/:policy_name/rollback',
          {
            params: { policy_name: shown.policy_name },
            body: note.trim() === '' ? {} : { note: note.trim() },
          },
          { revision, concerns: [shown.policy_name] },
        );
        tell('good', `v${row.version_number} is in production again.`);
      }}
    >
      <p>The version that was in production before takes the place of the current one, at once.</p>
      <TextArea label="Note" value={note} onChange={setNote} />
    </Confirm>
  );
}

function AskClone({ shown, revision, onClose }: AskedAbout) {
  const write = useWrite();
  const navigate = useNavigate();
  const [note, setNote] = useState('');
  const [asPolicy, setAsPolicy] = useState(false);
  const [name, setName] = useState(`${shown.policy_name}-copy`);
  return (
    <Confirm
      title={`Copy v${shown.version_number} of ${shown.policy_name}`}
      action="Create the draft"
      onClose={onClose}
      onConfirm={async () => {
        const about = { revision, concerns: [shown.policy_name] };
        const given = note.trim() === '' ? {} : { note: note.trim() };
        const row = asPolicy
          ? await write(
              'POST /policies',
              { body: { ...contentOf(shown), ...given, policy_name: name.trim(), version_status: 'draft' } },
              about,
            )
          : await write(
              'POST /policies/name/:policy_name/versions',
              {
                params: { policy_name: shown.policy_name },
                body: { source_policy_id: shown.policy_id, ...given },
              },
              about,
            );
        await navigate({
          to: `/policies/${encodeURIComponent(row.policy_name)}/edit`,
          search: { version: String(row.version_number) },
        });
      }}
    >
      <p>A draft changes nothing until it is published and promoted.</p>
      <Checkbox
        label="As a policy of its own, under another name"
        checked={asPolicy}
        onChange={setAsPolicy}
      />
      {asPolicy ? <TextField label="Name" value={name} onChange={setName} /> : null}
      <TextArea label="Note" hint="What you are about to change." value={note} onChange={setNote} />
    </Confirm>
  );
}

/** What a version says, for a copy of it. */
function contentOf(row: PolicyRow) {
  const { inherit, description, guardrails_add, guardrails_remove, guardrails_lock } = row;
  const { condition, pipeline, unscanned } = row;
  return {
    inherit,
    description,
    guardrails_add,
    guardrails_remove,
    guardrails_lock,
    condition,
    pipeline,
    unscanned,
  };
}

function AskRename({ shown, revision, onClose }: AskedAbout) {
  const write = useWrite();
  const navigate = useNavigate();
  const tell = useToast();
  const [name, setName] = useState(shown.policy_name);
  return (
    <Confirm
      title={`Rename ${shown.policy_name}`}
      action="Rename"
      onClose={onClose}
      onConfirm={async () => {
        const { renamed, policy_name } = await write(
          'POST /policies/name/:policy_name/rename',
          { params: { policy_name: shown.policy_name }, body: { new_name: name.trim() } },
          { revision, concerns: [shown.policy_name] },
        );
        const also =
          renamed.attachments.length + renamed.children.length + renamed.keys.length + renamed.teams.length;
        tell('good', `Renamed, in ${renamed.versions} versions and ${also} places that name it.`);
        await navigate({ to: `/policies/${encodeURIComponent(policy_name)}` });
      }}
    >
      <p>All versions, and every attachment, heir, key and team that names it, are renamed together.</p>
      <TextField label="New name" value={name} onChange={setName} autoFocus />
    </Confirm>
  );
}

function AskDelete({ shown, revision, onClose }: AskedAbout) {
  const write = useWrite();
  const navigate = useNavigate();
  const tell = useToast();
  const [isForced, setForced] = useState(false);
  return (
    <Confirm
      title={`Delete v${shown.version_number} of ${shown.policy_name}`}
      action="Delete"
      danger
      onClose={onClose}
      onConfirm={async () => {
        const { message, warning } = await write(
          'DELETE /policies/:policy_id',
          { params: { policy_id: shown.policy_id }, query: isForced ? { force: 'true' } : {} },
          { revision, concerns: [shown.policy_id, shown.policy_name] },
        );
        tell(warning === undefined ? 'good' : 'warn', warning ?? message);
        await navigate({ to: '/policies' });
      }}
    >
      {shown.version_status === 'production' ? (
        <Notice tone="warn" title="This version is in production">
          No other version takes its place by itself.
        </Notice>
      ) : null}
      <p>A deleted version does not come back. What it said stays in the audit log.</p>
      <Checkbox
        label="Also remove what depends on it"
        hint="Attachments, heirs, and its name on keys and teams. Without this, the deletion is refused when there are any."
        checked={isForced}
        onChange={setForced}
      />
    </Confirm>
  );
}
