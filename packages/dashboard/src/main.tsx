import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queries } from './api/query-client.ts';
import { SessionProvider } from './api/session.tsx';
import { ConflictProvider } from './api/write.tsx';
import { router } from './app/router.tsx';
import './ui/base.css';
import './ui/kit.css';
import './app/shell.css';
import { ToastProvider } from './ui/toast.tsx';

const root = document.querySelector('#root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SessionProvider>
        <ToastProvider>
          <ConflictProvider>
            <RouterProvider router={router} />
          </ConflictProvider>
        </ToastProvider>
      </SessionProvider>
    </QueryClientProvider>
  </StrictMode>,
);
