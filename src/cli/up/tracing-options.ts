/** OpenTelemetry's standard variables, as far as they are about traces. They switch the export on, and say what is exported. */
import { z } from 'zod';
import { otlpProtocols, type TracingConfig } from '../../role/tracing-config.ts';

const endpoint = z.url({ protocol: /^https?$/, error: 'it is the URL of a collector, such as http://localhost:4318' });
const protocol = z.enum(otlpProtocols, 'it is http/protobuf or http/json; gRPC is not supported');
const number = (least: number) =>
  z.coerce
    .number('it is a number')
    .int('it is a whole number')
    .min(least, `it is at least ${least}`)
    .max(1_000_000, 'it is at most 1000000');
/** A variable that is empty is as one that is not set, by OpenTelemetry's rules. */
const setting = <T extends z.ZodType>(schema: T) => z.preprocess((text) => (text === '' ? undefined : text), schema.optional());

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export const tracingVariables = {
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_EXPORTER: setting(z.enum(['otlp', 'none'], 'it is otlp or none')),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(endpoint),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: setting(endpoint),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(protocol),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: setting(protocol),
  OTEL_TRACES_SAMPLER: setting(z.enum(samplers, `it is one of ${samplers.join(', ')}`)),
  OTEL_TRACES_SAMPLER_ARG: setting(z.coerce.number('it is a share from 0 to 1').min(0).max(1)),
  OTEL_BSP_MAX_QUEUE_SIZE: setting(number(1)),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: setting(number(1)),
  OTEL_BSP_SCHEDULE_DELAY: setting(number(1)),
  OTEL_BSP_EXPORT_TIMEOUT: setting(number(1)),
} as const;

/** @returns undefined when traces are not exported: nobody said where to, or somebody said that they are not */
export function tracingOptions(value: z.output<z.ZodObject<typeof tracingVariables>>): TracingConfig | undefined {
  const isNamed = value.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined || value.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined;
  if (!isNamed || value.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || value.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const sampler = value.OTEL_TRACES_SAMPLER ?? 'parentbased_always_on';
  const spans = value.OTEL_BSP_MAX_QUEUE_SIZE ?? 2_048;
  return {
    protocol: value.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? value.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf',
    sampler: { asksParent: sampler.startsWith('parentbased_'), ratio: ratioOf(sampler, value.OTEL_TRACES_SAMPLER_ARG) },
    queue: {
      spans,
      batch: Math.min(spans, value.OTEL_BSP_MAX_EXPORT_BATCH_SIZE ?? 512),
      everyMs: value.OTEL_BSP_SCHEDULE_DELAY ?? 5_000,
      limitMs: value.OTEL_BSP_EXPORT_TIMEOUT ?? 30_000,
    },
  };
}

function ratioOf(sampler: (typeof samplers)[number], share = 1): number {
  if (sampler.endsWith('always_off')) return 0;
  return sampler.endsWith('traceidratio') ? share : 1;
}
