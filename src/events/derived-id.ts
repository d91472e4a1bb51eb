/**
 * An id that is made of what it names: a UUID of version 7 with a time, and a digest for its random part. The log takes an id once, so
 * what is accepted under it is accepted once, however often it is tried.
 * @param digest at least 16 bytes
 */
export function derivedId(ms: number, digest: Buffer): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  digest.copy(bytes, 6, 0, 10);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
