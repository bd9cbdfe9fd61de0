import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { Icon, type IconName } from './icon.tsx';

interface PopoverProps {
  /** What is pressed to open it; its accessible name when it shows an icon alone. */
  readonly label: string;
  readonly icon?: IconName;
  readonly children: (close: () => void) => ReactNode;
  readonly text?: ReactNode;
  readonly menu?: boolean;
  readonly className?: string;
}

/** Something small beside the button that opens it. In the top layer, so that no table cuts it off. */
export function Popover({ label, icon, text, children, menu = false, className }: PopoverProps) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = panel.current;
    const anchor = button.current;
    if (!isOpen || element === null || anchor === null) return;
    element.showPopover();
    const place = (): void => {
      const from = anchor.getBoundingClientRect();
      const { offsetWidth: width, offsetHeight: height } = element;
      const below = from.bottom + 4 + height <= window.innerHeight;
      element.style.top = `${Math.max(8, below ? from.bottom + 4 : from.top - 4 - height)}px`;
      element.style.left = `${Math.max(8, Math.min(from.left, window.innerWidth - width - 8))}px`;
    };
    place();
    const resized = new ResizeObserver(place);
    resized.observe(element);
    const onToggle = (event: ToggleEvent): void => {
      if (event.newState === 'closed') setOpen(false);
    };
    element.addEventListener('toggle', onToggle);
    window.addEventListener('scroll', place, true);
    if (menu) element.querySelector<HTMLElement>('[role=menuitem]:not(:disabled)')?.focus();
    return () => {
      resized.disconnect();
      window.removeEventListener('scroll', place, true);
      element.removeEventListener('toggle', onToggle);
    };
  }, [isOpen, menu]);

  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={
          className ??
          (text === undefined ? 'button button-quiet button-icon button-small' : 'button button-small')
        }
        aria-label={text === undefined ? label : undefined}
        aria-haspopup={menu ? 'menu' : 'dialog'}
        aria-expanded={isOpen}
        title={text === undefined ? label : undefined}
        onClick={() => setOpen((open) => !open)}
      >
        {icon === undefined ? null : <Icon name={icon} />}
        {text}
      </button>
      {isOpen ? (
        <div
          ref={panel}
          popover="auto"
          className={menu ? 'popover' : 'popover popover-text'}
          role={menu ? 'menu' : 'dialog'}
          aria-label={label}
          tabIndex={-1}
          onKeyDown={(event) => {
            if (event.key === 'Escape') close();
            else if (menu) moveInMenu(event);
          }}
        >
          {children(close)}
        </div>
      ) : null}
    </>
  );
}

function moveInMenu(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)')];
  const at = items.findIndex((item) => item === document.activeElement);
  const step = event.key === 'ArrowDown' ? 1 : -1;
  items[(at + step + items.length) % items.length]?.focus();
}

export interface MenuEntry {
  readonly label: string;
  readonly icon: IconName;
  readonly danger?: boolean;
  /** Why it cannot be done now. */
  readonly disabled?: string | undefined;
  readonly to?: string;
  readonly search?: Readonly<Record<string, string>>;
  readonly onSelect?: () => void;
}

export function Menu({ label, entries }: { readonly label: string; readonly entries: readonly MenuEntry[] }) {
  return (
    <Popover label={label} icon="more" menu>
      {(close) =>
        entries.map((entry) => {
          const look = entry.danger === true ? 'menu-item menu-item-danger' : 'menu-item';
          return entry.to === undefined ? (
            <button
              key={entry.label}
              type="button"
              role="menuitem"
              className={look}
              disabled={entry.disabled !== undefined}
              title={entry.disabled}
              onClick={() => {
                close();
                entry.onSelect?.();
              }}
            >
              <Icon name={entry.icon} />
              {entry.label}
            </button>
          ) : (
            <Link
              key={entry.label}
              role="menuitem"
              className={look}
              to={entry.to}
              search={entry.search ?? {}}
            >
              <Icon name={entry.icon} />
              {entry.label}
            </Link>
          );
        })
      }
    </Popover>
  );
}
