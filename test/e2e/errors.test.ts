/** What bad functions and bad requests get. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsMemoryLimit } from './needs.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());

const failures: [what: string, code: string, config: object, status: number, error: string][] = [
  ['throws', 'export const handler = () => { throw new TypeError("secret detail"); };', {}, 502, 'HandlerError'],
  ['rejects', 'export const handler = async () => { throw { not: "an error" }; };', {}, 502, 'HandlerError'],
  ['exits', 'export const handler = () => process.exit(3);', {}, 502, 'FunctionCrashed'],
  ['kills-itself', 'export const handler = () => process.kill(process.pid, "SIGKILL");', {}, 502, 'FunctionCrashed'],
  [
    'uncaught',
    'export const handler = () => new Promise(() => setImmediate(() => { throw new Error("loose"); }));',
    {},
    502,
    'HandlerError',
  ],
  ['bad-status', 'export const handler = () => ({ statusCode: 99 });', {}, 502, 'InvalidResponse'],
  [
    'bad-header',
    'export const handler = () => ({ statusCode: 200, headers: { a: "b\\r\\nset-cookie: x=y" } });',
    {},
    502,
    'InvalidResponse',
  ],
  ['circular', 'export const handler = () => { const a = {}; a.a = a; return a; };', {}, 502, 'InvalidResponse'],
  ['too-much', 'export const handler = () => "x".repeat(7 * 1024 * 1024);', {}, 502, 'ResponseTooLarge'],
  [
    'many-headers',
    'export const handler = () => ({ statusCode: 200, headers: Object.fromEntries(Array.from({ length: 100000 }, (_, i) => ["h" + i, "v"])) });',
    {},
    502,
    'ResponseTooLarge',
  ],
  ['init-throws', 'throw new Error("no start"); ', {}, 502, 'InitError'],
  ['init-exits', 'process.exit(1);', {}, 502, 'InitError'],
  [
    'init-hangs',
    'await new Promise(() => setInterval(() => {}, 1000)); export const handler = 1;',
    { initTimeoutMs: 300 },
    504,
    'InitTimeout',
  ],
  ['init-spins', 'for (;;);', { initTimeoutMs: 300 }, 504, 'InitTimeout'],
  [
    'heap-bomb',
    'export const handler = () => { const all = []; for (;;) all.push(new Array(1000).fill({ a: Math.random() })); };',
    { memoryMiB: 128 },
    502,
    'OutOfMemory',
  ],
];
/** They take memory that V8 does not count. */
const bombs: [what: string, code: string][] = [
  ['buffer-bomb', 'export const handler = () => { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)); };'],
  [
    'tmp-bomb',
    'import fs from "node:fs"; export const handler = () => { for (let i = 0; ; i++) fs.writeFileSync("/tmp/" + i, Buffer.alloc(1 << 20, 1)); };',
  ],
];

async function answersWithProblem(what: string, status: number, error: string): Promise<void> {
  const answer = await e2e.call(`/${what}/`);
  assert.deepEqual([answer.status, answer.json['code']], [status, error], answer.text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.json['requestId'], answer.headers.get('x-swiftlet-request-id'));
  assert.ok(!answer.text.includes('secret detail'));
}

for (const [what, code, config, status, error] of failures) {
  test(`${what}: ${status} ${error}`, async () => {
    await e2e.publish(what, code, config);
    await answersWithProblem(what, status, error);
  });
}
for (const [what, code] of bombs) {
  test(`${what}: 502 OutOfMemory`, { skip: needsMemoryLimit }, async () => {
    await e2e.publish(what, code, { memoryMiB: 128 });
    await answersWithProblem(what, 502, 'OutOfMemory');
  });
}

const limitMs = 500;
/** Never before it, and not so late that something else ended it; how exactly is the benchmark’s to say. */
const [earlyMs, lateMs] = [250, 5_000];
for (const [what, stays] of [
  ['waits', 'new Promise(() => setInterval(() => {}, 1000))'],
  ['spins', '(() => { for (;;); })()'],
] as const) {
  test(`${what} for longer than its time limit: 504 Timeout at the limit, and the next request is served`, async () => {
    const name = `never-${what}`;
    await e2e.publish(name, `process.on("SIGTERM", () => {}); export const handler = (e) => e.rawPath === "/fine" ? "fine" : ${stays};`, {
      timeoutMs: limitMs,
    });
    // The limit is the handler's: a cold start before it is not its time.
    assert.equal((await e2e.call(`/${name}/fine`)).text, '"fine"');
    const startedAt = performance.now();
    await answersWithProblem(name, 504, 'Timeout');
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= limitMs - earlyMs && tookMs <= limitMs + lateMs, `answered after ${tookMs} ms`);
    assert.equal((await e2e.call(`/${name}/fine`)).text, '"fine"');
  });
}

