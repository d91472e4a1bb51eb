/** A function that speaks to servers in private networks, and what it is told to do and says. */
import type { E2e } from '../e2e/functions.ts';

/** What is sent, and what ends the answer: a pattern, and how often it comes. */
export interface Exchange {
  readonly host: string;
  readonly port: number;
  readonly send: Buffer;
  readonly until: string;
  readonly times?: number;
}

export const redis = (host: string, command: string, until: string): Exchange => ({
  host,
  port: 6379,
  send: Buffer.from(`${command}\r\n`),
  until,
});

/** A query to PostgreSQL of somebody who needs no password (its protocol 3.0). */
export function postgresql(host: string, sql: string): Exchange {
  const start = Buffer.from('\0\0\0\0\0\x03\0\0user\0swiftlet\0database\0postgres\0\0', 'latin1');
  start.writeUInt32BE(start.length, 0);
  const query = Buffer.from(`Q\0\0\0\0${sql}\0`, 'latin1');
  query.writeUInt32BE(query.length - 1, 1);
  // It is ready once before the query, and once after it.
  return { host, port: 5432, send: Buffer.concat([start, query]), until: 'Z\\x00\\x00\\x00\\x05I', times: 2 };
}

export interface Exchanged {
  /** `answered`, or the error’s code. */
  readonly outcome: string;
  readonly length: number;
  /** The end of what was answered. */
  readonly tail: string;
  readonly ms: number;
}

/** `once`: one exchange. `keep`: one, whose connection stays. `again`: one more on that. `hold`: waits until that ends. `retry`: exchanges until one succeeds. */
export type What = 'once' | 'keep' | 'again' | 'hold' | 'retry';

export const client = `import net from 'node:net';
let kept;
const ended = (socket) => new Promise((resolve) => { socket.on('error', (error) => resolve(error.code)); socket.on('close', () => resolve('closed')); });
const exchange = (socket, { send, until, times }, limitMs) => new Promise((resolve) => {
  const pattern = new RegExp(until, 'g'); let length = 0; let seen = 0; let tail = '';
  const end = (outcome) => { clearTimeout(limit); socket.off('data', take); resolve({ outcome, length, tail: tail.slice(-200) }); };
  const limit = setTimeout(end, limitMs, 'silent');
  const take = (bytes) => { length += bytes.length; const text = tail + bytes.toString('latin1'); seen += (text.match(pattern) ?? []).length; tail = text.slice(-200); if (seen >= times) end('answered'); else if (seen > 0) tail = tail.replaceAll(pattern, ''); };
  socket.on('data', take); socket.on('error', (error) => end(error.code)); socket.on('close', () => end('closed'));
  socket.write(Buffer.from(send, 'base64'));
});
const alone = async (order, limitMs) => { const socket = net.connect({ host: order.host, port: Number(order.port) }); const answer = await exchange(socket, order, limitMs); socket.destroy(); return answer; };
export const handler = async ({ queryStringParameters: q }) => {
  const order = { ...q, times: Number(q.times ?? 1) }; const began = performance.now(); const said = (answer) => ({ ...answer, ms: performance.now() - began });
  if (q.what === 'keep') { kept = net.connect({ host: q.host, port: Number(q.port) }); kept.gone = ended(kept); return said(await exchange(kept, order, 5000)); }
  if (q.what === 'again') return said(await exchange(kept, order, 5000));
  if (q.what === 'hold') return said({ outcome: await Promise.race([kept.gone, new Promise((resolve) => setTimeout(resolve, 8000, 'hangs'))]), length: 0, tail: '' });
  if (q.what === 'retry') for (;;) { const answer = await alone(order, 150); if (answer.outcome === 'answered' || performance.now() - began > 8000) return said(answer); await new Promise((resolve) => setTimeout(resolve, 10)); }
  return said(await alone(order, 20000));
};`;

/** @param path of the function, such as `/client/` @throws Error when the function itself fails */
export async function ask(
  e2e: Pick<E2e, 'call'>,
  path: string,
  what: What,
  { host, port, send, until, times = 1 }: Exchange,
): Promise<Exchanged> {
  const query = new URLSearchParams({ what, host, port: String(port), send: send.toString('base64'), until, times: String(times) });
  const answer = await e2e.call(`${path}?${query.toString()}`);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json as unknown as Exchanged;
}
