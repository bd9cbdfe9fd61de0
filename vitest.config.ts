import { defineConfig } from 'vitest/config';

// Vite's own defaults have to be repeated, because setting the list replaces it.
const conditions = ['portcullis-source', 'module', 'node', 'development|production'];

// Strict runs raise the sizes of the property tests, so they need more patience.
const strict = process.env['PORTCULLIS_TEST_STRICT'] === '1';

// Suites that measure labelled data exist only where somebody has the data (PORTCULLIS_DEV_DATA names their folder).
const measured = process.env['PORTCULLIS_DEV_DATA'] === undefined ? [] : ['packages/*/test/**/*.devdata.ts'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'e2e/**/*.test.ts', ...measured],
    // A crash in native or WebAssembly code then fails one file instead of the whole run.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: strict ? 120_000 : 20_000,
    hookTimeout: 60_000,
    unstubEnvs: true,
    restoreMocks: true,
  },
});