test('after each kind of failure the next request is served', async () => {
  const code =
    'export const handler = (e) => { if (e.rawPath === "/exit") process.exit(1); if (e.rawPath === "/spin") for (;;); if (e.rawPath === "/throw") throw new Error("x"); return "fine"; };';
  await e2e.publish('recovers', code, { timeoutMs: 300 });
  for (const [path, status] of [
    ['exit', 502],
    ['', 200],
    ['spin', 504],
    ['', 200],
    ['throw', 502],
    ['', 200],
  ] as const) {
    assert.equal((await e2e.call(`/recovers/${path}`)).status, status, path);
  }
});

test('a throw is in the log with type, message and stack', async () => {
  const answer = await e2e.call('/throws/');
  const id = answer.headers.get('x-swiftlet-request-id');
  const record = await eventually(
    () => e2e.log('throws'),
    (records) => records.some((r) => r['requestId'] === id && r['level'] === 'error'),
  );
  assert.match(
    String(record.find((r) => r['requestId'] === id && r['level'] === 'error')?.['message']),
    /TypeError: secret detail\n.*index\.mjs/s,
  );
});

test('an init that fails again and again is not tried for every request', async () => {
  await e2e.publish('crash-loop', 'console.log("tried"); throw new Error("never");');
  const answers = await Promise.all(Array.from({ length: 50 }, () => e2e.call('/crash-loop/')));
  for (let more = 0; more < 50; more++) answers.push(await e2e.call('/crash-loop/'));
  assert.deepEqual([...new Set(answers.map(({ json }) => json['code']))], ['InitError']);
  const tried = (await e2e.log('crash-loop')).filter((record) => record['message'] === 'tried').length;
  assert.ok(tried < 60, `${tried} starts for 100 requests`);
});

test('unknown function: 404; a path that is not canonical: 400', async () => {
  assert.deepEqual([(await e2e.call('/nobody/')).status, (await e2e.call('/__proto__/')).json['code']], [404, 'FunctionNotFound']);
  assert.equal((await e2e.call('/_/nothing')).json['code'], 'NotFound');
  assert.equal((await e2e.call('/a/%2e%2e%2fb')).json['code'], 'PathInvalid');
});

test('over the maximum: the queue is bounded, and has a deadline', async () => {
  const code = 'export const handler = (e) => e.rawPath === "/warm" ? "warm" : new Promise((r) => setTimeout(r, 1500, "done"));';
  await e2e.publish('busy', code, { maximum: 1, queueLength: 1, queueTimeoutMs: 400 });
  // A cold start may take longer than this queue waits.
  await eventually(
    () => e2e.call('/busy/warm'),
    ({ status }) => status === 200,
  );
  const first = e2e.call('/busy/');
  const inFlight = async () => Number(/^swiftlet_requests_in_flight (\d+)/m.exec(await e2e.platform.api.metrics())?.[1]);
  await eventually(inFlight, (count) => count === 1);
  const [second, third] = await Promise.all([e2e.call('/busy/'), e2e.call('/busy/')]);
  const answers = [second, third].toSorted((a, b) => a.status - b.status);
  assert.deepEqual(
    answers.map(({ status, json }) => [status, json['code']]),
    [
      [503, 'QueueFull'],
      [504, 'QueueTimeout'],
    ],
  );
  assert.ok(answers[0]?.headers.get('retry-after'));
  assert.equal((await first).text, '"done"');
});

test('callers that hang up leave nothing behind', async () => {
  await e2e.publish('waits', 'export const handler = () => new Promise((r) => setTimeout(r, 200, 1));', { concurrency: 50, maximum: 2 });
  await Promise.all(
    Array.from({ length: 100 }, async (_, at) =>
      fetch(`${e2e.platform.gatewayUrl}/waits/`, { signal: AbortSignal.timeout(20 + at) }).catch(() => undefined),
    ),
  );
  const inFlight = async () => Number(/^swiftlet_requests_in_flight (\d+)/m.exec(await e2e.platform.api.metrics())?.[1]);
  await eventually(inFlight, (count) => count === 0);
  assert.equal((await e2e.call('/waits/')).status, 200);
});

test('an event sent straight to a function needs the token', async () => {
  await e2e.publish('direct', 'export const handler = (event) => ({ ...event, seen: true });');
  const body = JSON.stringify({ a: 1 });
  assert.equal((await e2e.call('/_/invoke/direct', { method: 'POST', body })).status, 401);
  const answer = await e2e.call('/_/invoke/direct', { method: 'POST', body, headers: { authorization: `Bearer ${e2e.platform.token}` } });
  assert.deepEqual(answer.json, { a: 1, seen: true });
});
