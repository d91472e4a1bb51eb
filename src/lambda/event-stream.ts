/** Messages of AWS's event streams, in which InvokeWithResponseStream answers (`application/vnd.amazon.eventstream`). Pure. */
import { crc32 } from 'node:zlib';

export const eventStreamType = 'application/vnd.amazon.eventstream';

/** Lengths of the whole and of the headers, and their checksum. */
const preludeBytes = 12;
const checksumBytes = 4;
const textType = 7;

/** What the function answers, piece by piece. */
export const payloadChunk = (payload: Buffer): Buffer => message('PayloadChunk', 'application/octet-stream', payload);

/** The last message. */
export interface Completion {
  /** Absent when nothing failed. */
  readonly ErrorCode?: string;
  readonly ErrorDetails?: string;
  /** In Base64. */
  readonly LogResult?: string;
}
export const invokeComplete = (completion: Completion): Buffer =>
  message('InvokeComplete', 'application/json', Buffer.from(JSON.stringify(completion)));

function message(type: string, contentType: string, payload: Buffer): Buffer {
  const headers = Buffer.concat([header(':message-type', 'event'), header(':event-type', type), header(':content-type', contentType)]);
  const length = preludeBytes + headers.length + payload.length + checksumBytes;
  const whole = Buffer.alloc(length);
  whole.writeUInt32BE(length, 0);
  whole.writeUInt32BE(headers.length, 4);
  whole.writeUInt32BE(crc32(whole.subarray(0, 8)), 8);
  headers.copy(whole, preludeBytes);
  payload.copy(whole, preludeBytes + headers.length);
  whole.writeUInt32BE(crc32(whole.subarray(0, length - checksumBytes)), length - checksumBytes);
  return whole;
}

function header(name: string, value: string): Buffer {
  const head = Buffer.from([name.length, ...Buffer.from(name), textType, 0, 0]);
  head.writeUInt16BE(Buffer.byteLength(value), head.length - 2);
  return Buffer.concat([head, Buffer.from(value)]);
}
