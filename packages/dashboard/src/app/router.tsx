import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
} from '@tanstack/react-router';
import { ErrorNotice, Skeleton } from '../ui/feedback.tsx';
import { Page } from '../ui/layout.tsx';
import { NotFound } from './not-found.tsx';
import { PAGES } from './pages.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: () => <Navigate to="/policies" replace />,
});

const pages = PAGES.map(({ path, load }) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(load),
    pendingComponent: () => <Skeleton lines={6} />,
    errorComponent: ({ error, reset }) => (
      <Page title="This page failed">
        <ErrorNotice error={error} title="The page could not be shown" onRetry={reset} />
      </Page>
    ),
  }),
);

/** Parameters of the address are plain texts: what is typed is what is read. */
export const router = createRouter({
  routeTree: root.addChildren([home, ...pages]),
  basepath: '/ui',
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const given = Object.entries(search as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
    );
    const text = new URLSearchParams(given).toString();
    return text === '' ? '' : `?${text}`;
  },
  defaultPreload: 'intent',
  scrollRestoration: true,
});
