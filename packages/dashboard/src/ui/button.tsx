import { Link } from '@tanstack/react-router';
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Icon, type IconName } from './icon.tsx';

type Look = 'default' | 'primary' | 'danger' | 'quiet';

interface Shape {
  readonly look?: Look;
  readonly small?: boolean;
  readonly icon?: IconName;
}

function classOf({ look = 'default', small = false }: Shape, isIcon: boolean): string {
  return [
    'button',
    look === 'default' ? '' : `button-${look}`,
    small ? 'button-small' : '',
    isIcon ? 'button-icon' : '',
  ]
    .filter((name) => name !== '')
    .join(' ');
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Shape {
  readonly ref?: Ref<HTMLButtonElement>;
  /** Something is under way: the button says so and cannot be pressed twice. */
  readonly busy?: boolean;
  readonly children: ReactNode;
}

export function Button({ look, small, icon, busy = false, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={classOf({ ...(look ? { look } : {}), ...(small ? { small } : {}) }, false)}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  /** What it does; also shown on hover. */
  readonly label: string;
  readonly look?: Look;
  readonly small?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, look = 'quiet', small, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={classOf({ look, ...(small ? { small } : {}) }, true)}
    >
      <Icon name={icon} />
    </button>
  );
}

interface LinkButtonProps extends Shape {
  readonly to: string;
  readonly search?: Readonly<Record<string, string>>;
  readonly children: ReactNode;
}

/** A link that looks like a button: it goes somewhere and changes nothing. */
export function LinkButton({ to, search = {}, look, small, icon, children }: LinkButtonProps) {
  return (
    <Link
      to={to}
      search={search}
      className={classOf({ ...(look ? { look } : {}), ...(small ? { small } : {}) }, false)}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </Link>
  );
}
