/** Runs the tests: `npm test [-- files…]`. In CI a test that skips fails the run: a machine that cannot show something has not shown it. */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { spec, type TestEvent } from 'node:test/reporters';
import { prepareBrokers } from '../test/brokers/prepare.ts';
import { prepareRuntimeClients } from '../test/programs/runtime-clients.ts';
import { prepareJavaFunctions } from '../test/programs/java-functions.ts';
import { inOrder, mayShare, needsBrokers, needsJava, needsRuntimeClients } from './test-order.ts';
import { type FileResult, runTestFile } from './test-file.ts';

const files = process.argv.length > 2 ? process.argv.slice(2) : globSync('test/**/*.test.ts').sort();
const isCi = process.env['CI'] === 'true';
/** For the test of this script. */
const fileLimitMs = Number(process.env['SWIFTLET_TEST_FILE_LIMIT_MS'] ?? 480_000);
/** As many as CI has processors. */
const sharing = 2;
const slowestShown = 20;

// Each file, and each platform that it starts, finds compiled what the one before it has compiled.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '..', 'node_modules', '.cache', 'tests');

const results: (FileResult & { readonly file: string })[] = [];
const reporter = new spec();
reporter.pipe(process.stdout);

/** Runs test files. @param lanes how many at once; what several say is shown file by file */
async function runFiles(paths: readonly string[], lanes: number): Promise<void> {
  const waiting = [...paths];
  const lane = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const said: TestEvent[] = [];
      const hear = (event: TestEvent) => (lanes === 1 ? reporter.write(event) : said.push(event));
      const result = await runTestFile(path, fileLimitMs, hear);
      for (const event of said) reporter.write(event);
      results.push({ file: relative(process.cwd(), path), ...result });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

if (files.some(needsBrokers)) await prepareBrokers();
if (files.some(needsRuntimeClients)) await prepareRuntimeClients();
if (files.some(needsJava)) await prepareJavaFunctions();
await runFiles(inOrder(files.filter(mayShare)), sharing);
// One file at a time: what measures the host, or keeps it busy.
await runFiles(
  files.filter((path) => !mayShare(path)),
  1,
);
reporter.end();
await finished(reporter);

const sum = (count: (result: FileResult) => number): number => results.reduce((all, result) => all + count(result), 0);
const [failed, skipped] = [sum((result) => result.failed), results.flatMap((result) => result.skipped)];
process.stdout.write(`${sum(({ tests }) => tests)} tests in ${results.length} files, ${failed} failed, ${skipped.length} skipped\n`);
if (isCi) for (const what of skipped) process.stdout.write(`skipped in CI: ${what}\n`);
process.stdout.write('the slowest files:\n');
for (const { file, tookMs } of results.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, slowestShown))
  process.stdout.write(`${(tookMs / 1_000).toFixed(1).padStart(7)} s  ${file}\n`);
if (failed > 0 || (isCi && skipped.length > 0)) process.exitCode = 1;
