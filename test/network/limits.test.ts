/** One sandbox's limits: connections, new ones a second, bytes. Another function beside it is not held up. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { allowanceOf, divisorFor } from '../../src/agent/network/allowance.ts';
import { flowsMarked } from '../../src/agent/linux/conntrack.ts';
import { NetlinkSocket, protocol } from '../../src/agent/linux/netlink-socket.ts';
import { closedConnectionSeconds, sandboxBandwidth, sandboxConnections, sandboxNewConnections } from '../../src/model/limits.ts';
import { type E2e, eventually, openE2e } from '../e2e/functions.ts';
import { needsRoot } from '../e2e/needs.ts';
import { openOutside, type Outside } from './outside.ts';

const skip = needsRoot;
let e2e: E2e;
let outside: Outside;
before(async () => {
  if (skip !== false) return;
  outside = await openOutside({ name: 'l', ranges: ['203.0.113.0/24'] });
  // As many as need limits that are divided.
  e2e = await openE2e({ environment: { SWIFTLET_MAX_SANDBOXES: '1000' } });
});
after(async () => {
  if (skip !== false) return;
  await e2e[Symbol.asyncDispose]();
  await outside[Symbol.asyncDispose]();
});

/** Opens connections and keeps them; says how many there were and what the others ended with. */
const hoarder = `import net from 'node:net';
const held = [];
const open = () => new Promise((resolve) => { const socket = net.connect(80, '203.0.113.1'); socket.on('error', (error) => resolve(error.code)); socket.on('connect', () => { held.push(socket); resolve('open'); }); });
export const handler = async ({ queryStringParameters: { count } }) => { const outcomes = await Promise.all(Array.from({ length: Number(count) }, open)); const counts = {}; for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1; return counts; };`;

test('more connections than a sandbox may have are refused at once, and another function’s are not', { skip }, async () => {
  await e2e.publish('hoards', hoarder);
  await e2e.publish('beside', hoarder);
  const counts = (await e2e.call('/hoards/?count=900')).json as Record<string, number>;
  const most = Math.min(sandboxConnections, sandboxNewConnections.burst + sandboxNewConnections.perSecond);
  assert.ok((counts['open'] ?? 0) <= most && (counts['open'] ?? 0) > most / 2, JSON.stringify(counts));
  assert.equal((counts['open'] ?? 0) + (counts['ECONNREFUSED'] ?? 0), 900);
  assert.deepEqual((await e2e.call('/beside/?count=10')).json, { open: 10 });
  // Those that are open count on: the second round comes after the burst has grown again.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const more = (await e2e.call('/hoards/?count=300')).json as Record<string, number>;
  assert.ok((counts['open'] ?? 0) + (more['open'] ?? 0) <= sandboxConnections, JSON.stringify([counts, more]));
  await eventually(
    async () => (await e2e.log('hoards')).map(({ message }) => String(message)),
    (lines) => lines.some((line) => line.includes('connections open')),
  );
});

test('sandboxes of a function that may have very many have less each, and its log says so', { skip }, async () => {
  const places = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));
  const { connections, burst } = allowanceOf(divisorFor(1_000, places));
  await e2e.publish('crowd', hoarder, { maximum: 1_000 });
  const counts = (await e2e.call('/crowd/?count=200')).json as Record<string, number>;
  assert.ok(connections < sandboxConnections && (counts['open'] ?? 0) <= Math.max(connections, burst) + 1, JSON.stringify(counts));
  assert.equal((counts['open'] ?? 0) + (counts['ECONNREFUSED'] ?? 0), 200);
  await eventually(
    async () => (await e2e.log('crowd')).map(({ message }) => String(message)),
    (lines) => lines.some((line) => /of a function with such a "maximum" of instances (opens|has) at most \d+/.test(line)),
  );
});

test('connections that are opened and closed as fast as can be are refused by their rate', { skip }, async () => {
  await e2e.publish(
    'hurries',
    `import net from 'node:net';
    const once = () => new Promise((resolve) => { const socket = net.connect(80, '203.0.113.1').on('connect', () => { socket.resetAndDestroy(); resolve(true); }).on('error', () => resolve(false)); });
    export const handler = async () => { for (let opened = 0; ; opened += 50) if ((await Promise.all(Array.from({ length: 50 }, once))).includes(false)) return opened; };`,
    { timeoutMs: 20_000 },
  );
  using host = new NetlinkSocket(protocol.netfilter);
  const remembered = () =>
    flowsMarked(host, 0).filter(({ destination, destinationPort }) => destination.join('.') === '203.0.113.1' && destinationPort === 80)
      .length;
  const before = remembered();
  assert.equal((await e2e.call('/hurries/')).status, 200);
  assert.ok(remembered() > before);
  await eventually(
    async () => (await e2e.log('hurries')).map(({ message }) => String(message)),
    (lines) => lines.some((line) => line.includes('opens at most')),
  );
  // The host forgets them as fast: its table is everybody's.
  await eventually(remembered, (now) => now <= before, 2 * closedConnectionSeconds * 1_000);
});

test('bytes are held to the bandwidth, both ways', { skip }, async () => {
  const { bytesPerSecond, burstBytes } = sandboxBandwidth;
  const bytes = 2 * bytesPerSecond + burstBytes;
  await e2e.publish(
    'pours',
    `import net from 'node:net';
    export const handler = () => new Promise((resolve) => { const began = performance.now(); let seen = 0; const socket = net.connect(80, '203.0.113.1'); socket.on('data', (data) => { seen += data.length; if (seen >= ${bytes}) { socket.destroy(); resolve(performance.now() - began); } }); socket.end(Buffer.alloc(${bytes})); });`,
    { memoryMiB: 256, timeoutMs: 20_000 },
  );
  const tookMs = Number((await e2e.call('/pours/')).text);
  // A second's worth goes through at once, the rest takes its second; what is dropped is sent again.
  assert.ok(tookMs > 800 && tookMs < 10_000, `${bytes} bytes there and back took ${tookMs} ms`);
});
