/** Output and answers without end, and what they cost the platform in memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { openBystander } from './bystander.ts';
import { type E2e, eventually } from './functions.ts';
import { type Memory, memoryGrowth } from './platform-memory.ts';
import { closed, connectTo } from './raw-http.ts';

type Beside = Awaited<ReturnType<typeof openBystander>>;

export const outputForms = ['lines', 'oneLine', 'raw'] as const;
export type OutputForm = (typeof outputForms)[number];

const mebibyte = 1024 * 1024;
/** Enough for garbage to be collected as often as it will be. */
const warmUpMiB = { shouts: 200, pours: 1_500 };
/** One instance, however busy it is: a second would stay for a while, and what the platform holds would not be what it held. */
const config = { timeoutMs: 600_000, memoryMiB: 1_024, maximum: 1 };

export async function publishFloods(e2e: E2e): Promise<Memory> {
  await e2e.publish(
    'shouts',
    `import fs from 'node:fs'; import { spawn } from 'node:child_process';
    const piece = 'x'.repeat(1 << 20);
    const forms = {
      lines: (n) => { const line = 'x'.repeat(100_000); for (let i = 0; i < n * 10.5; i++) console.log(line); },
      oneLine: (n) => { for (let i = 0; i < n; i++) process.stdout.write(piece); },
      // Another program's: no runtime stands before it.
      raw: (n) => new Promise((r) => spawn('/bin/sh', ['-c', 'head -c ' + n * (1 << 20) + ' /dev/zero | tr "\\\\0" x'], { stdio: ['ignore', 'inherit', 'inherit'] }).on('exit', r)),
    };
    export const handler = async (e) => { await forms[e.rawPath.slice(1)](Number(e.queryStringParameters.n)); return 'done'; };`,
    config,
  );
  await e2e.publish(
    'pours',
    `const piece = new Uint8Array(65536);
    export default { fetch(request) {
      let left = Number(new URL(request.url).searchParams.get('n')) * 16;
      return new Response(new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece); else c.close(); } }));
    } };`,
    config,
  );
  await e2e.publish(
    'returns',
    `export const handler = ({ rawPath }) => rawPath === '/body' ? 'x'.repeat(100_000_000)
      : { statusCode: 200, headers: rawPath === '/header' ? { x: 'y'.repeat(10_000_000) } : Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => ['h' + i, 'v'])) };`,
    config,
  );
  const { peaks } = await memoryGrowth(e2e, async () => {
    for (const form of outputForms) await e2e.call(`/shouts/${form}?n=${warmUpMiB.shouts}`);
    await takeAll(e2e, warmUpMiB.pours);
  });
  return peaks;
}

/** @param before what `publishFloods` gave */
export async function outputWithoutEnd(e2e: E2e, beside: Beside, before: Memory, form: OutputForm, mebibytes: number) {
  const growth = await memoryGrowth(e2e, () => beside(() => e2e.call(`/shouts/${form}?n=${mebibytes}`)), before);
  assert.equal(growth.result.text, '"done"');
  const id = growth.result.headers.get('x-swiftlet-request-id');
  const records = await eventually(
    () => e2e.log('shouts'),
    (all) => all.some((record) => record['requestId'] === id && record['level'] === 'report'),
  );
  const messages = records.map((record) => String(record['message']));
  const marks = messages.filter((message) => /bytes cut\)|were dropped/.test(message)).length;
  return { ...growth, marks, keptBytes: messages.join('').length };
}

/** @param before what `publishFloods` gave */
export const answerWithoutEnd = (e2e: E2e, beside: Beside, before: Memory, reader: 'fast' | 'none', mebibytes: number) =>
  memoryGrowth(e2e, () => beside(() => (reader === 'fast' ? takeAll(e2e, mebibytes) : takeNothing(e2e, mebibytes))), before);

async function pour({ platform }: E2e, mebibytes: number): Promise<Socket> {
  const socket = await connectTo(platform.gatewayUrl);
  socket.write(`GET /pours/?n=${mebibytes} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return socket;
}

async function takeAll(e2e: E2e, mebibytes: number): Promise<void> {
  const socket = await pour(e2e, mebibytes);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await closed(socket);
  assert.ok(bytes >= mebibytes * mebibyte, `only ${bytes} bytes came`);
}

const stalledMs = 2_000;

async function takeNothing(e2e: E2e, mebibytes: number): Promise<void> {
  const socket = await pour(e2e, mebibytes);
  await once(socket, 'data');
  socket.pause();
  await new Promise((resolve) => setTimeout(resolve, stalledMs));
  socket.destroy();
}
