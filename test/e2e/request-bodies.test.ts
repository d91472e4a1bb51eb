/** Bodies that are too large, in whatever form: refused while they come, and the caller gets to read why. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { openBystander } from './bystander.ts';
import { type E2e, openE2e } from './functions.ts';
import { memoryGrowth } from './platform-memory.ts';
import { closed, connectTo, statusesIn } from './raw-http.ts';

const mebibyte = 1024 * 1024;
let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
before(async () => {
  e2e = await openE2e();
  beside = await openBystander(e2e);
  await e2e.publish(
    'takes',
    'export const handler = (e) => ({ bytes: Buffer.from(e.body ?? "", e.isBase64Encoded ? "base64" : "utf8").length });',
  );
});
after(() => e2e[Symbol.asyncDispose]());

interface Sent {
  readonly answer: string;
  readonly bytes: number;
}

/** Sends a head, then a piece again and again as the other end takes it, then an end, and reads only then what was answered. */
async function sendBody(head: string, piece: Buffer, limitBytes: number, end = ''): Promise<Sent> {
  const socket = await connectTo(e2e.platform.gatewayUrl);
  let bytes = 0;
  const isOpen = () => socket.writable && !socket.destroyed;
  socket.write(`POST /takes/ HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`);
  while (bytes < limitBytes && isOpen()) {
    bytes += piece.length;
    if (!socket.write(piece)) await taken(socket);
  }
  socket.write(end);
  return { answer: await readAll(socket), bytes };
}

/** Resolves when what was written is out, or never will be. */
const taken = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    if (socket.destroyed) resolve();
    else socket.once('drain', done).once('close', done);
  });

async function readAll(socket: Socket): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  await closed(socket);
  return answer;
}

function isRefused({ answer }: Sent): void {
  assert.deepEqual(statusesIn(answer), [413], answer);
  assert.match(answer, /"code":"RequestTooLarge"/);
}

const chunk = (bytes: Buffer, extension = '') =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}${extension}\r\n`), bytes, Buffer.from('\r\n')]);

test('a length over the limit: 413, and the caller reads it even after it has sent all', async () => {
  const declared = 6 * mebibyte + 1;
  isRefused(await beside(() => sendBody(`Content-Length: ${declared}`, Buffer.alloc(declared), declared)));
});

test('a length of an exabyte, and a body that goes on: 413, and not much of it is taken', async () => {
  const sent = await beside(() => sendBody(`Content-Length: ${2 ** 60}`, Buffer.alloc(64 * 1024), 1024 * mebibyte));
  assert.ok(sent.bytes < 64 * mebibyte, `${sent.bytes} bytes were taken`);
});

test('chunks over the limit: 413, and the caller reads it', async () => {
  isRefused(await beside(() => sendBody('Transfer-Encoding: chunked', chunk(Buffer.alloc(64 * 1024)), 7 * mebibyte)));
});

test('chunks without end: cut off while they come', async () => {
  const sent = await beside(() => sendBody('Transfer-Encoding: chunked', chunk(Buffer.alloc(64 * 1024)), 1024 * mebibyte));
  assert.ok(sent.bytes < 64 * mebibyte, `${sent.bytes} bytes were taken`);
});

test('chunks of one byte with long extensions: the memory they take is bounded', async () => {
  const piece = Buffer.concat(Array.from({ length: 100 }, () => chunk(Buffer.from('x'), `;${'e'.repeat(1_000)}`)));
  const grown = await memoryGrowth(e2e, () =>
    beside(() => sendBody('Transfer-Encoding: chunked\r\nConnection: close', piece, 64 * mebibyte, '0\r\n\r\n')),
  );
  assert.deepEqual(statusesIn(grown.result.answer), [200]);
  assert.ok(grown.mebibytes <= 32, `the platform grew by ${grown.mebibytes} MiB`);
});

for (const [coding, compressed] of [
  ['gzip', gzipSync(Buffer.alloc(1024 * mebibyte))],
  ['br', brotliCompressSync(Buffer.alloc(256 * mebibyte), { params: { 1: 5 } })],
] as const) {
  test(`a body that ${coding} would make huge is passed on as it is`, async () => {
    const { mebibytes, result } = await memoryGrowth(e2e, () =>
      beside(() =>
        e2e.call('/takes/', {
          method: 'POST',
          body: new Uint8Array(compressed),
          headers: { 'content-encoding': coding, 'content-type': 'application/octet-stream' },
        }),
      ),
    );
    assert.deepEqual(result.json, { bytes: compressed.length });
    assert.ok(mebibytes <= 32, `the platform grew by ${mebibytes} MiB`);
  });
}
