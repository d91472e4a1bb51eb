/** A request's stretches, and their way to a collector. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { openTracing } from '../../src/gateway/tracing/otlp-tracing.ts';
import { stretchesOf, type TimedRequest } from '../../src/gateway/tracing/stretches.ts';
import type { Exchange } from '../../src/gateway/request/exchange.ts';
import { waitFor } from '../../src/gateway/instances/waited-start.ts';
import { noPhases } from '../../src/model/phases.ts';
import { openReceiver } from '../e2e/otlp-receiver.ts';

const warm: TimedRequest = { arrivedAt: 101, queueMs: 2, dispatchedAt: 103, handlerMs: 5, waitedStart: undefined };
const shortly = (request: TimedRequest, now: number) =>
  stretchesOf(request, 100, now).map(({ name, fromMs, toMs }) => `${name} ${fromMs}-${toMs}`);
const start = {
  instanceId: 'i',
  causedBy: 'r',
  isPaid: false,
  times: {
    spans: [
      { phase: 'sandbox', atMs: 0, ms: 3 },
      { phase: 'code', atMs: 3, ms: 4 },
      { phase: 'init', atMs: 7, ms: 5 },
    ],
    prepaid: noPhases,
  },
} as const;

test('a request is its way in, its wait and its handler', () => {
  assert.deepEqual(shortly(warm, 120), ['route 100-101', 'queue 101-103', 'handler 103-108']);
  assert.deepEqual(shortly({ ...warm, handlerMs: 0 }, 120).at(-1), 'handler 103-120', 'one that never ended');
  assert.deepEqual(shortly({ ...warm, dispatchedAt: 0 }, 103), ['route 100-101', 'queue 101-103'], 'one that no instance took');
});

test('of a start that another request caused there is what this one waited for', () => {
  const waitedStart = waitFor({ ...start, isPaid: false }, 7);
  assert.deepEqual(shortly({ ...warm, queueMs: 0, dispatchedAt: 108, waitedStart }, 120), [
    'route 100-101',
    'queue 101-101',
    'code 101-103',
    'init 103-108',
    'handler 108-113',
  ]);
});

const exchange = (headers: Record<string, string>) =>
  ({
    ...warm,
    id: 'id',
    target: '/',
    start: 'warm',
    origin: {},
    served: { version: { tenant: 'default', function: 'traced', number: 1 } },
    request: { method: 'GET', headers, rawHeaders: Object.entries(headers).flat() } as unknown as IncomingMessage,
    response: { statusCode: 200 } as unknown as ServerResponse,
  }) as unknown as Exchange;

test('protobuf goes out as it is due, and what a full queue does not take is dropped', async (t) => {
  await using receiver = await openReceiver();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
  t.after(() => Reflect.deleteProperty(process.env, 'OTEL_EXPORTER_OTLP_ENDPOINT'));
  const tracing = openTracing({
    protocol: 'http/protobuf',
    sampler: { asksParent: true, ratio: 1 },
    queue: { spans: 8, batch: 4, everyMs: 60_000, limitMs: 1_000 },
  });
  const now = performance.now();
  const traceId = 'ab'.repeat(16);
  for (let i = 0; i < 20; i++) {
    const one = exchange({ Traceparent: `00-${traceId}-${'1'.repeat(16)}-01`, traceparent: `00-${traceId}-${'1'.repeat(16)}-01` });
    tracing.begin(one, now).end(one, 'ok', now + 1);
    assert.equal(one.request.rawHeaders.length, 2, 'the caller’s own line is gone, however it was written');
    assert.match(String(one.request.headers['traceparent']), new RegExp(`^00-${traceId}-(?!1{16})[0-9a-f]{16}-01$`));
  }
  await tracing[Symbol.asyncDispose]();
  assert.ok(receiver.bodies.length > 0 && receiver.bodies.every(({ type }) => type === 'application/x-protobuf'));
  const found = receiver.bodies.reduce((sum, { bytes }) => sum + bytes.toString('hex').split(traceId).length - 1, 0);
  assert.ok(found >= 8 && found <= 16, `${found} of 80 spans: what the queue held, and a batch that was under way`);
});

test('a collector that is away holds nothing up', async (t) => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:9';
  t.after(() => Reflect.deleteProperty(process.env, 'OTEL_EXPORTER_OTLP_ENDPOINT'));
  const tracing = openTracing({
    protocol: 'http/json',
    sampler: { asksParent: false, ratio: 1 },
    queue: { spans: 8, batch: 4, everyMs: 10, limitMs: 500 },
  });
  const one = exchange({});
  tracing.begin(one, performance.now()).end(one, 'ok', performance.now());
  const beganAt = performance.now();
  await tracing[Symbol.asyncDispose]();
  assert.ok(performance.now() - beganAt < 5_000);
});
