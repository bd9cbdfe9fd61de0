import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '@portcullis/contract';

/** One cache for all pages. A refusal is an answer and not tried again; a gateway that is away is. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      refetchOnWindowFocus: true,
    },
  },
});
