/** What every role answers. Ask `metrics`: its own part of `GET /metrics`, in Prometheus’ text format; no two roles share a metric’s name. */
import { z } from 'zod';

export const metricsAnswerSchema = z.object({ text: z.string() });
/** Ask `health`, answered by every role once it can serve. */
export const healthAnswerSchema = z.object({ ready: z.boolean(), detail: z.string() });
