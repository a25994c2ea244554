import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: process.env['BRAIN2_TEST_STORE'] === 'dynamodb' ? ['test/support/dynamo-setup.ts'] : [],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real engines, sockets and processes: a slow machine may need seconds where a fast one needs a tenth.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Threads and processes find what was compiled before. Else each strips the types of all its modules anew, with
    // WebAssembly, of whose code V8 loses count now and then in a process of many threads, and ends it (nodejs/node#64500).
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/brain2', import.meta.url)) },
  },
});
