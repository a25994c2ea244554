#!/usr/bin/env node
// Nothing is imported before the version is known: an older Node cannot even parse some of it.
const NEEDED = 24;
const [major = '0'] = process.versions.node.split('.');

if (Number(major) < NEEDED) {
  process.stderr.write(
    `brain2: Node ${NEEDED} or newer is needed, this is ${process.version}. ` +
      'Run it as `npx brain2` in the clone, which brings its own, or install one from https://nodejs.org\n',
  );
  process.exitCode = 1;
} else {
  // What Node has compiled is kept, which halves the time of a start. Not in the shared temporary folder, where others
  // could put something in its place. Threads look for it in the environment.
  const { enableCompileCache } = await import('node:module');
  const { homedir } = await import('node:os');
  enableCompileCache((process.env['NODE_COMPILE_CACHE'] ??= `${homedir()}/.cache/brain2`));
  const { run } = await import('./run.ts');
  process.exitCode = await run(process.argv.slice(2));
}
