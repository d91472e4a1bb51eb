/** What a destination gets to know of an event that has ended. Its shape is that of Lambda's destinations. */
import type { CallerRequest, EventResult } from '../wire/event-calls.ts';
import { cloudEvent } from './cloud-event.ts';
import type { Failure, LeasedEvent, Success } from './event-log.ts';

export interface EndedEvent {
  readonly event: Pick<LeasedEvent, 'id' | 'tenant' | 'function'>;
  readonly request: CallerRequest;
  readonly body: Uint8Array;
  readonly end: Success | Failure;
  /** The version that served when it ended; undefined when its function is gone. */
  readonly version: number | undefined;
}

const conditions = {
  attempts: 'RetriesExhausted',
  age: 'EventAgeExceeded',
  // Lambda has no words for these two.
  refused: 'Refused',
  recursion: 'RecursionStopped',
} as const;

/** @returns JSON. Of a request its headers are left out: they may have what opens doors, and the record goes to others. */
export function destinationRecord({ event, request, body, end, version }: EndedEvent): string {
  const isSuccess = end.kind === 'succeeded';
  const executedVersion = version === undefined ? '$LATEST' : String(version);
  return JSON.stringify({
    version: '1.0',
    timestamp: new Date(end.atMs).toISOString(),
    requestContext: {
      requestId: event.id,
      functionArn: `arn:swiftlet:functions:local:${event.tenant}:function:${event.function}:${executedVersion}`,
      condition: isSuccess ? 'Success' : conditions[end.reason],
      approximateInvokeCount: end.attempts,
    },
    requestPayload: requestPayload(request, Buffer.from(body)),
    ...(end.attempts === 0 ? {} : { responseContext: responseContext(end, executedVersion) }),
    responsePayload: isSuccess ? answerOf(end.result) : { errorType: end.error.code, errorMessage: end.error.message },
  });
}

/** The same as a CloudEvent. @param record as above @param id its own */
export const recordEvent = (event: EndedEvent['event'], end: EndedEvent['end'], record: string, id: string): string =>
  JSON.stringify(
    cloudEvent({
      id,
      type: end.kind === 'succeeded' ? 'swiftlet.invocation.succeeded' : 'swiftlet.invocation.failed',
      source: [event.function],
      subject: event.id,
      timeMs: end.atMs,
      data: JSON.parse(record) as unknown,
    }),
  );

/** As with Lambda, an invocation that failed has status 200 and says `functionError`. */
const responseContext = (end: Success | Failure, executedVersion: string): object =>
  end.kind === 'succeeded'
    ? { statusCode: end.result.status, executedVersion }
    : { statusCode: 200, executedVersion, functionError: 'Unhandled' };

/** An event as it was; a request like the event that its function got, without headers. */
function requestPayload({ kind, method, target, sourceIp }: CallerRequest, body: Buffer): unknown {
  if (kind === 'event') return jsonOr(body.toString());
  const [rawPath = '', ...query] = target.split('?');
  const text = body.toString();
  const isText = Buffer.from(text).equals(body);
  return {
    rawPath,
    rawQueryString: query.join('?'),
    requestContext: { http: { method, path: rawPath, sourceIp } },
    body: isText ? text : body.toString('base64'),
    isBase64Encoded: !isText,
  };
}

/** An answer that was kept whole and is JSON, as such; any other as it was kept. */
const answerOf = ({ body, encoding, isTruncated }: EventResult): unknown =>
  encoding === 'utf8' && !isTruncated ? jsonOr(body) : { body, isBase64Encoded: encoding === 'base64', isTruncated };

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
