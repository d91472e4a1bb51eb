/** `--isolation process`: functions run, unprotected, and it says so. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { processesOfSlots } from '../../src/agent/sandbox/remains.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { publishLayers } from './publish-layers.ts';
import { killRole, runFolderOf } from './platform-processes.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ isolation: 'process' });
});
const runFolder = () => runFolderOf(process.getuid?.() ?? 0, e2e.platform.home);
const sandboxed = () => processesOfSlots({ slotsFolder: `${runFolder()}/agent/slots`, uids: undefined }).length;

test('the warning cannot be overlooked, and the table claims nothing', async () => {
  const shown = await eventually(
    () => readFileSync(e2e.platform.logPath, 'utf8'),
    (text) => text.includes('Swiftlet runs.'),
  );
  assert.match(shown, /WARNING .*plain processes.*development only/i);
  assert.match(shown, /^namespaces +missing +off: Swiftlet was started with --isolation process/m);
  assert.doesNotMatch(shown, /in force/);
});

test('functions are called, cold and warm, with their own environment, and logged', async () => {
  const code =
    'export const handler = (e) => { console.log("at " + e.rawPath); return { word: process.env.WORD, token: process.env.SWIFTLET_HOME }; };';
  await e2e.publish('plain', code, { environment: { WORD: 'given' } });
  const first = await e2e.call('/plain/place');
  assert.deepEqual([first.json, first.headers.get('x-swiftlet-start')], [{ word: 'given' }, 'cold']);
  assert.equal((await e2e.call('/plain/')).headers.get('x-swiftlet-start'), 'warm');
  await eventually(
    () => e2e.log('plain'),
    (records) => records.some(({ message }) => message === 'at /place') && records.some(({ level }) => level === 'report'),
  );
});

test('layers are found by their variables, in a folder of the host', async () => {
  const layers = await publishLayers(e2e, { one: { 'nodejs/node_modules/greet/index.js': 'module.exports = 1;' }, two: { 'bin/x': '' } });
  const code = 'const greet = require("greet"); exports.handler = () => ({ greet, path: process.env.NODE_PATH });';
  await e2e.publish('layered', { 'index.cjs': code }, { layers });
  const { greet, path } = (await e2e.call('/layered/')).json;
  assert.equal(greet, 1);
  assert.match(String(path), /\/agent\/layers\/default\/[0-9a-f]{64}\/nodejs\/node_modules$/);
});

test('idle instances stay ready: nothing can be frozen here', async () => {
  await e2e.publish('rests', 'export const handler = () => 1;', { freezeMs: 0 });
  await e2e.call('/rests/');
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal((await e2e.call('/rests/')).headers.get('x-swiftlet-start'), 'warm');
});

const failures: [what: string, code: string, status: number, error: string][] = [
  ['throws', 'export const handler = () => { throw new Error("x"); };', 502, 'HandlerError'],
  ['exits', 'export const handler = () => process.exit(3);', 502, 'FunctionCrashed'],
  ['spins', 'process.on("SIGTERM", () => {}); export const handler = () => { for (;;); };', 504, 'Timeout'],
];
for (const [what, code, status, error] of failures) {
  test(`${what}: ${status} ${error}, and the next request is served`, async () => {
    await e2e.publish(what, `let calls = 0; ${code}`, { timeoutMs: 300 });
    for (let round = 0; round < 2; round++) {
      const answer = await e2e.call(`/${what}/`);
      assert.deepEqual([answer.status, answer.json['code']], [status, error], answer.text);
    }
  });
}

test('what a function started ends with it', async () => {
  await e2e.publish(
    'daemon',
    `import { spawn } from 'node:child_process'; export const handler = () => { spawn('/bin/sh', ['-c', '(sleep 600 &) ; sleep 600'], { detached: true, stdio: 'ignore' }).unref(); for (;;); };`,
    { timeoutMs: 300 },
  );
  await eventually(sandboxed, (count) => count >= 4);
  const before = sandboxed();
  assert.equal((await e2e.call('/daemon/')).json['code'], 'Timeout');
  // Its own process is replaced in the pool.
  await eventually(sandboxed, (count) => count <= before);
});

test('instances live on when the agent is killed', async () => {
  await e2e.publish('born', 'const born = Math.random(); export const handler = () => born;');
  const { text } = await e2e.call('/born/');
  await killRole(e2e.platform, 'agent');
  assert.equal((await e2e.call('/born/')).text, text);
});

test('a stop leaves no process and no run folder', async () => {
  const folder = runFolder();
  const slotsFolder = `${folder}/agent/slots`;
  assert.ok(sandboxed() > 0);
  await e2e[Symbol.asyncDispose]();
  assert.deepEqual(processesOfSlots({ slotsFolder, uids: undefined }), []);
  assert.ok(!existsSync(folder));
});
