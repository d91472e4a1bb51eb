/** Clients that begin something and then neither send nor take. */
import assert from 'node:assert/strict';
import { descriptorsOf } from '../../bench/processes.ts';
import { rolesBelow } from '../../bench/holdings.ts';
import { clientIdleMs } from '../../src/model/limits.ts';
import { type E2e, eventually } from './functions.ts';
import { closed, connectTo, statusesIn } from './raw-http.ts';

/** Looked for at intervals, and noticed so much later on a machine that is busy with all of them. */
const latestMs = clientIdleMs + 5_000;
const connectAtOnce = 100;
/** Connections and files that come and go by themselves. */
const looseDescriptors = 25;

/** Each kind: what it sends before it stops, and the status of what it gets for that; those without one do not read. */
export const slowKinds: Readonly<Record<string, { readonly sends: string; readonly statuses?: readonly number[] }>> = {
  silent: { sends: '', statuses: [408] },
  'stops in the head': { sends: 'GET /slow-echo/ HTTP/1.1\r\nHost: a\r\nX-Begun: ', statuses: [408] },
  'stops in its second head': { sends: 'GET /slow-echo/ HTTP/1.1\r\nHost: a\r\n\r\nGET /slow-echo/ HTTP/1.1\r\nHo', statuses: [200, 408] },
  'stops in the body': { sends: 'POST /slow-echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegun', statuses: [408] },
  'stops between chunks': {
    sends: 'POST /slow-echo/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n',
    statuses: [408],
  },
  'does not read a whole answer': { sends: 'GET /slow-echo/whole HTTP/1.1\r\nHost: a\r\n\r\n' },
  'does not read a streamed answer': { sends: 'GET /slow-stream/ HTTP/1.1\r\nHost: a\r\n\r\n' },
  'does not read the end of an answer': { sends: 'GET /slow-stream/ends HTTP/1.1\r\nHost: a\r\n\r\n' },
};

const config = { concurrency: 1_000, maximum: 2, timeoutMs: 120_000, memoryMiB: 1_024 };

export async function publishSlow(e2e: E2e): Promise<void> {
  await e2e.publish(
    'slow-echo',
    'const whole = "x".repeat(5_500_000); export const handler = (e) => (e.rawPath === "/whole" ? whole : { body: e.body });',
    config,
  );
  await e2e.publish(
    'slow-stream',
    `const piece = new Uint8Array(65536);
    export default { fetch(request) {
      let held;
      // Ends as soon as nobody takes more: all that is left is in the platform's hands.
      const end = (c) => { clearTimeout(held); held = setTimeout(() => { held = undefined; c.close(); }, 500); };
      const ends = request.url.endsWith('/ends');
      return new Response(new ReadableStream({ start: ends ? end : undefined, pull(c) { c.enqueue(piece); if (ends) end(c); } }));
    } };`,
    config,
  );
}

/**
 * Opens so many clients of each kind, and waits until all are cut off.
 * @throws AssertionError when one is cut off too early, too late, or without the right answer
 */
export async function slowClients({ platform }: E2e, perKind: number): Promise<void> {
  const gateway = rolesBelow(platform.pid).find(({ title }) => title === 'swiftlet gateway')?.pid ?? 0;
  const before = descriptorsOf(gateway);
  const senders: Promise<void>[] = [];
  const firstAt = performance.now();
  for (const [kind, { sends, statuses }] of Object.entries(slowKinds)) {
    for (let opened = 0; opened < perKind; opened += connectAtOnce) {
      const count = Math.min(connectAtOnce, perKind - opened);
      const batch = await Promise.all(Array.from({ length: count }, () => openClient(platform.gatewayUrl, sends)));
      for (const client of batch) if (statuses !== undefined) senders.push(isCutOff(kind, client, statuses));
    }
  }
  const all = perKind * Object.keys(slowKinds).length;
  const held = () => descriptorsOf(gateway) - before;
  await eventually(held, (count) => count >= all - looseDescriptors);
  await eventually(held, (count) => count < all - looseDescriptors, latestMs);
  const firstCutMs = performance.now() - firstAt;
  assert.ok(firstCutMs >= clientIdleMs - 500, `the first were cut off after ${firstCutMs} ms`);
  await Promise.all(senders);
  await eventually(held, (count) => count <= looseDescriptors, latestMs);
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
