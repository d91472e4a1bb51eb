/** Traces by OpenTelemetry, sent as OTLP. Loaded only where they are exported. Budget: 40 µs a request that is recorded, after its answer. */
import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { packageVersion } from '../../role/package-version.ts';
import type { TracingConfig } from '../../role/tracing-config.ts';
import type { Exchange } from '../request/exchange.ts';
import type { RequestTrace, Tracing } from './request-trace.ts';
import { SpanIds } from './span-ids.ts';
import { stretchesOf } from './stretches.ts';
import { nameTrace } from './name-trace.ts';

/** A stop waits no longer for a collector that does not answer. */
const lastFlushMs = 2_000;
const serverError = 500;

export function openTracing({ protocol, sampler, queue }: TracingConfig): Tracing {
  const ids = new SpanIds();
  const exporter = protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter();
  const provider = new TracerProvider({
    idGenerator: ids,
    sampler: samplerOf(sampler),
    // What the variables of OpenTelemetry say of the service wins over what we say.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'swiftlet-gateway', 'service.version': packageVersion }))
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: queue.spans,
        maxExportBatchSize: queue.batch,
        scheduledDelayMillis: queue.everyMs,
        exportTimeoutMillis: queue.limitMs,
      }),
    ],
  });
  const tracer = provider.getTracer('swiftlet', packageVersion);
  return {
    begin: (exchange, cameAtMs) => new RequestSpans(tracer, ids, exchange, cameAtMs),
    async [Symbol.asyncDispose]() {
      const over = Promise.withResolvers<undefined>();
      const limit = setTimeout(() => over.resolve(undefined), lastFlushMs);
      // A collector that is away loses what it was to get, and holds up nobody.
      await Promise.race([provider.shutdown().catch(() => undefined), over.promise]);
      clearTimeout(limit);
    },
  };
}

function samplerOf({ asksParent, ratio }: TracingConfig['sampler']): Sampler {
  const root = new TraceIdRatioBasedSampler(ratio);
  return asksParent ? new ParentBasedSampler({ root }) : root;
}

class RequestSpans implements RequestTrace {
  readonly #tracer: Tracer;
  readonly #ids: SpanIds;
  readonly #span: Span;
  readonly #context: Context;
  /** The handler's span has it; what the function calls names it as its parent while there is no such span yet. */
  readonly #handlerId: string;
  readonly #cameAtMs: number;
  /** From the monotonic clock to milliseconds since 1970. */
  readonly #epochMs = Date.now() - performance.now();

  constructor(tracer: Tracer, ids: SpanIds, exchange: Exchange, cameAtMs: number) {
    this.#tracer = tracer;
    this.#ids = ids;
    this.#cameAtMs = cameAtMs;
    const { request, served } = exchange;
    const parent = parseTraceParent(String(request.headers.traceparent ?? ''));
    const outer = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
    const kind = SpanKind.SERVER;
    this.#span = tracer.startSpan(served.version.function, { kind, startTime: this.#epochMs + cameAtMs }, outer);
    this.#context = trace.setSpan(outer, this.#span);
    this.#handlerId = ids.generateSpanId();
    nameTrace(request, this.#span.spanContext(), this.#handlerId);
  }

  end(exchange: Exchange, outcome: string, nowMs: number): void {
    if (this.#span.isRecording()) {
      for (const { name, fromMs, toMs } of stretchesOf(exchange, this.#cameAtMs, nowMs)) {
        if (name === 'handler') this.#ids.next(this.#handlerId);
        this.#tracer.startSpan(name, { startTime: this.#epochMs + fromMs }, this.#context).end(this.#epochMs + toMs);
      }
      this.#span.setAttributes(attributesOf(exchange, outcome));
      if (hasFailed(exchange, outcome)) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
    }
    this.#span.end(this.#epochMs + nowMs);
  }
}

/** By OpenTelemetry's names where it has some. A query may have secrets in it, and is left out. */
function attributesOf({ id, served: { version }, request, target, start, link, response, origin }: Exchange, outcome: string): Attributes {
  return {
    'faas.name': version.function,
    'faas.version': String(version.number),
    'faas.invocation_id': id,
    'faas.coldstart': start === 'cold',
    ...(link === undefined ? {} : { 'faas.instance': link.id }),
    'http.request.method': request.method ?? 'GET',
    'http.response.status_code': response.statusCode,
    'url.path': target.split('?', 1)[0] ?? '/',
    'swiftlet.tenant': version.tenant,
    'swiftlet.start': start,
    'swiftlet.outcome': outcome,
    ...(origin.caller === undefined ? {} : { 'swiftlet.caller': origin.caller.function }),
  };
}

const hasFailed = ({ response }: Exchange, outcome: string): boolean =>
  outcome === 'ok' ? response.statusCode >= serverError : outcome !== 'ClientClosedRequest';
