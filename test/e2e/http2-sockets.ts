/** WebSockets on streams of HTTP/2 (RFC 8441), from a client that has no more of the protocol than it needs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

const opcodes = { text: 1, close: 8 } as const;
const finalBit = 0x80;
const maskBit = 0x80;

/** A frame of a client's, with a mask of zeros. */
export function frameOf(opcode: keyof typeof opcodes, payload: Buffer): Buffer {
  assert.ok(payload.length < 126);
  return Buffer.concat([Buffer.of(finalBit | opcodes[opcode], maskBit | payload.length, 0, 0, 0, 0), payload]);
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The frames of a server that bytes begin with. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1);
    const [length, head] =
      short < 126 ? [short, 2] : short === 126 ? [bytes.readUInt16BE(at + 2), 4] : [Number(bytes.readBigUInt64BE(at + 2)), 10];
    if (at + head + length > bytes.length) break;
    frames.push({ opcode: bytes.readUInt8(at) & 0xf, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return frames;
}

export interface Http2Socket {
  readonly stream: ClientHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** All that came. */
  readonly frames: () => Frame[];
  say(text: string): void;
  /** Says goodbye, with a code. */
  close(code: number): void;
  /** The code that the other end closed with. */
  readonly closed: () => number | undefined;
}

/** Asks for a WebSocket, taken or not. */
export async function openSocket(
  session: ClientHttp2Session,
  path: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Http2Socket> {
  if (!session.remoteSettings.enableConnectProtocol) await once(session, 'remoteSettings');
  const asked = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':authority': 'fn.example', ':path': path };
  const stream = session.request({ ...asked, 'sec-websocket-version': '13', ...more }, { endStream: false });
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  const came: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => came.push(chunk));
  const frames = () => framesIn(Buffer.concat(came));
  return {
    stream,
    headers,
    frames,
    say: (text) => stream.write(frameOf('text', Buffer.from(text))),
    close(code) {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      stream.end(frameOf('close', payload));
    },
    closed: () =>
      frames()
        .find(({ opcode }) => opcode === opcodes.close)
        ?.payload.readUInt16BE(),
  };
}
