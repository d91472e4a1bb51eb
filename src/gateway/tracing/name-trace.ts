import type { IncomingMessage } from 'node:http';
import type { SpanContext } from '@opentelemetry/api';
import { traceparentHeader } from '../../model/traceparent.ts';

/** Says in a request's headers, in the place of what its caller said, which span all that comes after belongs to. */
export function nameTrace({ headers, rawHeaders }: IncomingMessage, { traceId, traceFlags }: SpanContext, spanId: string): void {
  const value = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) if (rawHeaders[at]?.toLowerCase() === traceparentHeader) rawHeaders.splice(at, 2);
  rawHeaders.push(traceparentHeader, value);
  headers[traceparentHeader] = value;
}
