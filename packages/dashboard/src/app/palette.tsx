import { useNavigate } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useId, useMemo, useState } from 'react';
import { policiesQuery } from '../api/policies.ts';
import type { Session } from '../api/session.tsx';
import { useModal } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { pagesFor } from './pages.ts';

interface Command {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly icon: IconName;
  readonly to: string;
}

const SHOWN = 40;

/** Ctrl+K: finds pages, policies and things to do. */
export function Palette({ session, onClose }: { readonly session: Session; readonly onClose: () => void }) {
  const dialog = useModal();
  const navigate = useNavigate();
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const isAdmin = session.user_role === 'proxy_admin';
  const seesPolicies = isAdmin || session.user_role === 'proxy_admin_viewer';
  const policies = useQuery({ ...policiesQuery, enabled: seesPolicies });

  const commands = useMemo<readonly Command[]>(() => {
    const names = [...new Set((policies.data?.policies ?? []).map(({ policy_name }) => policy_name))].sort();
    return [
      ...pagesFor(session).map(({ path, nav }) => ({
        id: path,
        label: nav.label,
        hint: nav.key === undefined ? 'page' : `g ${nav.key}`,
        icon: nav.icon,
        to: path,
      })),
      ...(isAdmin ? ACTIONS : []),
      ...names.map((name) => ({
        id: `policy ${name}`,
        label: name,
        hint: 'policy',
        icon: 'policies' as const,
        to: `/policies/${encodeURIComponent(name)}`,
      })),
    ];
  }, [isAdmin, policies.data, session]);
  const part = text.trim().toLowerCase();
  const found = commands
    .filter(({ label, hint }) => part === '' || `${label} ${hint}`.toLowerCase().includes(part))
    .slice(0, SHOWN);
  const go = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    void navigate({ to: command.to });
  };

  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- Escape is the key for it
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Find"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <input
        role="combobox"
        aria-label="Find a page, a policy or something to do"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found.length > 0 ? `${id}-${active}` : undefined}
        placeholder="Find a page, a policy or something to do"
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            const step = event.key === 'ArrowDown' ? 1 : -1;
            const next = found.length === 0 ? 0 : (active + step + found.length) % found.length;
            setActive(next);
            document.querySelector(`#${CSS.escape(`${id}-${next}`)}`)?.scrollIntoView({ block: 'nearest' });
          } else if (event.key === 'Enter') {
            event.preventDefault();
            go(found[active]);
          }
        }}
      />
      <div role="listbox" id={id} aria-label="Found">
        {found.map((command, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the input's
          <div
            key={command.id}
            id={`${id}-${index}`}
            className="option"
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onMouseMove={() => setActive(index)}
            onClick={() => go(command)}
          >
            <Icon name={command.icon} />
            <span>{command.label}</span>
            <span className="hint">{command.hint}</span>
          </div>
        ))}
        {found.length === 0 ? (
          <div className="option" role="option" aria-selected="false" aria-disabled="true" tabIndex={-1}>
            Nothing is called “{text}”.
          </div>
        ) : null}
      </div>
      <div className="foot" aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> go
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
      </div>
    </dialog>
  );
}

const ACTIONS: readonly Command[] = [
  { id: 'new policy', label: 'New policy', hint: 'create', icon: 'plus', to: '/policies/new' },
  { id: 'new attachment', label: 'New attachment', hint: 'create', icon: 'plus', to: '/attachments/new' },
];
