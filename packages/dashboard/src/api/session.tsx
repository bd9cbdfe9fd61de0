import { ApiError } from '@portcullis/contract';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { call, setCredentials } from './client.ts';
import { queries } from './query-client.ts';

/** Roles as the gateway names them. */
const ROLES = ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'] as const;
export type Role = (typeof ROLES)[number];

/** Who is signed in, as `GET /session` and `POST /login` say. */
export interface Session {
  readonly user_id: string | null;
  readonly user_email: string | null;
  readonly user_role: Role;
  readonly csrf_token: string | null;
}

export type Credential =
  | { readonly key: string }
  | { readonly user_email: string; readonly password: string };

type State =
  | { readonly kind: 'checking' }
  | { readonly kind: 'out'; readonly reason: string | null }
  | { readonly kind: 'in'; readonly session: Session };

export interface SessionControl {
  readonly state: State;
  readonly signIn: (credential: Credential) => Promise<void>;
  /** Chooses the first password with the secret of an invitation, and is signed in. */
  readonly acceptInvitation: (secret: string, password: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
}

const SessionContext = createContext<SessionControl | null>(null);

/** Holds who is signed in. The session itself is a cookie that no script can read; writes carry its csrf token. */
export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: 'checking' });

  const leave = useCallback((reason: string | null) => {
    setCredentials({}, () => undefined);
    queries.clear();
    setState({ kind: 'out', reason });
  }, []);

  const enter = useCallback(
    (session: Session) => {
      const { csrf_token: token } = session;
      setCredentials(token === null ? {} : { 'x-csrf-token': token }, () =>
        leave('The session has ended. Sign in again to go on.'),
      );
      setState({ kind: 'in', session });
    },
    [leave],
  );

  useEffect(() => {
    const aborted = new AbortController();
    call('GET /session', { signal: aborted.signal }).then(
      ({ body }) => enter(sessionOf(body)),
      (error: unknown) => {
        if (aborted.signal.aborted) return;
        // Nobody signed in is no news; a gateway that is away is.
        leave(error instanceof ApiError && error.status === 401 ? null : textOf(error));
      },
    );
    return () => aborted.abort();
  }, [enter, leave]);

  const control = useMemo<SessionControl>(
    () => ({
      state,
      signIn: async (credential) => enter(sessionOf((await call('POST /login', { body: credential })).body)),
      acceptInvitation: async (secret, password) => {
        const { body } = await call('POST /onboarding/claim_token', {
          body: { invitation_link: secret, password },
        });
        enter(sessionOf(body));
      },
      signOut: async () => {
        await call('POST /logout', { body: {} });
        leave(null);
      },
    }),
    [state, enter, leave],
  );
  return <SessionContext value={control}>{children}</SessionContext>;
}

/** A role that this page does not know may as little as the least. */
function sessionOf(body: Omit<Session, 'user_role'> & { readonly user_role: string }): Session {
  const role = ROLES.find((known) => known === body.user_role) ?? 'internal_user_viewer';
  return { ...body, user_role: role };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function useSession(): SessionControl {
  const control = useContext(SessionContext);
  if (control === null) throw new Error('there is no SessionProvider around this');
  return control;
}

/** Whether the one who is signed in may change policies and everything else. */
export function useMayWrite(): boolean {
  const { state } = useSession();
  return state.kind === 'in' && state.session.user_role === 'proxy_admin';
}
