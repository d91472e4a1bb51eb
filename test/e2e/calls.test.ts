/** Functions that call each other by context.invoke(), through the real gateway, from inside real sandboxes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { frame } from '../../src/wire/instance-protocol.ts';
import { type E2e, eventually, openE2e } from './functions.ts';

const calls = `const told = ({ code, status, message }) => ({ code, status, message });
export const handler = async ({ to, event, async: isAsync, times = 1 }, context) =>
  Promise.all(Array.from({ length: times }, () => context.invoke(to, event, { async: isAsync }).catch(told)));`;
const doubles =
  'export const handler = ({ n }, context) => ({ doubled: 2 * n, leftMs: context.getRemainingTimeInMillis(), trace: context.traceparent });';
/** The same in Python. */
const pythonCalls = `import asyncio
async def handler(event, context):
    async def one():
        try:
            return await context.invoke(event["to"], event.get("event"), wait=not event.get("async"))
        except Exception as error:
            return {"code": error.code, "status": error.status, "message": str(error)}
    return await asyncio.gather(*(one() for _ in range(event.get("times", 1))))`;
const pythonDoubles = `def handler(event, context):
    return {"doubled": 2 * event["n"], "leftMs": context.get_remaining_time_in_millis(), "trace": context.traceparent}`;

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
  await e2e.publish('doubles', doubles);
  await e2e.publish('secret', 'export const handler = () => "secret";');
  await e2e.publish(
    'slow',
    `export const handler = (event, context) => new Promise((resolve) => {
    console.log('began');
    context.signal.addEventListener('abort', () => { console.log('aborted'); resolve(); });
  });`,
  );
  const settings = { calls: ['doubles', 'py-doubles', 'slow', 'gone'], timeoutMs: 5_000, concurrency: 10 };
  await e2e.publish('calls', calls, settings);
  await publishPython('py-calls', pythonCalls, settings);
  await publishPython('py-doubles', pythonDoubles);
});
after(() => e2e[Symbol.asyncDispose]());

type Config = Parameters<E2e['publish']>[2];
const publishPython = (name: string, code: string, config: Config = {}) =>
  e2e.publish(name, { 'index.py': code }, { runtime: 'python3', handler: 'index.handler', ...config });

