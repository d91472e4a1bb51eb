/** trace, usage and the starts of describe, against a platform that only pretends. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { noPhases } from '../../src/model/phases.ts';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { fakeRequestId, sendJson, sendProblem } from './fake-platform.ts';

let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
  await mkdir(join(cli.folder, 'hello'));
  await writeFile(join(cli.folder, 'hello', 'index.mjs'), 'export const handler = () => 1;');
  await cli.swiftlet('deploy', 'hello');
});
after(() => cli[Symbol.asyncDispose]());

const other = '0196b0f2-aaaa-7bbb-8ccc-000000000002';
const traced = {
  function: 'hello',
  requestId: fakeRequestId,
  time: '2026-01-02T03:04:05.000Z',
  version: 3,
  report: {
    outcome: 'ok',
    start: 'cold',
    totalMs: 20,
    durationMs: 6,
    billedMs: 9,
    platformMs: 5.5,
    queueMs: 1,
    memoryUsedMiB: 30,
    initMs: 3,
    coldStart: {
      instanceId: 'i',
      causedBy: other,
      spans: [
        { phase: 'sandbox', atMs: -1, ms: 4 },
        { phase: 'init', atMs: 3, ms: 3 },
      ],
      prepaid: { ...noPhases, sandbox: 12.25 },
    },
  },
};

test('trace shows a request as a waterfall, what was prepaid, and who started its instance', async () => {
  const path = `GET /v1/traces/${fakeRequestId}`;
  cli.platform.answer(path, (response) => sendJson(response, traced));
  const { code, stdout, stderr } = await cli.swiftlet('trace', fakeRequestId);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^hello version 3, request ${fakeRequestId}, ended 2026-01-02T03:04:05.000Z\n`));
  assert.match(stdout, /ok, cold start, 20 ms in all; billed 9 ms, the platform's 5\.5 ms/);
  assert.match(stdout, new RegExp(`the instance that request ${other} had started`));
  assert.match(stdout, /queue +0\.00 +1\.00 +[█▏]/);
  assert.match(stdout, /sandbox +-1\.00 +4\.00 +12\.25 +░+█+/);
  assert.match(stdout, /init +3\.00 +3\.00 +█+/);
  assert.match(stdout, /handler +7\.00 +6\.00 +█+/);
  cli.platform.answer(path, (response) => sendJson(response, traced));
  assert.deepEqual(JSON.parse((await cli.swiftlet('trace', fakeRequestId, '--function', 'hello', '--json')).stdout), traced);
});

test('trace --slow lists a function’s slowest', async () => {
  cli.platform.answer('GET /v1/functions/hello/traces', (response) => sendJson(response, { traces: [traced] }));
  const { code, stdout, stderr } = await cli.swiftlet('trace', '--slow', 'hello');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /REQUEST +ENDED +START +TOTAL ms/);
  assert.match(stdout, new RegExp(`${fakeRequestId} +2026-01-02T03:04:05\\.000Z +cold +20\\.00 +1\\.00 +6\\.00 +6\\.00 +ok`));
  cli.platform.answer('GET /v1/functions/hello/traces', (response) => sendJson(response, { traces: [] }));
  assert.match((await cli.swiftlet('trace', '--slow', 'hello')).stdout, /No requests of hello are kept yet/);
});

test('trace wants a request or a function, and says what is not kept', async () => {
  for (const args of [['trace'], ['trace', fakeRequestId, '--slow', 'hello']]) {
    const { code, stderr } = await cli.swiftlet(...args);
    assert.equal(code, 2);
    assert.match(stderr, /name one request by its id, or a function with --slow/);
  }
  cli.platform.answer(`GET /v1/traces/${fakeRequestId}`, (response) => sendProblem(response, 'NotFound', 'not kept'));
  assert.equal((await cli.swiftlet('trace', fakeRequestId)).code, 3);
  assert.equal((await cli.swiftlet('trace', '--slow', 'hello', '-n', '0')).code, 2);
});

const day = {
  function: 'hello',
  day: '2026-01-02',
  invocations: 10,
  coldStarts: 2,
  thawed: 3,
  awakened: 0,
  provisioned: 1,
  gbSeconds: 1.25,
  billedMs: 2_500,
  platformMs: 12.5,
  prepaidMs: 60,
};

test('usage is a table by function and day', async () => {
  cli.platform.answer('GET /v1/usage', (response) => sendJson(response, { usage: [day], complete: false }));
  const { code, stdout, stderr } = await cli.swiftlet('usage', 'hello', '--days', '7');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /DAY +FUNCTION +INVOCATIONS +COLD +THAWED +AWAKENED +PROVISIONED +GB-SECONDS +BILLED s +PLATFORM s +PREPAID s/);
  assert.match(stdout, /2026-01-02 +hello +10 +2 +3 +0 +1 +1\.250 +2\.500 +0\.013 +0\.060/);
  assert.match(stdout, /There are more/);
  cli.platform.answer('GET /v1/usage', (response) => sendJson(response, { usage: [day], complete: true }));
  assert.deepEqual(JSON.parse((await cli.swiftlet('usage', '--json')).stdout), [day]);
  cli.platform.answer('GET /v1/usage', (response) => sendJson(response, { usage: [], complete: true }));
  assert.match((await cli.swiftlet('usage', 'nobody')).stdout, /No invocations of nobody in the last 30 days/);
  assert.equal((await cli.swiftlet('usage', '--days', '401')).code, 2);
});

test('describe tells how starts went, and does without when the relay is away', async () => {
  const of = (p50Ms: number) => ({ p50Ms, p95Ms: p50Ms + 1 });
  const recent = { count: 12, waited: of(8), phases: [{ phase: 'init', waited: of(3), prepaid: of(0) }] };
  const starts = { warm: 40, thawed: 3, awakened: 0, provisioned: 0, cold: 12, recent };
  cli.platform.answer('GET /v1/functions/hello/starts', (response) => sendJson(response, starts));
  const { stdout } = await cli.swiftlet('describe', 'hello');
  assert.match(stdout, /Starts: 40 warm, 3 thawed, 12 cold\. Of the last 12 cold ones:\n/);
  assert.match(stdout, /init +3\.00 +4\.00 +0\.00 +1\.00[^]*together +8\.00 +9\.00/);
  cli.platform.answer('GET /v1/functions/hello/starts', (response) => sendProblem(response, 'Unavailable', 'away'));
  const without = await cli.swiftlet('describe', 'hello');
  assert.equal(without.code, 0);
  assert.match(without.stdout, /How its starts went is not known: the relay is away/);
});
