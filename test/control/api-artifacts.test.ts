import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { bundleMediaType } from '../../src/build/bundle.ts';
import { bundle as limits } from '../../src/model/limits.ts';
import { rawEntry, tar } from '../build/hostile-tar.ts';
import { assertProblem, bundleOf, type ControlUnderTest, sha256, startUnderTest, token } from './control-under-test.ts';
import { needsMount, smallDisk } from './small-disk.ts';

const staged = ({ folder }: ControlUnderTest) => readdirSync(join(folder, 'control/blobs/staging'));
const blobAt = ({ folder }: ControlUnderTest, digest: string) => join(folder, 'control/blobs', digest.slice(0, 2), digest);

/** Starts an upload and leaves it open. */
async function beginUpload(url: string, digest: string, headers: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    `PUT /v1/artifacts/${digest} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: ${bundleMediaType}\r\n${headers}\r\n\r\n`,
  );
  return socket;
}

async function eventually(check: () => boolean): Promise<void> {
  for (let i = 0; !check(); i += 1) {
    assert.ok(i < 200, 'it did not come to pass');
    await sleep(10);
  }
}

describe('artifacts of the API', () => {
  it('are uploaded once', async (t) => {
    const control = await startUnderTest(t);
    const bytes = bundleOf({ 'index.js': '1' });
    const digest = sha256(bytes);
    assert.equal((await control.call(`/v1/artifacts/${digest}`, { method: 'HEAD' })).status, 404);
    const first = await control.upload(bytes);
    assert.deepEqual([first.status, first.json], [201, { digest, size: bytes.length }]);
    assert.equal((await control.upload(bytes)).status, 200);
    assert.equal((await control.call(`/v1/artifacts/${digest}`, { method: 'HEAD' })).status, 200);
    assert.ok(existsSync(blobAt(control, digest)));
    assert.deepEqual(staged(control), []);
  });

  it('are uploaded many at once', async (t) => {
    const control = await startUnderTest(t);
    const bundles = Array.from({ length: 5 }, (_, i) => bundleOf({ 'index.js': String(i) }));
    const answers = await Promise.all([...bundles, ...bundles].map((bytes) => control.upload(bytes)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 201]);
    assert.deepEqual(staged(control), []);
  });

  const refused: readonly (readonly [what: string, bytes: Buffer, detail: RegExp])[] = [
    ['a name that leads out', zstdCompressSync(tar({ name: '../../evil' })), /"\.\.\/\.\.\/evil"/],
    ['a link', zstdCompressSync(tar({ name: 'l', type: '2', link: '/etc/passwd' })), /symlink/],
    [
      'a bomb',
      zstdCompressSync(Buffer.concat([rawEntry({ name: 'big', size: 500_000_000 }), Buffer.alloc(100_000_000)])),
      /times its size/,
    ],
    ['no compression', tar({ name: 'index.js' }), /damaged/],
    ['a cut', bundleOf({ 'index.js': '1' }).subarray(0, 40), /cut short/],
    ['nothing in it', Buffer.alloc(0), /cut short/],
  ];
  for (const [what, bytes, detail] of refused) {
    it(`are refused with ${what}, and nothing is kept`, async (t) => {
      const control = await startUnderTest(t);
      assertProblem(await control.upload(bytes), 422, 'BundleRejected', detail);
      assert.deepEqual(readdirSync(join(control.folder, 'control/blobs')), ['staging']);
      assert.deepEqual(staged(control), []);
    });
  }

  it('are refused under another digest, or what is no digest', async (t) => {
    const control = await startUnderTest(t);
    const bytes = bundleOf({ 'index.js': '1' });
    assertProblem(await control.upload(bytes, 'a'.repeat(64)), 422, 'BundleRejected', /its SHA-256 is [0-9a-f]{64}, not a{64}/);
    assertProblem(await control.upload(bytes, '..%2F..%2Fetc'), 400, 'BadRequest', /digest/);
    assertProblem(
      await control.call(`/v1/artifacts/${sha256(bytes)}`, { method: 'PUT', body: '{}' }),
      400,
      'BadRequest',
      /vnd\.swiftlet\.bundle/,
    );
  });

  it('are refused when they say that they are too large, before they come', async (t) => {
    const control = await startUnderTest(t);
    const socket = await beginUpload(control.url, 'a'.repeat(64), `content-length: ${limits.packedBytes + 1}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 413 .*RequestTooLarge/s);
    socket.destroy();
  });

  it('are refused while they come when they turn out too large', async (t) => {
    const control = await startUnderTest(t);
    const socket = await beginUpload(control.url, 'a'.repeat(64), 'transfer-encoding: chunked');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000), Buffer.from('\r\n')]);
    for (let sent = 0; sent < 2 * limits.packedBytes && answer === '' && !socket.destroyed; sent += 0x100000) {
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    await eventually(() => answer !== '' || socket.destroyed);
    assert.match(answer, /^HTTP\/1\.1 413 .*RequestTooLarge/s);
    socket.destroy();
    await eventually(() => staged(control).length === 0);
  });

  it('leave nothing when the client dies in the middle', async (t) => {
    const control = await startUnderTest(t);
    const bytes = bundleOf({ 'index.js': '1' });
    const socket = await beginUpload(control.url, sha256(bytes), `content-length: ${bytes.length}`);
    socket.write(bytes.subarray(0, 20));
    await eventually(() => staged(control).length === 1);
    socket.destroy();
    await eventually(() => staged(control).length === 0);
    assert.equal((await control.call(`/v1/artifacts/${sha256(bytes)}`, { method: 'HEAD' })).status, 404);
    assert.equal((await control.upload(bytes)).status, 201);
  });

  it('are refused on a full disk, which loses nothing', async (t) => {
    const disk = smallDisk(t, 4 * 1024 * 1024);
    if (disk === undefined) {
      t.skip(needsMount);
      return;
    }
    const control = await startUnderTest(t, disk);
    const digest = await control.bundle();
    await control.put('/v1/functions/hello', { digest });
    const noise = randomBytes(8_000_000);
    const large = bundleOf({ 'index.js': noise.toString('latin1') });
    assertProblem(await control.upload(large), 507, 'StorageFull', /free some space/);
    assert.deepEqual(staged(control), []);
    assert.equal((await control.call('/v1/functions/hello')).status, 200);
    assert.equal((await control.put('/v1/functions/hello', { digest, config: { memoryMiB: 256 } })).status, 200);
    await control.stop();
  });

  it('outlive a restart, and half ones do not', async (t) => {
    const first = await startUnderTest(t);
    const digest = await first.bundle();
    await first.put('/v1/functions/hello', { digest });
    const unfinished = await beginUpload(first.url, 'a'.repeat(64), 'content-length: 1000');
    unfinished.write('some');
    await eventually(() => staged(first).length === 1);
    await first.stop();
    unfinished.destroy();
    const second = await startUnderTest(t, first.folder);
    assert.deepEqual(staged(second), []);
    assert.equal((await second.call(`/v1/artifacts/${digest}`, { method: 'HEAD' })).status, 200);
    assert.equal((await second.call('/v1/functions/hello')).status, 200);
  });
});
