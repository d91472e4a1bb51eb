/** Runs the tests: `npm test [-- files…]`. In CI a test that skips fails the run: a machine that cannot show something has not shown it. */
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const files = process.argv.length > 2 ? process.argv.slice(2) : globSync('test/**/*.test.ts').sort();
const isCi = process.env['CI'] === 'true';
const fileLimitMs = 240_000;
let failed = 0;
let skipped = 0;

// One file at a time: integration tests measure limits, and neighbours on two processors would shift them.
const stream = run({ files, concurrency: 1, timeout: fileLimitMs, execArgv: ['--disable-warning=ExperimentalWarning'] });
stream.on('test:fail', ({ todo }) => {
  if (todo === undefined) failed += 1;
});
stream.on('test:pass', ({ skip, name }) => {
  if (skip === undefined) return;
  skipped += 1;
  if (isCi) process.stderr.write(`skipped in CI: ${name}: ${String(skip)}\n`);
});
stream.on('end', () => {
  if (failed > 0 || (isCi && skipped > 0)) process.exitCode = 1;
});
stream.compose(spec).pipe(process.stdout);
