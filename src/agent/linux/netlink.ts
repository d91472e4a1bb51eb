/** Netlink's messages: how they are written and read. See netlink(7). */

const alignment = 4;
const headerBytes = 16;
const attributeHeaderBytes = 4;
/** Marks an attribute that holds attributes, or a number in network order; neither changes its type. */
const typeMask = 0x3fff;
const nestedFlag = 0x8000;

/** `NLM_F_*`. */
export const flag = { request: 1, ack: 4, replace: 0x100, exclusive: 0x200, create: 0x400, append: 0x800, dump: 0x300 } as const;

export interface NetlinkMessage {
  readonly type: number;
  readonly payload: Buffer;
}

const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;

/** An attribute. Numbers are written in 32 bits of the machine’s order, text with a closing zero. */
export function attribute(type: number, value: Buffer | string | number): Buffer {
  const bytes = typeof value === 'number' ? number32(value) : typeof value === 'string' ? Buffer.from(`${value}\0`) : value;
  const length = attributeHeaderBytes + bytes.length;
  const buffer = Buffer.alloc(aligned(length));
  buffer.writeUInt16LE(length, 0);
  buffer.writeUInt16LE(type, 2);
  bytes.copy(buffer, attributeHeaderBytes);
  return buffer;
}

/** An attribute that holds others. */
export const nested = (type: number, ...attributes: readonly Buffer[]): Buffer => attribute(type | nestedFlag, Buffer.concat(attributes));

/** A number in network order, as nftables wants them. */
export function bigEndian32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

/** The same in 16 bits. */
export function bigEndian16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

function number32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

/** A whole message. @param sequence comes back with its answer */
export function message(type: number, flags: number, sequence: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(headerBytes + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flag.request | flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body, Buffer.alloc(aligned(body.length) - body.length)]);
}

/** The messages of what was received. What was cut off is left out. */
export function messagesOf(buffer: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + headerBytes <= buffer.length; ) {
    const length = buffer.readUInt32LE(at);
    if (length < headerBytes || at + length > buffer.length) break;
    messages.push({ type: buffer.readUInt16LE(at + 4), payload: buffer.subarray(at + headerBytes, at + length) });
    at += aligned(length);
  }
  return messages;
}

/** The attributes of a message, by type; of several of one type the last. @param from where they begin */
export function attributesOf(payload: Buffer, from: number): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = from; at + attributeHeaderBytes <= payload.length; ) {
    const length = payload.readUInt16LE(at);
    if (length < attributeHeaderBytes || at + length > payload.length) break;
    attributes.set(payload.readUInt16LE(at + 2) & typeMask, payload.subarray(at + attributeHeaderBytes, at + length));
    at += aligned(length);
  }
  return attributes;
}