const headers = () => ({ authorization: `Bearer ${e2e.platform.token}` });
/** As a caller in the middle of a trace has it. */
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
async function invoke(name: string, event: object) {
  return e2e.call(`/_/invoke/${name}`, { method: 'POST', body: JSON.stringify(event), headers: { ...headers(), traceparent } });
}
async function resultsOf(name: string, event: object): Promise<Record<string, unknown>[]> {
  const { status, text } = await invoke(name, event);
  assert.equal(status, 200, text);
  return JSON.parse(text) as Record<string, unknown>[];
}
type LogRecord = Awaited<ReturnType<E2e['log']>>[number];
const callerIn = (report: unknown) => (report as { caller?: { function: string; requestId: string } } | undefined)?.caller;
/** What the first report of a function that fits says of its caller. */
async function callerOf(name: string, fits: (record: LogRecord) => boolean) {
  const record = await eventually(
    async () => (await e2e.log(name)).find((one) => one.level === 'report' && fits(one)),
    (found) => found !== undefined,
  );
  const caller = callerIn(record?.['report']);
  assert.ok(caller !== undefined);
  return caller;
}
async function control(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${e2e.platform.apiUrl}${path}`, { headers: headers() })).json()) as Record<string, unknown>;
}

for (const caller of ['calls', 'py-calls']) {
  test(`${caller}: a function gets what another one returns, within the time that it has left itself, and in its trace`, async () => {
    for (const to of ['doubles', 'py-doubles']) {
      const [result] = await resultsOf(caller, { to, event: { n: 21 } });
      assert.equal(result?.['doubled'], 42);
      assert.equal(result['trace'], traceparent);
      assert.ok(Number(result['leftMs']) > 1_000 && Number(result['leftMs']) <= 5_000, JSON.stringify(result));
    }
  });

  test(`${caller}: it may call what it is granted and nothing else, whether that exists or not`, async () => {
    for (const to of ['secret', 'nobody', '../calls', caller])
      assert.equal((await resultsOf(caller, { to }))[0]?.['code'], 'CallForbidden', to);
    const [gone] = await resultsOf(caller, { to: 'gone' });
    assert.deepEqual([gone?.['code'], gone?.['status']], ['FunctionNotFound', 404]);
    const [forbidden] = await resultsOf(caller, { to: 'secret' });
    assert.match(String(forbidden?.['message']), new RegExp(`"calls" of "${caller}" in swiftlet\\.yaml`));
  });

  test(`${caller}: an event that nobody waits for is stored, and delivered`, async () => {
    const [accepted] = await resultsOf(caller, { to: 'doubles', event: { n: 4 }, async: true });
    const id = String(accepted?.['id']);
    const event = await eventually(
      () => control(`/v1/events/${id}`),
      ({ state }) => state === 'succeeded',
    );
    assert.match((event['result'] as { body: string }).body, /"doubled":8/);
    assert.equal((await callerOf('doubles', ({ requestId }) => requestId === id)).function, caller);
  });

  test(`${caller}: many calls of one invocation all come back`, async () => {
    const results = await resultsOf(caller, { to: 'doubles', event: { n: 1 }, times: 40 });
    assert.ok(results.length === 40 && results.every(({ doubled }) => doubled === 2), JSON.stringify(results.slice(0, 3)));
  });

  test(`${caller}: a called function’s report says which request called it`, async () => {
    const { headers: answered } = await invoke(caller, { to: 'py-doubles', event: { n: 1 } });
    const requestId = answered.get('x-swiftlet-request-id');
    const found = await callerOf('py-doubles', ({ report }) => callerIn(report)?.requestId === requestId);
    assert.equal(found.function, caller);
  });
}

test('when the caller’s time is over, what it called learns that nobody waits any more', async () => {
  const answers = await Promise.all(['calls', 'py-calls'].map(async (caller) => invoke(caller, { to: 'slow' })));
  for (const { status, json } of answers) assert.deepEqual([status, json['code']], [504, 'Timeout']);
  await eventually(
    async () => (await e2e.log('slow')).filter(({ message }) => message === 'aborted').length,
    (count) => count === answers.length,
  );
});

test('functions that call each other are stopped, waiting or not, whatever they send', async () => {
  const chain = (to: string, isAsync: boolean) => `export const handler = async (event, context) => {
    console.log('ran');
    try { return await context.invoke('${to}', { hops: 0, depth: (event.depth ?? 0) + 1 }, { async: ${isAsync} }); }
    catch (error) { return { code: error.code, depth: event.depth ?? 0 }; }
  };`;
  await e2e.publish('ping', chain('pong', false), { calls: ['pong'], maximum: 20 });
  await e2e.publish('pong', chain('ping', false), { calls: ['ping'], maximum: 20 });
  const { json } = await invoke('ping', {});
  assert.deepEqual([json['code'], json['depth']], ['RecursionStopped', 16]);
  await e2e.publish('echoes', chain('echoes', true), { calls: ['echoes'] });
  await invoke('echoes', {});
  const letters = await eventually(
    async () => (await control('/v1/dead-letters?function=echoes'))['events'] as { reason: string }[],
    ({ length }) => length === 1,
  );
  assert.equal(letters[0]?.reason, 'recursion');
  const runs = async () => (await e2e.log('echoes')).filter(({ message }) => message === 'ran').length;
  assert.equal(await eventually(runs, (count) => count >= 17), 17);
});

test('frames of its own making reach neither what it is not granted nor the invocations of others', async () => {
  // It finds its connections and says on all of them, and for every stream there may be, that it calls.
  const forges = `import fs from 'node:fs';
    const isSocket = (fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; } };
    const call = (stream, name, number) => {
      const payload = Buffer.concat([Buffer.from([0, 0, 0, number, 0, name.length]), Buffer.from(name), Buffer.from('{}')]);
      const head = Buffer.alloc(9);
      head.writeUInt32BE(payload.length, 0); head[4] = ${frame.call}; head.writeUInt32BE(stream, 5);
      return Buffer.concat([head, payload]);
    };
    export const handler = async () => {
      const sockets = fs.readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 3 && isSocket(fd));
      for (const fd of sockets)
        for (let stream = 0; stream < 200; stream++)
          for (const name of ['secret', 'doubles', '']) try { fs.writeSync(fd, call(stream, name, 9)); } catch {}
      await new Promise((resolve) => setTimeout(resolve, 100));
      return 'forged';
    };`;
  await e2e.publish('forges', forges);
  const secretRuns = async () => (await e2e.log('secret')).length;
  const before = await secretRuns();
  await invoke('forges', {});
  const [still] = await resultsOf('calls', { to: 'doubles', event: { n: 3 } });
  assert.equal(still?.['doubled'], 6);
  assert.equal(await secretRuns(), before);
  const { calls: edges } = (await control('/v1/functions/forges/calls')) as { calls: { callee: string; outcome: string }[] };
  assert.ok(
    edges.every(({ callee, outcome }) => callee === '(not granted)' && outcome === 'CallForbidden'),
    JSON.stringify(edges),
  );
});

test('who called whom is counted, and told by the API, the command line and the metrics', async () => {
  const { calls: edges } = (await control('/v1/functions/doubles/calls')) as { calls: { caller: string; kind: string; outcome: string }[] };
  for (const made of ['calls', 'py-calls'])
    for (const by of ['sync', 'async'])
      assert.ok(
        edges.some(({ caller, kind, outcome }) => caller === made && kind === by && outcome === 'ok'),
        JSON.stringify(edges),
      );
  const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl };
  const described = execFileSync(process.execPath, [cli, 'describe', 'calls'], { env, encoding: 'utf8' });
  assert.match(described, /may call +doubles, py-doubles, slow, gone/);
  assert.match(described, /calls +doubles +async +ok +1/);
  const metrics = await (await fetch(`${e2e.platform.apiUrl}/metrics?role=gateway`, { headers: headers() })).text();
  assert.match(metrics, /swiftlet_function_calls_total\{[^}]*function="calls",callee="doubles",kind="async",outcome="ok"\} 1/);
});
