/** HTTP as no client library would send it. */
import { connect, type Socket } from 'node:net';

/** Connects to a platform's gateway. */
export async function connectTo(url: string, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ ...options, port: Number(port), host: hostname });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return socket;
}

export const closed = (socket: Socket): Promise<void> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));

/** Sends bytes as they are. @returns all that comes back until the other end closes */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<string> {
  const socket = await connectTo(url);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await closed(socket);
  return answer;
}

/** The status lines of all answers in what came back. */
export const statusesIn = (answer: string): number[] => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
