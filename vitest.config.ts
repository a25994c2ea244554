import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: process.env['BRAIN2_TEST_STORE'] === 'dynamodb' ? ['test/support/dynamo-setup.ts'] : [],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real engines, sockets and processes: a slow machine may need seconds where a fast one needs a tenth.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
  },
});
