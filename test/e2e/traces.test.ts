/** Traces, from the gateway to a collector: one for each request, over functions that call each other. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';
import { attributesOf, openReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';

let receiver: OtlpReceiver;
let e2e: E2e;
before(async () => {
  receiver = await openReceiver();
  e2e = await openE2e({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    },
  });
});
after(async () => {
  await e2e[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const traceId = (digit: string) => digit.repeat(32);
const callerSpan = 'c'.repeat(16);
const isServer = ({ kind }: ReceivedSpan) => kind === 2;

/** The spans of a trace, once as many requests of it have ended. */
async function traced(id: string, requests = 1): Promise<readonly ReceivedSpan[]> {
  const seen = await eventually(
    () => receiver.spans.filter((span) => span.traceId === id),
    (spans) => spans.filter(isServer).length >= requests,
  );
  return seen.toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
}

const requestOf = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const found = spans.find((span) => isServer(span) && span.name === name);
  assert.ok(found, `a request of ${name}`);
  return found;
};
const childrenOf = (spans: readonly ReceivedSpan[], parent: ReceivedSpan) => spans.filter((span) => span.parentSpanId === parent.spanId);

test('a cold request is one trace with its caller: route, queue, each phase and the handler, whose span the function sees', async () => {
  await e2e.publish(
    'traced',
    'export const handler = (event, context) => ({ header: event.headers.traceparent, own: context.traceparent });',
  );
  const id = traceId('a');
  const { json, headers } = await e2e.call('/traced/path?secret=1', { headers: { traceparent: `00-${id}-${callerSpan}-01` } });
  const spans = await traced(id);
  const request = requestOf(spans, 'traced');
  assert.equal(request.parentSpanId, callerSpan);
  const children = childrenOf(spans, request);
  assert.deepEqual(
    new Set(children.map(({ name }) => name)),
    new Set(['route', 'queue', 'sandbox', 'environment', 'code', 'network', 'runtime', 'init', 'handler']),
  );
  assert.equal(spans.length, children.length + 1, 'nothing else is in it');
  for (const { name, startTimeUnixNano, endTimeUnixNano } of children) {
    assert.ok(BigInt(startTimeUnixNano) >= BigInt(request.startTimeUnixNano), `${name} begins within the request`);
    assert.ok(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano), name);
    assert.ok(BigInt(endTimeUnixNano) <= BigInt(request.endTimeUnixNano) + 1_000_000n, `${name} ends within the request`);
  }
  const handler = children.find(({ name }) => name === 'handler');
  assert.equal(json['header'], `00-${id}-${handler?.spanId}-01`);
  assert.equal(json['own'], json['header']);
  const told = attributesOf(request);
  assert.equal(told['faas.invocation_id'], headers.get('x-swiftlet-request-id'));
  assert.equal(told['faas.coldstart'], true);
  assert.equal(told['url.path'], '/path', 'without what may be secret');
  assert.equal(told['swiftlet.outcome'], 'ok');
  assert.ok(receiver.resources.every((resource) => resource['deployment.environment.name'] === 'test'));

  const warm = traceId('b');
  await e2e.call('/traced/', { headers: { traceparent: `00-${warm}-${callerSpan}-01` } });
  const warmSpans = await traced(warm);
  const names = childrenOf(warmSpans, requestOf(warmSpans, 'traced')).map(({ name }) => name);
  assert.deepEqual(new Set(names), new Set(['route', 'queue', 'handler']));
});

test('what a function calls, and what it sends without waiting, goes on in its trace', async () => {
  await e2e.publish('called', 'export const handler = (event, context) => context.traceparent;');
  await e2e.publish(
    'calling',
    "export const handler = async (event, context) => { await context.invoke('called', {}, { async: true }); return { called: await context.invoke('called', {}) }; };",
    { calls: ['called'] },
  );
  const id = traceId('d');
  const { json } = await e2e.call('/calling/', { headers: { traceparent: `00-${id}-${callerSpan}-01` } });
  const spans = await traced(id, 3);
  const handler = childrenOf(spans, requestOf(spans, 'calling')).find(({ name }) => name === 'handler');
  const called = spans.filter((span) => isServer(span) && span.name === 'called');
  assert.deepEqual(
    called.map(({ parentSpanId }) => parentSpanId),
    [handler?.spanId, handler?.spanId],
  );
  const own = called.map((span) => childrenOf(spans, span).find(({ name }) => name === 'handler')?.spanId);
  assert.ok(
    own.some((spanId) => json['called'] === `00-${id}-${spanId}-01`),
    'an event has no headers, and its context tells the trace',
  );
});

test('a start that fails tells how far it came: in the trace, in the report, in the answer', async () => {
  await e2e.publish('failing', "await new Promise((resolve) => setTimeout(resolve, 20)); throw new Error('no');");
  const id = traceId('e');
  const answer = await e2e.call('/failing/', { headers: { traceparent: `00-${id}-${callerSpan}-01` } });
  assert.equal(answer.headers.get('x-swiftlet-error'), 'InitError');
  assert.match(answer.headers.get('server-timing') ?? '', /init;dur=[1-9]/);
  const spans = await traced(id);
  const request = requestOf(spans, 'failing');
  assert.deepEqual(request.status, { code: 2, message: 'InitError' });
  const children = childrenOf(spans, request).map(({ name }) => name);
  assert.ok(children.includes('sandbox') && children.includes('init') && !children.includes('handler'), String(children));
  const records = await eventually(
    () => e2e.log('failing'),
    (seen) => seen.some(({ level }) => level === 'report'),
  );
  const { report } = records.find(({ level }) => level === 'report') as {
    report: { start: string; billedMs: number; coldStart: { spans: { phase: string; ms: number }[] } };
  };
  assert.equal(report.start, 'cold');
  assert.equal(report.billedMs, 0, 'an instance that never was is paid by nobody');
  assert.ok((report.coldStart.spans.find(({ phase }) => phase === 'init')?.ms ?? 0) >= 20);
});

test('a trace that its caller does not record is not exported, and the function sees that', async () => {
  const id = traceId('f');
  const { json } = await e2e.call('/traced/', { headers: { traceparent: `00-${id}-${callerSpan}-00` } });
  assert.match(String(json['header']), new RegExp(`^00-${id}-[0-9a-f]{16}-00$`));
  // What comes after it on the same way is there, so that it would be, too.
  const next = traceId('9');
  await e2e.call('/traced/', { headers: { traceparent: `00-${next}-${callerSpan}-01` } });
  await traced(next);
  assert.ok(receiver.spans.every((span) => span.traceId !== id));
});
