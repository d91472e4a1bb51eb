/** Every form a handler may have, through HTTP, in real sandboxes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type E2e, openE2e } from './functions.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());

const event = '({ got: event.rawPath, name: event.queryStringParameters?.name, id: context.awsRequestId })';
const forms: [what: string, files: Record<string, string>, handler?: string][] = [
  ['async', { 'index.mjs': `export const handler = async (event, context) => ${event};` }],
  ['sync', { 'index.mjs': `export const handler = (event, context) => ${event};` }],
  ['callback', { 'index.cjs': `exports.handler = (event, context, callback) => setImmediate(callback, null, ${event});` }],
  ['commonjs-function', { 'index.js': `module.exports = async (event, context) => ${event};` }],
  [
    'typescript',
    {
      'index.ts': `interface E { rawPath: string; queryStringParameters?: Record<string, string> }\nexport default async (event: E, context: { awsRequestId: string }): Promise<object> => ${event};`,
    },
  ],
  [
    'top-level-await',
    { 'index.mjs': `const wait = await new Promise((r) => setTimeout(r, 5, 1)); export const handler = (event, context) => ${event};` },
  ],
  ['named', { 'src/app.mjs': `export const run = (event, context) => ${event};` }, 'src/app.run'],
  [
    'imports-map',
    {
      'package.json': '{"type":"module","imports":{"#shape":"./lib/shape.js"}}',
      'lib/shape.js': `export default (event, context) => ${event};`,
      'index.js': `import shape from '#shape'; export const handler = (event, context) => shape(event, context);`,
    },
  ],
  [
    'fetch',
    {
      'index.mjs': `export default { fetch(request) { const url = new URL(request.url); return Response.json({ got: url.pathname, name: url.searchParams.get('name'), id: request.headers.get('x-id') ?? 'x' }); } };`,
    },
  ],
];
for (const [what, files, handler] of forms) {
  test(`a handler: ${what}`, async () => {
    await e2e.publish(what, files, handler === undefined ? {} : { handler });
    const answer = await e2e.call(`/${what}/a/b?name=you`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual({ got: answer.json['got'], name: answer.json['name'] }, { got: '/a/b', name: 'you' });
    assert.equal(answer.headers.get('x-swiftlet-start'), 'cold');
    assert.equal(answer.headers.get('x-swiftlet-version'), '1');
    assert.match(
      answer.headers.get('server-timing') ?? '',
      /^queue;dur=[\d.]+, sandbox;dur=[\d.]+, code;dur=[\d.]+, environment;dur=[\d.]+, network;dur=[\d.]+, runtime;dur=[\d.]+, init;dur=[\d.]+, handler;dur=[\d.]+, prepaid;dur=[\d.]+$/,
    );
    const again = await e2e.call(`/${what}/`);
    assert.equal(again.headers.get('x-swiftlet-start'), 'warm');
  });
}

for (const runtime of ['nodejs22', 'nodejs24', 'nodejs26'] as const) {
  test(`runtime ${runtime}`, async () => {
    await e2e.publish(runtime, 'export const handler = () => process.version;', { runtime });
    assert.ok((await e2e.call(`/${runtime}/`)).text.includes(`v${runtime.slice(6)}.`));
  });
}

test('method, headers, query, cookies and binary bodies reach the function, and come back', async () => {
  await e2e.publish(
    'mirror',
    'export const handler = (e) => ({ statusCode: 201, headers: { "x-method": e.requestContext.http.method, "x-a": e.headers["x-a"], "content-type": "application/octet-stream" }, cookies: ["a=1; Path=/", "b=2"], body: e.body, isBase64Encoded: true });',
  );
  const bytes = new Uint8Array(256).map((_, at) => at);
  const response = await fetch(`${e2e.platform.gatewayUrl}/mirror/`, {
    method: 'PUT',
    body: bytes,
    headers: { 'x-a': 'ü'.normalize('NFC').slice(0, 0) + 'value', 'content-type': 'application/octet-stream' },
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('x-method'), 'PUT');
  assert.equal(response.headers.get('x-a'), 'value');
  assert.deepEqual(response.headers.getSetCookie(), ['a=1; Path=/', 'b=2']);
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
});

test('bodies stream in both directions', async () => {
  await e2e.publish(
    'echo',
    'export default { fetch: (request) => new Response(request.body, { headers: { "content-type": "text/plain" } }) };',
  );
  const size = 5 * 1024 * 1024;
  const sent = Buffer.alloc(size, 'streamed ');
  const response = await fetch(`${e2e.platform.gatewayUrl}/echo/`, { method: 'POST', body: new Blob([sent]).stream(), duplex: 'half' });
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(sent));
});

test('long answers at once, taken fast and slowly, whole and in pieces: every byte is right', async () => {
  // Numbers of four bytes, each one more than the one before, in pieces of every length.
  const code = `export default { fetch(request) {
    const query = new URL(request.url).searchParams;
    let [next, left] = [Number(query.get('from')), Number(query.get('bytes'))];
    return new Response(new ReadableStream({ pull(controller) {
      const piece = new Uint32Array(Math.min(left, 4 * (1 + (next * 7919) % 50_000)) / 4).map(() => next++);
      left -= piece.byteLength;
      if (piece.length > 0) controller.enqueue(new Uint8Array(piece.buffer));
      if (left === 0) controller.close();
    } }));
  } };`;
  await e2e.publish('counts', code, { concurrency: 8, maximum: 2 });
  const bytes = 20_000_000;
  const check = async (from: number, pauseMs: number) => {
    const { body } = await fetch(`${e2e.platform.gatewayUrl}/counts/?from=${from}&bytes=${bytes}`);
    const pieces: Uint8Array[] = [];
    for await (const piece of body ?? []) {
      if (pieces.push(piece as Uint8Array) % 5 === 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    const all = Buffer.concat(pieces);
    assert.equal(all.length, bytes);
    for (let at = 0; at < bytes / 4; at++) if (all.readUInt32LE(at * 4) !== from + at) assert.fail(`byte ${at * 4} of ${from} is wrong`);
  };
  await Promise.all([check(0, 0), check(1e9, 0), check(2e9, 5), check(3e9, 20)]);
});

test('the first bytes of an answer do not wait for the last', async () => {
  await e2e.publish(
    'ticks',
    `let goOn;
    const gone = new Promise((resolve) => { goOn = resolve; });
    const ticks = async function* () { yield "first"; await gone; yield "last"; };
    export default { fetch: ({ url }) => new Response(url.endsWith("/go") ? goOn() : ReadableStream.from(ticks()).pipeThrough(new TextEncoderStream())) };`,
    { concurrency: 2, maximum: 1 },
  );
  const response = await fetch(`${e2e.platform.gatewayUrl}/ticks/`);
  const reader = (response.body ?? new ReadableStream()).getReader();
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'first');
  await e2e.call('/ticks/go');
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'last');
});

test('a Lambda response stream', async () => {
  await e2e.publish(
    'lambda-stream',
    'globalThis.awslambda = globalThis.awslambda || {}; export const handler = awslambda.streamifyResponse(async (event, stream) => { stream = awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { "x-a": "b" } }); stream.write("one "); stream.end("two"); });',
  );
  const answer = await e2e.call('/lambda-stream/');
  assert.deepEqual([answer.status, answer.headers.get('x-a'), answer.text], [202, 'b', 'one two']);
});

test('output becomes records with the request’s id, and every invocation a report', async () => {
  await e2e.publish(
    'talks',
    'console.log("at init"); export const handler = (e, c) => { console.warn("careful", { a: 1 }); process.stdout.write("raw\\n"); console.log("a\\nb"); return c.awsRequestId; };',
  );
  const answer = await e2e.call('/talks/');
  const id = answer.headers.get('x-swiftlet-request-id');
  const deadline = performance.now() + 5_000;
  let records = await e2e.log('talks');
  while (!records.some((record) => record['level'] === 'report') && performance.now() < deadline) records = await e2e.log('talks');
  const lines = records.map(({ level, message, requestId }) => [level, message, requestId]);
  assert.deepEqual(lines.slice(0, 4), [
    ['info', 'at init', undefined],
    ['warn', 'careful { a: 1 }', id],
    ['info', 'raw', id],
    ['info', 'a\nb', id],
  ]);
  const report = records.find((record) => record['level'] === 'report')?.['report'] as Record<string, unknown>;
  assert.equal(report['outcome'], 'ok');
  assert.equal(report['start'], 'cold');
  for (const field of ['durationMs', 'totalMs', 'billedMs', 'platformMs', 'queueMs', 'memoryUsedMiB', 'initMs'])
    assert.equal(typeof report[field], 'number', field);
});

test('concurrency: one instance takes several requests at once when it is told to', async () => {
  const code =
    'let n = 0, most = 0; export const handler = async () => { most = Math.max(most, ++n); await new Promise((r) => setTimeout(r, 100)); n--; return { most, pid: globalThis.id ??= Math.random() }; };';
  await e2e.publish('several', code, { concurrency: 10, maximum: 1 });
  await e2e.publish('single', code, { maximum: 5 });
  const several = await Promise.all(Array.from({ length: 10 }, () => e2e.call('/several/')));
  assert.equal(new Set(several.map(({ json }) => json['pid'])).size, 1);
  assert.ok(Math.max(...several.map(({ json }) => Number(json['most']))) > 5);
  const single = await Promise.all(Array.from({ length: 10 }, () => e2e.call('/single/')));
  assert.deepEqual([...new Set(single.map(({ json }) => json['most']))], [1]);
  assert.ok(new Set(single.map(({ json }) => json['pid'])).size <= 5);
});

test('a new version serves from the next request on, and an instance ends after its idle time', async () => {
  await e2e.publish('changes', 'export const handler = () => 1;', { idleMs: 300 });
  assert.equal((await e2e.call('/changes/')).text, '1');
  await e2e.publish('changes', 'export const handler = () => 2;', { idleMs: 300 });
  const second = await e2e.call('/changes/');
  assert.deepEqual([second.text, second.headers.get('x-swiftlet-version')], ['2', '2']);
  const deadline = performance.now() + 3_000;
  while ((await e2e.platform.api.instances('changes')).length > 0) assert.ok(performance.now() < deadline, 'the idle instance lives on');
});

test('a minimum is kept without traffic', async () => {
  await e2e.publish('kept', 'export const handler = () => 1;', { minimum: 2, idleMs: 100 });
  const deadline = performance.now() + 5_000;
  while ((await e2e.platform.api.instances('kept')).length < 2) assert.ok(performance.now() < deadline, 'the minimum was not started');
  assert.equal((await e2e.call('/kept/')).headers.get('x-swiftlet-start'), 'provisioned');
  await e2e.platform.api.remove('kept');
});
