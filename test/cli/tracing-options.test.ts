/** OpenTelemetry's variables, as they switch the export of traces on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upOptions } from '../../src/cli/up/options.ts';

const tracingOf = (environment: NodeJS.ProcessEnv) => upOptions({ SWIFTLET_HOME: '/tmp/none', ...environment }).tracing;
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const queue = { spans: 2_048, batch: 512, everyMs: 5_000, limitMs: 30_000 };

test('traces are exported where somebody says where to, and not when he says that they are not', () => {
  assert.equal(tracingOf({}), undefined);
  assert.equal(tracingOf({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }), undefined);
  assert.equal(tracingOf({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }), undefined);
  assert.equal(tracingOf({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), undefined);
  assert.deepEqual(tracingOf(endpoint), { protocol: 'http/protobuf', sampler: { asksParent: true, ratio: 1 }, queue });
  assert.deepEqual(
    tracingOf({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    }),
    { protocol: 'http/json', sampler: { asksParent: false, ratio: 0.25 }, queue: { ...queue, spans: 100, batch: 100, everyMs: 10 } },
  );
  assert.deepEqual(tracingOf({ ...endpoint, OTEL_TRACES_SAMPLER: 'parentbased_always_off' })?.sampler, { asksParent: true, ratio: 0 });
});

const wrong: readonly (readonly [variable: string, value: string, says: RegExp])[] = [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', /^OTEL_EXPORTER_OTLP_ENDPOINT: .*URL/],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /^OTEL_EXPORTER_OTLP_PROTOCOL: .*http\/protobuf or http\/json/],
  ['OTEL_TRACES_SAMPLER', 'sometimes', /^OTEL_TRACES_SAMPLER: .*one of always_on/],
  ['OTEL_TRACES_SAMPLER_ARG', '2', /^OTEL_TRACES_SAMPLER_ARG: /],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '0', /^OTEL_BSP_MAX_QUEUE_SIZE: .*at least 1/],
];
for (const [variable, value, says] of wrong)
  test(`${variable}=${value} is refused by its name`, () => {
    assert.throws(() => tracingOf({ ...endpoint, [variable]: value }), { code: 'BadRequest', message: says });
  });
