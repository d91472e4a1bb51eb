/** What each kill -9 costs those who call a warm function all the while: the table of docs/architecture.md. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';
import { killRole } from './platform-processes.ts';
import { refused, type SteadyCallers, startCallers } from './steady-callers.ts';

const callers = 8;
/** Answers before and after a kill, so that it happens in the middle. */
const around = 500;
const backWithinMs = 30_000;
let e2e: E2e;
let callAll: () => SteadyCallers;
before(async () => {
  e2e = await openE2e();
  const code =
    'const born = Math.random(); export const handler = (e) => { const n = e.queryStringParameters.n; return n === "born" ? born : n + " of " + born; };';
  await e2e.publish('steady', code, { concurrency: 4, maximum: 2, idleMs: 600_000 });
  await e2e.publish('steady', `${code}\n// A second version.`, { concurrency: 100, idleMs: 600_000 });
  const born = (await e2e.call('/steady/?n=born')).text;
  // One instance answers all: it lives through every kill.
  callAll = () => startCallers(`${e2e.platform.gatewayUrl}/steady/`, callers, (number) => `"${number} of ${born}"`);
});
after(() => e2e[Symbol.asyncDispose]());

const more = async ({ calls }: SteadyCallers) => {
  const wanted = calls.length + around;
  await eventually(
    () => calls.length,
    (count) => count >= wanted,
  );
};

/** What control tells of functions and their versions. */
async function kept(): Promise<unknown> {
  const { apiUrl, token } = e2e.platform;
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${apiUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200);
    return response.json();
  };
  return [await get('/v1/functions'), await get('/v1/functions/steady/versions')];
}

for (const role of ['control', 'agent', 'relay', 'events']) {
  test(`${role}: no request fails, each is answered rightly, and functions and versions are intact`, async () => {
    const before = await kept();
    const callers = callAll();
    await more(callers);
    await killRole(e2e.platform, role);
    assert.deepEqual(await kept(), before);
    // The callers go on until the role has done its part for somebody new.
    await e2e.publish(`after-${role}`, 'export const handler = () => "new";');
    assert.equal((await e2e.call(`/after-${role}/`)).text, '"new"');
    await more(callers);
    await callers.stop();
    assert.deepEqual(
      callers.calls.filter(({ wrong }) => wrong !== undefined),
      [],
    );
  });
}

test('gateway: what is in flight breaks, and what comes is answered as soon as it is back', async () => {
  const before = await kept();
  const running = callAll();
  const { calls } = running;
  await more(running);
  const killedAt = performance.now();
  const back = killRole(e2e.platform, 'gateway');
  await eventually(() => calls.some(({ startedAt, wrong }) => startedAt > killedAt && wrong === undefined), Boolean);
  await back;
  await more(running);
  await running.stop();
  const firstAnswerAt = Math.min(
    ...calls.filter(({ startedAt, wrong }) => startedAt > killedAt && wrong === undefined).map((c) => c.endedAt),
  );
  assert.ok(firstAnswerAt - killedAt < backWithinMs, `the first answer came ${firstAnswerAt - killedAt} ms after the kill`);
  const broken = calls.filter(({ wrong }) => wrong !== undefined && wrong !== refused);
  for (const { wrong } of broken) assert.ok(['ECONNRESET', 'EPIPE', 'cut off'].includes(wrong ?? ''), String(wrong));
  assert.ok(broken.length <= callers, `${broken.length} requests of ${callers} callers broke`);
  const late = calls.filter(({ startedAt, wrong }) => wrong !== undefined && startedAt > firstAnswerAt);
  assert.deepEqual(late, []);
  assert.deepEqual(await kept(), before);
});

for (const [role, what] of [
  ['agent', 'its instances go on, and the next agent has them'],
  ['gateway', 'what was accepted is answered'],
] as const) {
  test(`${role}, SIGTERM: ${what}`, async () => {
    await e2e.publish('slowly', 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 200, "whole"));', {
      maximum: 8,
    });
    const running = startCallers(`${e2e.platform.gatewayUrl}/slowly/`, callers, () => '"whole"');
    const steady = callAll();
    const right = () => running.calls.filter(({ wrong }) => wrong === undefined).length;
    const moreRight = async () => {
      const wanted = right() + callers;
      await eventually(right, (count) => count >= wanted);
    };
    try {
      await moreRight();
      await killRole(e2e.platform, role, 'SIGTERM');
      await moreRight();
    } finally {
      await Promise.all([running.stop(), steady.stop()]);
    }
    // A gateway that is not there has accepted nothing.
    const failed = [...running.calls, ...steady.calls].filter(
      ({ wrong }) => wrong !== undefined && !(role === 'gateway' && wrong === refused),
    );
    assert.deepEqual(failed, []);
  });
}
