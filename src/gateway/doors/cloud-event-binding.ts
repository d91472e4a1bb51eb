/** CloudEvents 1.0 over HTTP: what a request brings, and what an answer is. The SDK knows the formats; what it lets pass is refused here. */
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { CloudEvent, HTTP } from 'cloudevents';
import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { maxBatchEvents } from '../../model/limits.ts';

/** How events lie in a message: attributes in headers, one event as JSON, or several. */
export type ContentMode = 'binary' | 'structured' | 'batch';

export interface CloudEventRequest {
  readonly mode: ContentMode;
  /** Each in the JSON format, as a handler gets it. */
  readonly events: readonly CloudEventJson[];
}

export interface CloudEventJson {
  readonly id: string;
  readonly source: string;
  readonly [attribute: string]: unknown;
}

export interface CloudEventMessage {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const structuredType = 'application/cloudevents+json';
const batchType = 'application/cloudevents-batch+json';
const attributePrefix = 'ce-';

/** What the SDK would make up, or pass over. */
const requiredSchema = z.looseObject({
  specversion: z.literal('1.0', 'specversion is "1.0"'),
  id: z.string('it has an id').min(1, 'its id is not empty'),
  source: z.string('it has a source').min(1, 'its source is not empty'),
  type: z.string('it has a type').min(1, 'its type is not empty'),
  time: z.iso.datetime({ offset: true, error: 'its time is one of RFC 3339' }).optional(),
});

/** @throws SwiftletError CloudEventInvalid with what is missing or wrong */
export function readCloudEvents(headers: IncomingHttpHeaders, body: Buffer): CloudEventRequest {
  const [contentType = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const single = (value: unknown) => {
    const { time } = demand(value);
    return jsonFormat(new CloudEvent(value as CloudEvent<unknown>), time !== undefined);
  };
  try {
    if (contentType === batchType) return { mode: 'batch', events: batchOf(body).map(single) };
    if (contentType === structuredType) return { mode: 'structured', events: [single(jsonOf(body))] };
    if (headers['ce-id'] === undefined)
      throw new TypeError(`it has neither the headers of one (ce-id, ce-source …) nor the content type ${structuredType}`);
    const attributes = attributesOf(headers);
    const { time } = demand(
      Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name.slice(attributePrefix.length), value])),
    );
    const event = HTTP.toEvent<unknown>({ headers: { ...attributes, ...contentTypeOf(headers) }, body: dataOf(contentType, body) });
    if (!(event instanceof CloudEvent)) throw new TypeError('it is several');
    event.validate();
    return { mode: 'binary', events: [jsonFormat(event, time !== undefined)] };
  } catch (error) {
    throw invalid(error);
  }
}

/** An answer that is a CloudEvent itself; undefined for any other. @throws SwiftletError InvalidResponse when it says that it is one and is not */
export function answeredEvent(body: Buffer): CloudEvent<unknown> | undefined {
  const value = objectOf(body);
  if (value?.['specversion'] === undefined) return undefined;
  try {
    demand(value);
    return new CloudEvent(value);
  } catch (error) {
    throw new SwiftletError('InvalidResponse', `the function returned a CloudEvent that is none: ${reasonOf(error)}`, { cause: error });
  }
}

/** Events as one message. @param mode one event in `binary` or `structured`; `batch` for any number */
export function writeCloudEvents(mode: ContentMode, events: readonly CloudEvent<unknown>[]): CloudEventMessage {
  const [first] = events;
  if (mode === 'batch' || first === undefined) return { headers: ['content-type', batchType], body: Buffer.from(JSON.stringify(events)) };
  if (mode === 'structured') return { headers: ['content-type', structuredType], body: Buffer.from(first.toString()) };
  const { headers } = HTTP.binary(first);
  const flat = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(attributePrefix) ? [name, encodeURI(String(value))] : [name, String(value)],
  );
  return { headers: flat, body: bodyOf(first) };
}

/** A time that the SDK made up is left out: the same event sent again is the same to the byte. */
function jsonFormat(event: CloudEvent<unknown>, hasTime: boolean): CloudEventJson {
  const { time, ...rest } = event.toJSON();
  return { ...rest, ...(hasTime ? { time } : {}), id: event.id, source: event.source };
}

function bodyOf({ data, data_base64 }: CloudEvent<unknown>): Buffer {
  if (data_base64 !== undefined) return Buffer.from(data_base64, 'base64');
  if (data === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
}

const contentTypeOf = ({ 'content-type': type }: IncomingHttpHeaders) => (type === undefined ? {} : { 'content-type': type });

/** Their values are percent-encoded where they are not plain. */
function attributesOf(headers: IncomingHttpHeaders): Record<string, string> {
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith(attributePrefix));
  return Object.fromEntries(attributes.map(([name, value]) => [name, decodeURIComponent(String(value))]));
}

/** JSON as what it says, text as text, the rest as bytes. The SDK reads plain JSON itself. */
function dataOf(contentType: string, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (contentType === 'application/json') return body.toString();
  if (contentType.endsWith('+json')) return jsonOf(body);
  return (contentType === '' || contentType.startsWith('text/')) && isUtf8(body) ? body.toString() : new Uint8Array(body);
}

const jsonOf = (body: Buffer): unknown => JSON.parse(body.toString());

/** Undefined for what is no object, or no JSON at all. */
function objectOf(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value = jsonOf(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const batchOf = (body: Buffer): unknown[] =>
  z
    .array(z.unknown(), 'a batch is a list of events')
    .max(maxBatchEvents, `a batch has at most ${maxBatchEvents} events`)
    .parse(jsonOf(body));

const demand = (value: unknown) => requiredSchema.parse(value);

const invalid = (error: unknown): SwiftletError =>
  new SwiftletError('CloudEventInvalid', `the function takes CloudEvents, and this is none: ${reasonOf(error)}`, { cause: error });

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join(', ');
  if (!(error instanceof Error)) return String(error);
  const faults: unknown = 'errors' in error ? error.errors : undefined;
  return Array.isArray(faults) ? `${error.message}: ${JSON.stringify(faults).slice(0, 300)}` : error.message;
}
