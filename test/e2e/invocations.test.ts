/** Where the time of a request went, and what it is billed: over HTTP and the command line, through restarts of the roles. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { coldPhases, totalMs, waitedPhases } from '../../src/model/phases.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type Trace, traceSchema } from '../../src/wire/relay-calls.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { childrenOf, roleOf } from './role-processes.ts';

const main = join(packageFolder, 'src', 'cli', 'main.ts');
const slowInit = 'await new Promise((r) => setTimeout(r, 400)); export const handler = () => new Promise((r) => setTimeout(r, 20, 1));';

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());

function swiftlet(...args: string[]) {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(e2e.platform.apiUrl + path, { headers: { authorization: `Bearer ${e2e.platform.token}` } });
  return (await response.json()) as Record<string, unknown>;
}

/** The report of a request, as soon as it is there. */
async function traceOf(requestId: string): Promise<Trace> {
  const found = await eventually(
    () => get(`/v1/traces/${requestId}`),
    (answer) => answer['report'] !== undefined,
  );
  return traceSchema.parse(found);
}

const idOf = ({ headers }: { headers: Headers }): string => headers.get('x-swiftlet-request-id') ?? '';

interface UsageDay {
  readonly invocations: number;
  readonly coldStarts: number;
  readonly gbSeconds: number;
  readonly billedMs: number;
  readonly platformMs: number;
  readonly prepaidMs: number;
}

/** What a function used today, once it has so many invocations. */
async function usageOf(name: string, invocations: number): Promise<UsageDay> {
  const [day] = await eventually(
    async () => ((await get(`/v1/usage?function=${name}`))['usage'] ?? []) as UsageDay[],
    ([seen]) => seen?.invocations === invocations,
  );
  assert.ok(day !== undefined);
  return day;
}

test('a cold start from the pool: six phases that add up, what was prepaid apart, and a waterfall of it', async () => {
  await e2e.publish('traced', slowInit);
  const answer = await e2e.call('/traced/');
  const id = idOf(answer);
  const { report } = await traceOf(id);
  const { coldStart } = report;
  assert.ok(coldStart !== undefined);
  assert.deepEqual(new Set(coldStart.spans.map(({ phase }) => phase)), new Set(coldPhases));
  assert.equal(coldStart.causedBy, id);
  const waited = waitedPhases(coldStart.spans);
  assert.ok(waited.init >= 390 && report.billedMs >= 410, JSON.stringify(report));
  assert.ok(
    coldStart.prepaid.sandbox > 0 && coldStart.prepaid.runtime > 5 && coldStart.prepaid.code > 0,
    JSON.stringify(coldStart.prepaid),
  );
  assert.ok(waited.sandbox < coldStart.prepaid.runtime, 'a warm sandbox was taken');
  const handlerAt = report.queueMs + totalMs(waited);
  assert.ok(handlerAt + report.durationMs <= report.totalMs + 0.01, JSON.stringify(report));
  assert.ok(report.platformMs > 0 && report.platformMs <= report.totalMs - waited.init);
  const told = answer.headers.get('server-timing') ?? '';
  assert.match(told, new RegExp(`init;dur=${waited.init.toFixed(3)}, .*prepaid;dur=${totalMs(coldStart.prepaid).toFixed(3)}$`));

  const { status, stdout, stderr } = swiftlet('trace', id);
  assert.equal(status, 0, stderr);
  for (const phase of coldPhases) assert.match(stdout, new RegExp(`^${phase} +\\d`, 'm'));
  assert.match(stdout, /^init +[\d.]+ +4\d\d\.\d\d +█{20}/m);
  assert.match(swiftlet('trace', '--slow', 'traced').stdout, new RegExp(`${id} .* cold `));
  assert.match(swiftlet('describe', 'traced').stdout, /Starts: 0 warm, 1 cold\. Of the last cold one:/);
});

test('one that joins a start that another request caused says so, and is not billed for it', async () => {
  await e2e.publish('shared', slowInit, { concurrency: 10 });
  const first = e2e.call('/shared/');
  await eventually(
    () => e2e.platform.api.metrics(),
    (text) => /swiftlet_requests_waiting 1\b/.test(text),
  );
  const second = e2e.call('/shared/');
  const [one, two] = [idOf(await first), idOf(await second)];
  const [causing, joining] = [await traceOf(one), await traceOf(two)];
  assert.equal(joining.report.start, 'cold');
  assert.deepEqual([causing.report.coldStart?.causedBy, joining.report.coldStart?.causedBy], [one, one]);
  assert.equal(joining.report.coldStart?.instanceId, causing.report.coldStart?.instanceId);
  assert.ok((joining.report.coldStart?.spans[0]?.atMs ?? 0) < 0, 'the start had begun before it came');
  assert.ok(causing.report.billedMs > 400 && joining.report.billedMs < 390 && joining.report.platformMs === 0, JSON.stringify(joining));
  assert.match(swiftlet('trace', two).stdout, new RegExp(`the instance that request ${one} had started`));
  const { invocations, coldStarts, billedMs } = await usageOf('shared', 2);
  assert.deepEqual([invocations, coldStarts, billedMs], [2, 2, causing.report.billedMs + joining.report.billedMs]);
});

test('an empty pool: the boot is waited for, and nothing of it prepaid', async () => {
  await using empty = await openE2e({ poolSize: 0 });
  await empty.publish('boots', 'export const handler = () => 1;');
  await empty.call('/boots/');
  const report = await eventually(
    async () => (await empty.log('boots')).find(({ level }) => level === 'report'),
    (found) => found !== undefined,
  );
  const { coldStart } = traceSchema.parse(report).report;
  assert.ok(coldStart !== undefined);
  const waited = waitedPhases(coldStart.spans);
  assert.ok(waited.sandbox > 0 && waited.runtime > 5, JSON.stringify(waited));
  assert.deepEqual([coldStart.prepaid.sandbox, coldStart.prepaid.runtime], [0, 0]);
});

test('usage adds up, and outlives the roles and the function', async () => {
  await e2e.publish('used', 'export const handler = () => new Promise((r) => setTimeout(r, 10, 1));', { memoryMiB: 256 });
  for (let count = 0; count < 3; count++) await e2e.call('/used/');
  const first = await usageOf('used', 3);
  assert.deepEqual([first.invocations, first.coldStarts], [3, 1]);
  assert.ok(first.billedMs >= 30 && first.platformMs > 0 && first.prepaidMs > 5, JSON.stringify(first));
  assert.equal(first.gbSeconds, (first.billedMs / 1000) * (256 / 1024));

  // What was read is on disk: from here on a kill costs nothing.
  for (const name of ['relay', 'gateway', 'control']) {
    const pid = roleOf(e2e.platform.pid, name);
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => childrenOf(e2e.platform.pid).includes(pid),
      (there) => !there,
    );
  }
  await eventually(
    () =>
      Promise.all([`${e2e.platform.gatewayUrl}/_/health`, `${e2e.platform.apiUrl}/healthz`].map((url) => fetch(url))).then(
        (answers) => answers.every(({ ok }) => ok),
        () => false,
      ),
    Boolean,
  );
  assert.deepEqual(await usageOf('used', 3), first);
  await e2e.call('/used/');
  assert.ok((await usageOf('used', 4)).billedMs > first.billedMs);

  await e2e.platform.api.remove('used');
  assert.match(swiftlet('usage', 'used').stdout, /used +4 +1 +\d/);
  assert.match(swiftlet('usage').stdout, /used +4 /);
});
