/** Traces, starts and usage in the API, with a relay that answers from tables. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { noPhases } from '../../src/model/phases.ts';
import { assertProblem, startUnderTest } from './control-under-test.ts';

const record = (requestId: string, totalMs: number, initMs?: number) =>
  JSON.stringify({
    time: '2026-01-02T03:04:05.000Z',
    level: 'report',
    requestId,
    version: 1,
    message: 'ok',
    report: {
      outcome: 'ok',
      start: initMs === undefined ? 'warm' : 'cold',
      totalMs,
      durationMs: 1,
      billedMs: 1,
      platformMs: 0,
      queueMs: 0,
      memoryUsedMiB: 30,
      ...(initMs === undefined
        ? {}
        : {
            initMs,
            coldStart: {
              instanceId: 'i',
              causedBy: requestId,
              spans: [{ phase: 'init', atMs: 0, ms: initMs }],
              prepaid: { ...noPhases, runtime: 25 },
            },
          }),
    },
  });
const usageOf = (name: string, day: string) => ({
  function: name,
  day,
  warm: 4,
  thawed: 3,
  awakened: 0,
  provisioned: 1,
  cold: 2,
  billedMs: 2_000,
  mebibyteMs: 2_000 * 512,
  platformMs: 12.5,
  prepaidMs: 60,
});

async function withFunction(t: TestContext) {
  const control = await startUnderTest(t);
  await control.put('/v1/functions/hello', { digest: await control.bundle() });
  return control;
}

describe('traces in the API', () => {
  it('has one request, with what its start was made of', async (t) => {
    const control = await withFunction(t);
    const id = randomUUID();
    control.roles.found = { function: 'hello', line: record(id, 12, 7) };
    const { status, json } = await control.call(`/v1/traces/${id}`);
    assert.deepEqual([status, json['function'], json['requestId'], json['version']], [200, 'hello', id, 1]);
    const report = json['report'] as { coldStart: { spans: unknown[]; prepaid: { runtime: number } } };
    assert.deepEqual([report.coldStart.spans, report.coldStart.prepaid.runtime], [[{ phase: 'init', atMs: 0, ms: 7 }], 25]);
  });

  it('says so when a request is not kept, or is no id', async (t) => {
    const control = await withFunction(t);
    assertProblem(await control.call(`/v1/traces/${randomUUID()}`), 404, 'NotFound', /only the last requests, cold starts and the slowest/);
    assertProblem(await control.call('/v1/traces/abc'), 400, 'BadRequest', /requestId: a request’s id is a UUID/);
    await control.roles.stop('relay');
    assertProblem(await control.call(`/v1/traces/${randomUUID()}`), 503, 'Unavailable');
  });

  it('lists the newest, and the slowest of those that are kept in either place', async (t) => {
    const control = await withFunction(t);
    control.roles.lines.push(
      record('a', 5),
      '{"time":"t","level":"info","message":"level report"}',
      record('b', 9),
      'no JSON "level":"report"',
    );
    control.roles.kept.push(record('b', 9), record('c', 7));
    const idsOf = async (query: string) =>
      ((await control.call(`/v1/functions/hello/traces${query}`)).json['traces'] as { requestId: string }[]).map(
        ({ requestId }) => requestId,
      );
    assert.deepEqual(await idsOf(''), ['b', 'a']);
    assert.deepEqual(await idsOf('?order=slowest&limit=2'), ['b', 'c']);
    assertProblem(await control.call('/v1/functions/nobody/traces'), 404, 'FunctionNotFound');
    assertProblem(await control.call('/v1/functions/hello/traces?order=first'), 400, 'BadRequest', /order/);
  });

  it('sums up how starts went', async (t) => {
    const control = await withFunction(t);
    control.roles.usage = [usageOf('hello', '2026-01-02'), usageOf('hello', '2026-01-01')];
    control.roles.kept.push(record('a', 5), record('b', 9, 4), record('c', 9, 6));
    const { json } = await control.call('/v1/functions/hello/starts');
    assert.deepEqual([json['warm'], json['thawed'], json['provisioned'], json['cold']], [8, 6, 2, 4]);
    const recent = json['recent'] as { count: number; waited: unknown; phases: { phase: string; prepaid: unknown }[] };
    assert.deepEqual([recent.count, recent.waited], [2, { p50Ms: 4, p95Ms: 6 }]);
    assert.deepEqual(recent.phases.find(({ phase }) => phase === 'runtime')?.prepaid, { p50Ms: 25, p95Ms: 25 });
    assertProblem(await control.call('/v1/functions/nobody/starts'), 404, 'FunctionNotFound');
  });
});

describe('usage in the API', () => {
  it('is told by function and day', async (t) => {
    const control = await withFunction(t);
    control.roles.usage = [usageOf('hello', '2026-01-02')];
    const { json } = await control.call('/v1/usage?function=hello&days=1');
    assert.deepEqual(json, {
      usage: [
        {
          function: 'hello',
          day: '2026-01-02',
          invocations: 10,
          coldStarts: 2,
          thawed: 3,
          awakened: 0,
          provisioned: 1,
          gbSeconds: 1,
          billedMs: 2_000,
          platformMs: 12.5,
          prepaidMs: 60,
        },
      ],
      complete: true,
    });
    const today = new Date().toISOString().slice(0, 10);
    assert.deepEqual(control.roles.usageAsked, [{ tenant: 'default', function: 'hello', from: today, limit: 1_001 }]);
  });

  it('says when there is more, and what it does not understand', async (t) => {
    const control = await withFunction(t);
    control.roles.usage = [usageOf('a', '2026-01-02'), usageOf('b', '2026-01-02')];
    const { json } = await control.call('/v1/usage?limit=1');
    assert.deepEqual([(json['usage'] as unknown[]).length, json['complete']], [1, false]);
    for (const query of ['days=0', 'days=401', 'limit=0', 'function=n.o'])
      assertProblem(await control.call(`/v1/usage?${query}`), 400, 'BadRequest');
    assertProblem(await control.call('/v1/usage', { token: null }), 401, 'Unauthorized');
  });
});
