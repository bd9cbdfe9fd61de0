import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'warn' | 'bad';
  readonly text: string;
}

/** Long enough to be read; an error stays until it is put away. */
const SHOWN_MS = 6_000;
const ICONS = { good: 'check', warn: 'warn', bad: 'bad' } as const;

type Tell = (tone: Toast['tone'], text: string) => void;
const ToastContext = createContext<Tell>(() => undefined);

/** Says what has been done. Errors of a form belong into the form. */
export function useToast(): Tell {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const next = useRef(0);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const tell = useCallback<Tell>(
    (tone, text) => {
      next.current += 1;
      const id = next.current;
      setToasts((all) => [...all.slice(-3), { id, tone, text }]);
      if (tone !== 'bad') setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  const value = useMemo(() => tell, [tell]);
  return (
    <ToastContext value={value}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, tone, text }) => (
          <div key={id} className={`toast toast-${tone}`}>
            <Icon name={ICONS[tone]} />
            <span className="grow break">{text}</span>
            <IconButton icon="close" label="Put away" small onClick={() => drop(id)} />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
