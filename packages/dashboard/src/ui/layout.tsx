import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { Icon } from './icon.tsx';

/** One page: its title is also the tab's. */
export function Page({
  title,
  lead,
  parent,
  badges,
  actions,
  children,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly parent?: { readonly to: string; readonly label: string };
  readonly badges?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Portcullis`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          {parent === undefined ? null : (
            <nav className="crumbs" aria-label="Breadcrumb">
              <Link to={parent.to}>{parent.label}</Link>
              <Icon name="right" />
            </nav>
          )}
          <div className="row">
            <h1>{title}</h1>
            {badges}
          </div>
          {lead === undefined ? null : <p>{lead}</p>}
        </div>
        {actions === undefined ? null : <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({
  title,
  actions,
  flush = false,
  children,
}: {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  /** Without padding, for tables. */
  readonly flush?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <section className="card">
      {title === undefined && actions === undefined ? null : (
        <header className="card-head">
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {flush ? children : <div className="card-body">{children}</div>}
    </section>
  );
}

/** Names and values, one below the other. */
export function Facts({ items }: { readonly items: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {items.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Tabs are links, so that each has an address. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  readonly label: string;
  readonly tabs: readonly {
    readonly id: string;
    readonly label: ReactNode;
    readonly to: string;
    readonly search?: Readonly<Record<string, string>>;
  }[];
  readonly current: string;
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.id}
          to={tab.to}
          search={tab.search ?? {}}
          aria-current={tab.id === current ? 'page' : undefined}
          activeProps={{}}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}

/** A list of names, cut after some with the rest behind "+N". */
export function Names({
  names,
  tone,
  most = 4,
  none = '–',
}: {
  readonly names: readonly string[];
  readonly tone?: 'add' | 'remove';
  readonly most?: number;
  readonly none?: string;
}) {
  if (names.length === 0) return <span className="muted">{none}</span>;
  const rest = names.slice(most);
  return (
    <span className="row-tight">
      {names.slice(0, most).map((name) => (
        <span key={name} className={tone === undefined ? 'chip' : `chip chip-${tone}`}>
          {name}
        </span>
      ))}
      {rest.length === 0 ? null : (
        <span className="badge" title={rest.join(', ')}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}
