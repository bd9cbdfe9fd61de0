import type { ComponentType } from 'react';
import type { Role, Session } from '../api/session.tsx';
import type { IconName } from '../ui/icon.tsx';

/** Where a page stands in the navigation and in the command palette. */
export interface NavEntry {
  readonly section: 'Protect' | 'Observe' | 'Access';
  readonly label: string;
  readonly icon: IconName;
  /** Pressed after `g`, it goes there. */
  readonly key?: string;
  /** Who sees it; everybody when not given. The gateway decides in any case. */
  readonly roles?: readonly Role[];
}

export interface PageEntry {
  /** Below `/ui`; parameters as `$name`. */
  readonly path: string;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
  readonly nav?: NavEntry;
}

const ADMINS: readonly Role[] = ['proxy_admin', 'proxy_admin_viewer'];

/** Every page. A new one is one more entry; its code is loaded when somebody goes there. */
export const PAGES: readonly PageEntry[] = [
  {
    path: '/policies',
    load: async () => ({ default: (await import('../features/policies/list-page.tsx')).PolicyListPage }),
    nav: { section: 'Protect', label: 'Policies', icon: 'policies', key: 'p', roles: ADMINS },
  },
  {
    path: '/policies/new',
    load: async () => ({ default: (await import('../features/policies/edit-page.tsx')).NewPolicyPage }),
  },
  {
    path: '/policies/$name',
    load: async () => ({ default: (await import('../features/policies/detail-page.tsx')).PolicyDetailPage }),
  },
  {
    path: '/policies/$name/edit',
    load: async () => ({ default: (await import('../features/policies/edit-page.tsx')).EditPolicyPage }),
  },
  {
    path: '/policies/$name/flow',
    load: async () => ({ default: (await import('../features/flow/page.tsx')).FlowPage }),
  },
  {
    path: '/attachments',
    load: async () => ({
      default: (await import('../features/attachments/list-page.tsx')).AttachmentListPage,
    }),
    nav: { section: 'Protect', label: 'Attachments', icon: 'attachments', key: 'a', roles: ADMINS },
  },
  {
    path: '/attachments/new',
    load: async () => ({
      default: (await import('../features/attachments/edit-page.tsx')).NewAttachmentPage,
    }),
  },
  {
    path: '/attachments/$id',
    load: async () => ({
      default: (await import('../features/attachments/edit-page.tsx')).EditAttachmentPage,
    }),
  },
  {
    path: '/simulator',
    load: async () => ({ default: (await import('../features/simulator/page.tsx')).SimulatorPage }),
    nav: { section: 'Protect', label: 'Simulator', icon: 'simulator', key: 's', roles: ADMINS },
  },
];

/** The pages somebody of this role is shown. */
export function pagesFor({
  user_role: role,
}: Session): readonly { readonly path: string; readonly nav: NavEntry }[] {
  return PAGES.flatMap(({ path, nav }) =>
    nav === undefined || (nav.roles !== undefined && !nav.roles.includes(role)) ? [] : [{ path, nav }],
  );
}
