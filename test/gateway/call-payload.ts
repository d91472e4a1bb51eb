/** What a runtime sends to call another function, at its own discretion. */
export function callPayload(number: number, name: string, event: string | Buffer, kind = 0): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(number, 0);
  head[4] = kind;
  head[5] = name.length;
  return Buffer.concat([head, Buffer.from(name, 'latin1'), Buffer.from(event)]);
}
