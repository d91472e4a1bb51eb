/** Clients that begin something and then neither send nor take. */
import assert from 'node:assert/strict';
import { descriptorsOf } from '../../bench/processes.ts';
import { rolesBelow } from '../../bench/holdings.ts';
import { clientIdleMs } from '../../src/model/limits.ts';
import { type E2e, eventually } from './functions.ts';
import { closed, connectTo, statusesIn } from './raw-http.ts';

/** Looked for at intervals, and noticed so much later on a machine that is busy with all of them, and others. */
const latestMs = 4 * clientIdleMs;
const connectAtOnce = 100;
/** Connections and files that come and go by themselves. */
const looseDescriptors = 25;

interface SlowKind {
  /** What it sends before it stops. */
  readonly sends: string;
  /** What it gets for that; those without do not read. */
  readonly statuses?: readonly number[];
  /** So many at once, since the function itself has no room for more. */
  readonly atMost?: number;
}

const slowKinds: Readonly<Record<string, SlowKind>> = {
  silent: { sends: '', statuses: [408] },
  'stops in the head': { sends: 'GET /slow-echo/ HTTP/1.1\r\nHost: a\r\nX-Begun: ', statuses: [408] },
  'stops in its second head': { sends: 'GET /slow-echo/ HTTP/1.1\r\nHost: a\r\n\r\nGET /slow-echo/ HTTP/1.1\r\nHo', statuses: [200, 408] },
  'stops in the body': { sends: 'POST /slow-echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegun', statuses: [408] },
  'stops between chunks': {
    sends: 'POST /slow-echo/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n',
    statuses: [408],
  },
  'does not read a whole answer': { sends: 'GET /slow-whole/ HTTP/1.1\r\nHost: a\r\n\r\n', atMost: 60 },
  'does not read a streamed answer': { sends: 'GET /slow-stream/ HTTP/1.1\r\nHost: a\r\n\r\n' },
};

const config = { concurrency: 1_000, maximum: 2, timeoutMs: 120_000, memoryMiB: 1_024 };

export async function publishSlow(e2e: E2e): Promise<void> {
  await e2e.publish('slow-echo', 'export const handler = (e) => ({ body: e.body });', config);
  await e2e.publish('slow-whole', 'const whole = "x".repeat(5_500_000); export const handler = () => whole;', config);
  await e2e.publish(
    'slow-stream',
    'const piece = new Uint8Array(65536); export default { fetch: () => new Response(new ReadableStream({ pull(c) { c.enqueue(piece); } })) };',
    config,
  );
}

/**
 * Opens so many clients of each kind, and waits until all are cut off.
 * @returns how many there were
 * @throws AssertionError when one is cut off too early, too late, or without the right answer
 */
export async function slowClients({ platform }: E2e, perKind: number): Promise<number> {
  const gateway = rolesBelow(platform.pid).find(({ title }) => title === 'swiftlet gateway')?.pid ?? 0;
  const before = descriptorsOf(gateway);
  const senders: Promise<void>[] = [];
  const firstAt = performance.now();
  let all = 0;
  for (const [kind, { sends, statuses, atMost = perKind }] of Object.entries(slowKinds)) {
    const wanted = Math.min(perKind, atMost);
    all += wanted;
    for (let opened = 0; opened < wanted; opened += connectAtOnce) {
      const count = Math.min(connectAtOnce, wanted - opened);
      const batch = await Promise.all(Array.from({ length: count }, () => openClient(platform.gatewayUrl, sends)));
      if (statuses !== undefined) senders.push(...batch.map((client) => isCutOff(kind, client, statuses)));
    }
  }
  const held = () => descriptorsOf(gateway) - before;
  // Awaited below, after what comes first.
  for (const sender of senders) sender.catch(() => undefined);
  await eventually(held, (count) => count >= all - looseDescriptors);
  await eventually(held, (count) => count < all - looseDescriptors, latestMs);
  const firstCutMs = performance.now() - firstAt;
  assert.ok(firstCutMs >= clientIdleMs - 500, `the first were cut off after ${firstCutMs} ms`);
  await Promise.all(senders);
  await eventually(held, (count) => count <= looseDescriptors, latestMs);
  return all;
}

type Client = Awaited<ReturnType<typeof openClient>>;

async function openClient(url: string, sends: string) {
  const socket = await connectTo(url);
  socket.pause();
  if (sends !== '') socket.write(sends);
  return { socket, openedAt: performance.now() };
}

async function isCutOff(kind: string, { socket, openedAt }: Client, statuses: readonly number[]): Promise<void> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.resume();
  await closed(socket);
  const lastedMs = performance.now() - openedAt;
  assert.deepEqual(statusesIn(answer), statuses, kind);
  assert.ok(lastedMs >= clientIdleMs - 500 && lastedMs <= latestMs, `one that ${kind} was cut off after ${lastedMs} ms`);
}
