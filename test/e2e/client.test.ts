/** @swiftlet/client as its users get it: from the packed tarball, with its types, against a platform. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type * as Package from '../../packages/client/src/client.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type E2e, eventually, openE2e } from './functions.ts';

interface Functions {
  doubles: { event: { n: number }; result: { doubled: number } };
  throws: { event: object; result: never };
  streams: { event: object; result: never };
}

const folder = mkdtempSync(join(tmpdir(), 'swiftlet-client-'));
const installed = join(folder, 'node_modules', '@swiftlet', 'client');
const tsc = join(packageFolder, 'node_modules', '.bin', 'tsc');

let e2e: E2e;
let swiftlet: Package.SwiftletClient<Functions>;
before(async () => {
  // A copy, so that the build does not write into the checkout; beside what it is built with.
  const source = join(folder, 'packages', 'client');
  cpSync(join(packageFolder, 'packages', 'client'), source, { recursive: true, filter: (path) => !path.endsWith('/dist') });
  cpSync(join(packageFolder, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  const env = { ...process.env, PATH: `${join(packageFolder, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` };
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: source, env, stdio: 'ignore' });
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', join(folder, 'swiftlet-client-0.1.0.tgz'), '-C', installed, '--strip-components=1']);
  const { SwiftletClient } = (await import(pathToFileURL(join(installed, 'dist', 'client.js')).href)) as typeof Package;
  e2e = await openE2e();
  swiftlet = new SwiftletClient<Functions>({ url: `${e2e.platform.gatewayUrl}/`, token: e2e.platform.token });
  await e2e.publish('doubles', 'export const handler = ({ n }) => ({ doubled: 2 * n });');
  await e2e.publish('throws', 'export const handler = () => { throw new Error("never"); };', { async: { retries: 0 } });
  await e2e.publish(
    'streams',
    `export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
      context.signal.addEventListener('abort', () => console.log('aborted'));
      for (let n = 0; n < (event.lines ?? 3) && !context.signal.aborted; n++) {
        stream.write('line ' + n + '\\n');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      stream.end();
    });`,
  );
});
after(async () => {
  await e2e[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const failsWith = (code: string) => (error: Package.InvocationError) => String(error).startsWith('InvocationError') && error.code === code;

test('its types hold for those who use it', () => {
  const consumer = (line: string) => `import { SwiftletClient } from '@swiftlet/client';
    interface Functions { doubles: { event: { n: number }; result: { doubled: number } } }
    const swiftlet = new SwiftletClient<Functions>({ url: '', token: '' });
    ${line}\n`;
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom'], types: [] };
  const check = (name: string, line: string) => {
    writeFileSync(join(folder, `${name}.mts`), consumer(line));
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.mts`] }));
    execFileSync(tsc, ['-p', `${name}.json`], { cwd: folder, encoding: 'utf8' });
  };
  check('right', 'export const n: number = (await swiftlet.invoke("doubles", { n: 1 })).doubled;');
  const wrong = () => check('wrong', 'export const n: string = (await swiftlet.invoke("double", { n: "1" })).doubled;');
  assert.throws(wrong, ({ stdout }: { stdout: string }) => stdout.includes('TS2345'));
});

test('invoke: what the function returns, or its error', async () => {
  assert.deepEqual(await swiftlet.invoke('doubles', { n: 21 }), { doubled: 42 });
  await assert.rejects(swiftlet.invoke('throws', {}), (error: Package.InvocationError) => {
    assert.match(error.requestId, /^[0-9a-f-]{36}$/);
    return failsWith('HandlerError')(error) && error.status === 502 && error.message.includes('threw Error');
  });
  await assert.rejects(swiftlet.invoke('nobody' as 'doubles', { n: 1 }), failsWith('FunctionNotFound'));
  await assert.rejects(swiftlet.invoke('doubles', { n: 1 }, { signal: AbortSignal.abort(new Error('mine')) }), /mine/);
});

test('async: stored once however often it is sent, and what became of it', async () => {
  const first = await swiftlet.invokeAsync('doubles', { n: 4 }, { idempotencyKey: 'k' });
  assert.deepEqual(await swiftlet.invokeAsync('doubles', { n: 4 }, { idempotencyKey: 'k' }), first);
  const ended = await swiftlet.ended(first.id, { everyMs: 20 });
  assert.deepEqual([ended.state, JSON.parse(ended.result?.body ?? '')], ['succeeded', { doubled: 8 }]);
  const dead = await swiftlet.ended((await swiftlet.invokeAsync('throws', {})).id, { everyMs: 20 });
  assert.deepEqual([dead.state, dead.error?.code], ['dead-lettered', 'HandlerError']);
  await assert.rejects(swiftlet.event('0196b0f2-0000-7000-8000-000000000000'), failsWith('EventNotFound'));
});

test('async: an answer that is lost is asked for again with the same key', async () => {
  const { SwiftletClient } = (await import(pathToFileURL(join(installed, 'dist', 'client.js')).href)) as typeof Package;
  const keys: unknown[] = [];
  const losing: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    keys.push(new Headers(init?.headers).get('idempotency-key'));
    if (keys.length < 3) throw new TypeError('the connection broke');
    return response;
  };
  const unlucky = new SwiftletClient<Functions>({ url: e2e.platform.gatewayUrl, token: e2e.platform.token, fetch: losing });
  const { id } = await unlucky.invokeAsync('doubles', { n: 1 });
  assert.deepEqual([keys.length, new Set(keys).size], [3, 1]);
  assert.equal((await swiftlet.ended(id, { everyMs: 20 })).attempts, 1);
  keys.length = 0;
  assert.equal((await unlucky.ended(id, { everyMs: 20 })).state, 'succeeded');
  assert.equal(keys.length, 3);
  keys.length = 0;
  await assert.rejects(unlucky.invoke('doubles', { n: 1 }), failsWith('Unreachable'));
});

test('stream: the bytes as they come; to read no further tells the function', async () => {
  const chunks: string[] = [];
  for await (const bytes of await swiftlet.stream('streams', {})) chunks.push(Buffer.from(bytes).toString());
  assert.equal(chunks.join(''), 'line 0\nline 1\nline 2\n');
  assert.ok(chunks.length > 1, 'it came in one piece');
  const endless = await swiftlet.stream('streams', { lines: 1_000 });
  for await (const bytes of endless) if (bytes.length > 0) break;
  await eventually(
    async () => (await e2e.log('streams')).map(({ message }) => message),
    (lines) => lines.includes('aborted'),
  );
});
