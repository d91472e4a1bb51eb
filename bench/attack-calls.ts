/** How functions that take all they can get are called: as cheaply as can be, since whoever attacks is on the same machine. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type AttackCalls = 'one' | 'many' | 'hang-ups';

export const callersAtOnce = 100;
/** What is silent for longer is given up: what answers are due is what the tests watch. */
const silenceMs = 60_000;

/** Resolves when the calls are over; what the platform answers to them is the tests' matter. */
export const attackCalls: Record<AttackCalls, (url: string) => Promise<unknown>> = {
  one: takeAll,
  many: (url) => Promise.all(Array.from({ length: callersAtOnce }, () => takeAll(url))),
  'hang-ups': async (url) => {
    const sockets = await Promise.all(Array.from({ length: callersAtOnce }, () => send(url)));
    for (const socket of sockets) socket.resetAndDestroy();
  },
};

async function takeAll(url: string): Promise<void> {
  const socket = await send(url);
  if (socket.closed) return;
  socket.resume();
  await once(socket, 'close');
}

async function send(url: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.setTimeout(silenceMs, () => socket.destroy());
  await once(socket, 'connect');
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  return socket;
}
