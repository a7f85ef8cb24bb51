import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Long searches: every crash of every scenario, whole stories in real processes and in a browser, every
 * block of the documents. `npm run test:campaign` runs them, and so does CI; `npm test` runs the rest, in
 * which each kind of check has its share.
 */
const campaign = [
  'test/crash/audit.test.ts',
  'test/crash/failure-coverage.test.ts',
  'test/crash/kill-everywhere.test.ts',
  'test/crash/many-stores.test.ts',
  'test/crash/power-failure.test.ts',
  'test/crash/public-writers.test.ts',
  'test/e2e/doc-blocks.test.ts',
  'test/e2e/failure-detection.test.ts',
  'test/e2e/field-scenario-commands.test.ts',
  'test/e2e/inspector-page.test.ts',
  'test/e2e/many-stores.test.ts',
  'test/e2e/orchestrator/*.test.ts',
  'test/e2e/reference.test.ts',
  'test/property/lab.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'essential',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...campaign],
        },
      },
      { extends: true, test: { name: 'campaign', include: campaign } },
    ],
    setupFiles: ['test/helpers/setup-properties.ts', 'test/helpers/setup-files.ts'],
    // Loading the sources anew for each test file costs as much as a quarter of the tests. Files that
    // change a module for others put it back; what holds no state between files needs no wall.
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
