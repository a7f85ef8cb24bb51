import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/setup-properties.ts', 'test/helpers/setup-files.ts'],
    // Loading the sources anew for each test file costs as much as a quarter of the tests. Files that
    // change a module for others put it back; what holds no state between files needs no wall.
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
