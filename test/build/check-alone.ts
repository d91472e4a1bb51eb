/** Checks the bundle on its standard input, and prints what it throws and the milliseconds it took: in a process without the test runner's hooks. */
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { checkBundle } from '../../src/build/bundle.ts';
import { SwiftletError } from '../../src/model/errors.ts';

const archive = await buffer(process.stdin);
const startedAt = performance.now();
const error = await checkBundle(Readable.from([archive])).then(
  () => undefined,
  (thrown: unknown) => thrown,
);
const code = error instanceof SwiftletError ? error.code : undefined;
process.stdout.write(JSON.stringify({ code, message: String(error), tookMs: performance.now() - startedAt }));
