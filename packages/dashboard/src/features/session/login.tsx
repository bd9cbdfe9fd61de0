import { type FormEvent, useState } from 'react';
import { useSession } from '../../api/session.tsx';
import { Button } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/feedback.tsx';
import { Segments, TextField } from '../../ui/form.tsx';

const WAYS = [
  { value: 'key', label: 'Admin key' },
  { value: 'password', label: 'Email and password' },
] as const;

/** Asks who it is, and says where there is a key. */
export function Login({ reason }: { readonly reason: string | null }) {
  const { signIn } = useSession();
  const [way, setWay] = useState<'key' | 'password'>('key');
  const [key, setKey] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { submit, isBusy, error } = useSubmit(() =>
    signIn(way === 'key' ? { key: key.trim() } : { user_email: email.trim(), password }),
  );
  const isFilled = way === 'key' ? key.trim() !== '' : email.trim() !== '' && password !== '';
  return (
    <main className="login">
      <form className="card" onSubmit={submit}>
        <div className="row">
          <img src="/ui/icon.svg" alt="" width={32} height={32} />
          <h1>Sign in to Portcullis</h1>
        </div>
        {reason === null ? null : <Notice tone="warn">{reason}</Notice>}
        <Segments label="Sign in with" choices={WAYS} value={way} onChange={setWay} />
        {way === 'key' ? (
          <TextField
            key="key"
            label="Key"
            type="password"
            autoComplete="current-password"
            hint="The gateway prints it at its first start, unless general_settings.master_key names one."
            placeholder="sk-…"
            autoFocus
            required
            value={key}
            onChange={setKey}
          />
        ) : (
          <>
            <TextField
              key="email"
              label="Email"
              type="email"
              autoComplete="username"
              autoFocus
              required
              value={email}
              onChange={setEmail}
            />
            <TextField
              label="Password"
              type="password"
              autoComplete="current-password"
              hint="Forgotten, or none yet? An administrator can send you an invitation."
              required
              value={password}
              onChange={setPassword}
            />
          </>
        )}
        {error === null ? null : <ErrorNotice error={error} title="You are not signed in" />}
        <Button type="submit" look="primary" busy={isBusy} disabled={!isFilled}>
          Sign in
        </Button>
      </form>
    </main>
  );
}

/** The page behind an invitation's link: a password, and in. */
export function Invitation({ secret }: { readonly secret: string }) {
  const { acceptInvitation } = useSession();
  const [password, setPassword] = useState('');
  const { submit, isBusy, error } = useSubmit(async () => {
    await acceptInvitation(secret, password);
    // The secret has done its work and must not stay in the history.
    window.history.replaceState(null, '', '/ui/');
  });
  return (
    <main className="login">
      <form className="card" onSubmit={submit}>
        <h1>Choose your password</h1>
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          autoFocus
          required
          value={password}
          onChange={setPassword}
        />
        {error === null ? null : <ErrorNotice error={error} title="The password was not set" />}
        <Button type="submit" look="primary" busy={isBusy} disabled={password === ''}>
          Set it and sign in
        </Button>
      </form>
    </main>
  );
}

function useSubmit(work: () => Promise<void>) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    work().catch((failure: unknown) => {
      setError(failure);
      setBusy(false);
    });
  };
  return { submit, isBusy, error };
}
