/** How traces are exported, as the supervisor tells the gateway. Where to, and with what, is in the exporter's own variables, which it reads itself. */
import { z } from 'zod';

export const otlpProtocols = ['http/protobuf', 'http/json'] as const;

export const tracingConfigSchema = z.object({
  protocol: z.enum(otlpProtocols),
  /** Which traces are recorded. */
  sampler: z.object({
    /** Whether it counts what a caller decided who has a trace already. */
    asksParent: z.boolean(),
    /** The share of all others, from 0 to 1. */
    ratio: z.number().min(0).max(1),
  }),
  /** What waits for the exporter; what comes when it is full is dropped. */
  queue: z.object({ spans: z.int().min(1), batch: z.int().min(1), everyMs: z.int().min(1), limitMs: z.int().min(1) }),
});
export type TracingConfig = z.output<typeof tracingConfigSchema>;
