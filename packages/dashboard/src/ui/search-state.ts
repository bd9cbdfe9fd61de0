import { useLocation, useNavigate, useParams } from '@tanstack/react-router';
import { useCallback } from 'react';

export type SearchState = Readonly<Record<string, string | undefined>>;

/** The parameters of the address, and how to change some of them. `undefined` takes one away. */
export function useSearchState(): readonly [
  SearchState,
  (change: SearchState, options?: { readonly push?: boolean }) => void,
] {
  const search = useLocation({ select: (location) => location.search as SearchState });
  const navigate = useNavigate();
  const change = useCallback(
    (changes: SearchState, { push = false }: { readonly push?: boolean } = {}) => {
      void navigate({
        to: '.',
        search: (before: SearchState) => without({ ...before, ...changes }),
        replace: !push,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}

function without(search: SearchState): Record<string, string> {
  return Object.fromEntries(
    Object.entries(search).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
}

/** A parameter of the path, for example `$name`; empty when the path has none of that name. */
export function useParam(name: string): string {
  const params = useParams({ strict: false }) as Readonly<Record<string, string | undefined>>;
  return params[name] ?? '';
}
