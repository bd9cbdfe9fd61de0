import type { ReactNode } from 'react';
import { ApiError } from '@portcullis/contract';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'neutral' | 'good' | 'info' | 'warn' | 'bad' | 'violet' | 'accent';

export function Badge({
  tone = 'neutral',
  dot = false,
  title,
  children,
}: {
  readonly tone?: Tone;
  readonly dot?: boolean;
  readonly title?: string;
  readonly children: ReactNode;
}) {
  return (
    <span className={tone === 'neutral' ? 'badge' : `badge badge-${tone}`} title={title}>
      {dot ? <i className="dot" aria-hidden="true" /> : null}
      <span>{children}</span>
    </span>
  );
}

const NOTICE_ICONS = { info: 'info', warn: 'warn', bad: 'bad', good: 'check' } as const;

export function Notice({
  tone = 'info',
  title,
  children,
}: {
  readonly tone?: keyof typeof NOTICE_ICONS;
  readonly title?: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={NOTICE_ICONS[tone]} />
      <div className="notice-body">
        {title === undefined ? null : <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

/** An error with its place, its reason and the next step, as the gateway told them. */
export function ErrorNotice({
  error,
  title,
  onRetry,
}: {
  readonly error: unknown;
  /** What was tried. */
  readonly title: string;
  readonly onRetry?: () => void;
}) {
  const told = error instanceof ApiError ? error : null;
  return (
    <Notice tone="bad" title={title}>
      {told !== null && told.problems.length > 0 ? (
        <ul>
          {told.problems.map(({ loc, msg }) => (
            <li key={`${loc.join('.')} ${msg}`}>
              <code>{loc.join('.')}</code> {msg}
            </li>
          ))}
        </ul>
      ) : (
        <p>{error instanceof Error ? error.message : String(error)}</p>
      )}
      {told?.nextStep === null || told === null ? null : <p className="muted">{told.nextStep}</p>}
      {told?.callId === null || told === null ? null : (
        <p className="hint">
          Call <code className="break">{told.callId}</code>
        </p>
      )}
      {onRetry === undefined ? null : (
        <p>
          <Button small onClick={onRetry}>
            Try again
          </Button>
        </p>
      )}
    </Notice>
  );
}

/** What stands where nothing is yet: what would be here, and how it comes. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {action}
    </div>
  );
}

/** The lines of what is on its way. */
export function Skeleton({ lines = 4 }: { readonly lines?: number }) {
  return (
    <div className="stack-tight card-body" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="skeleton" style={{ width: `${92 - ((line * 23) % 40)}%` }} />
      ))}
    </div>
  );
}
