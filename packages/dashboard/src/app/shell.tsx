import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { revisionQuery } from '../api/policies.ts';
import { type Session, useSession } from '../api/session.tsx';
import { Invitation, Login } from '../features/session/login.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { useModal } from '../ui/dialog.tsx';
import { Badge, Skeleton } from '../ui/feedback.tsx';
import { Icon } from '../ui/icon.tsx';
import { useSearchState } from '../ui/search-state.ts';
import { useToast } from '../ui/toast.tsx';
import { type NavEntry, pagesFor } from './pages.ts';
import { Palette } from './palette.tsx';
import { Shortcuts } from './shortcuts.tsx';
import { type Theme, useTheme } from './theme.ts';

const SECTIONS: readonly NavEntry['section'][] = ['Protect', 'Observe', 'Access'];

/** What is around every page; in front of it stands the login. */
export function Shell() {
  const { state } = useSession();
  const [{ invitation_id: invitation }] = useSearchState();
  switch (state.kind) {
    case 'checking':
      return <Skeleton lines={3} />;
    case 'out':
      return invitation === undefined ? <Login reason={state.reason} /> : <Invitation secret={invitation} />;
    case 'in':
      return <SignedIn session={state.session} />;
  }
}

function SignedIn({ session }: { readonly session: Session }) {
  const [overlay, setOverlay] = useState<'palette' | 'menu' | 'shortcuts' | null>(null);
  const path = useLocation({ select: ({ pathname }) => pathname });
  const main = useRef<HTMLElement>(null);
  useKeys(session, (next) => setOverlay(next));
  useEffect(() => setOverlay(null), [path]);
  return (
    <div className="shell">
      <a className="button skip" href="#main">
        Skip to the page
      </a>
      <aside className="side" aria-label="Portcullis">
        <Side session={session} onFind={() => setOverlay('palette')} onKeys={() => setOverlay('shortcuts')} />
      </aside>
      <div className="topbar">
        <IconButton icon="menu" label="Open the navigation" onClick={() => setOverlay('menu')} />
        <Brand />
        <IconButton icon="search" label="Find a page or policy" onClick={() => setOverlay('palette')} />
      </div>
      <main className="main" id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      {overlay === 'menu' ? (
        <NavDrawer onClose={() => setOverlay(null)}>
          <Side
            session={session}
            onFind={() => setOverlay('palette')}
            onKeys={() => setOverlay('shortcuts')}
          />
        </NavDrawer>
      ) : null}
      {overlay === 'palette' ? <Palette session={session} onClose={() => setOverlay(null)} /> : null}
      {overlay === 'shortcuts' ? <Shortcuts session={session} onClose={() => setOverlay(null)} /> : null}
    </div>
  );
}

function NavDrawer({
  onClose,
  children,
}: {
  readonly onClose: () => void;
  readonly children: React.ReactNode;
}) {
  const dialog = useModal();
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- Escape is the key for it
    <dialog
      ref={dialog}
      className="drawer drawer-left"
      aria-label="Navigation"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="side">{children}</div>
    </dialog>
  );
}

function Brand() {
  return (
    <Link to="/policies" className="brand">
      <img src="/ui/icon.svg" alt="" width={24} height={24} />
      Portcullis
    </Link>
  );
}

function Side({
  session,
  onFind,
  onKeys,
}: {
  readonly session: Session;
  readonly onFind: () => void;
  readonly onKeys: () => void;
}) {
  const path = useLocation({ select: ({ pathname }) => pathname });
  const pages = pagesFor(session);
  return (
    <>
      <Brand />
      <button type="button" className="button button-small find" onClick={onFind}>
        <Icon name="search" /> Find <kbd>Ctrl K</kbd>
      </button>
      <nav className="nav" aria-label="Pages">
        {SECTIONS.map((section) => {
          const own = pages.filter(({ nav }) => nav.section === section);
          if (own.length === 0) return null;
          return (
            <div key={section}>
              <h2>{section}</h2>
              {own.map(({ path: to, nav }) => (
                <Link key={to} to={to} activeProps={{}} aria-current={isBelow(path, to) ? 'page' : undefined}>
                  <Icon name={nav.icon} />
                  {nav.label}
                </Link>
              ))}
            </div>
          );
        })}
      </nav>
      <SideFoot session={session} onKeys={onKeys} />
    </>
  );
}

function isBelow(path: string, to: string): boolean {
  const plain = path.replace(/^\/ui(?=\/|$)/u, '');
  return plain === to || plain.startsWith(`${to}/`);
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const THEME_ICONS = { system: 'half', light: 'sun', dark: 'moon' } as const;

function SideFoot({ session, onKeys }: { readonly session: Session; readonly onKeys: () => void }) {
  const { signOut } = useSession();
  const tell = useToast();
  const [theme, setTheme] = useTheme();
  const mayRead = session.user_role === 'proxy_admin' || session.user_role === 'proxy_admin_viewer';
  const revision = useQuery({ ...revisionQuery, enabled: mayRead });
  return (
    <footer className="side-foot">
      <div className="row">
        <span className="muted break" title={session.user_email ?? session.user_id ?? ''}>
          {ROLE_NAMES[session.user_role]}
        </span>
        {revision.data === undefined ? null : (
          <Badge title="The newest revision; everything that was changed is in it">
            revision {revision.data.revision}
          </Badge>
        )}
      </div>
      <div className="row">
        <Button
          small
          look="quiet"
          icon="out"
          onClick={() => {
            signOut().catch((error: unknown) => {
              tell('bad', error instanceof Error ? error.message : 'You are still signed in.');
            });
          }}
        >
          Sign out
        </Button>
        <span className="row-tight">
          <IconButton
            icon={THEME_ICONS[theme]}
            label={`Theme: ${theme}. Change to ${NEXT_THEME[theme]}`}
            small
            onClick={() => setTheme(NEXT_THEME[theme])}
          />
          <IconButton icon="info" label="Keyboard shortcuts" small onClick={onKeys} />
        </span>
      </div>
    </footer>
  );
}

const ROLE_NAMES: Readonly<Record<Session['user_role'], string>> = {
  proxy_admin: 'Administrator',
  proxy_admin_viewer: 'Administrator, read only',
  internal_user: 'User',
  internal_user_viewer: 'User, read only',
};

/** Ctrl+K opens the palette, `/` goes to the search of the page, `g` and a letter to a page, `?` shows all keys. */
function useKeys(session: Session, open: (overlay: 'palette' | 'shortcuts') => void): void {
  const navigate = useNavigate();
  const wantsPage = useRef(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        open('palette');
        return;
      }
      const target = event.target instanceof HTMLElement ? event.target : null;
      const isTyping = target?.closest('input, textarea, select, [contenteditable]') !== null;
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('dialog[open]') !== null) return;
      if (wantsPage.current) {
        wantsPage.current = false;
        const page = pagesFor(session).find(({ nav }) => nav.key === event.key);
        if (page !== undefined) void navigate({ to: page.path });
        return;
      }
      if (event.key === 'g') wantsPage.current = true;
      else if (event.key === '?') open('shortcuts');
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-search]');
        if (search === null) return;
        event.preventDefault();
        search.focus();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, open, session]);
}
