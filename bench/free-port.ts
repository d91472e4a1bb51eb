/** Ports for servers that benchmarks and tests start. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that outgoing connections get (Linux: `ip_local_port_range`), any of which may be taken again before its server listens. */
const [lowest, highest] = [10_000, 32_000];
const mostTries = 100;

/** A port of 127.0.0.1 that nobody listens at, and that is no client's: one that tries again and again there could meet itself. @throws Error when none is found */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${lowest} and ${highest} was found`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const isListening = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (isListening) await once(server.close(), 'close');
  return isListening;
}
