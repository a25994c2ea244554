import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real engines, sockets and processes: a slow machine may need seconds where a fast one needs a tenth.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
