import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createZstdCompress, zstdCompressSync } from 'node:zlib';
import { checkBundle } from '../../src/build/bundle.ts';
import { unpackBundle } from '../../src/build/unpack-bundle.ts';
import { type BundleLimits, bundleLimits } from '../../src/build/bundle-limits.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { packed, paxEntry, rawEntry, tar, tarEnd } from './hostile-tar.ts';

const rejectedWith = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SwiftletError, String(error));
  assert.equal(error.code, 'BundleRejected');
  assert.match(error.message, reason);
  // What, why, and what to do about it.
  assert.match(error.message, /is refused: .+; .+/);
  return true;
};

const good = { name: 'index.js', content: 'export const handler = () => 1;' };

const hostile: readonly (readonly [what: string, archive: Buffer, reason: RegExp])[] = [
  ['a parent', tar({ name: '../x' }), /"\.\.\/x".*"\.\."/],
  ['a parent in the middle', tar({ name: 'a/../../x' }), /"\.\."/],
  ['a parent as a folder', tar({ name: '../', type: '5' }), /"\.\."/],
  ['an absolute name', tar({ name: '/etc/passwd' }), /absolute/],
  ['NUL', tar(paxEntry('a\0b')), /control character/],
  ['a line break', tar({ name: 'a\nb' }), /control character/],
  ['a backslash', tar({ name: 'a\\..\\b' }), /backslash/],
  ['no name', tar({ name: '' }), /no name/],
  ['a dot as a file', tar({ name: './' + '.', type: '0' }), /"\." or "\.\."|empty/],
  ['an empty part', tar({ name: 'a//b' }), /empty/],
  ['bytes that are not UTF-8', tar({ name: Buffer.from([0x61, 0xff, 0x62]) }), /UTF-8/],
  ['a long name', tar(paxEntry('abcdefg/'.repeat(200) + 'x')), /over 1024 bytes/],
  ['a long part', tar(paxEntry('a'.repeat(300))), /over 255 bytes/],
  ['a symbolic link', tar({ name: 'l', type: '2', link: '/etc' }), /symlink/],
  ['a hard link', tar(good, { name: 'l', type: '1', link: 'index.js' }), /link/],
  ['a character device', tar({ name: 'null', type: '3' }), /character-device/],
  ['a block device', tar({ name: 'sda', type: '4' }), /block-device/],
  ['a FIFO', tar({ name: 'pipe', type: '6' }), /fifo/],
  ['an unknown kind', tar({ name: 'sparse', type: 'S' }), /unknown kind/],
  ['setuid', tar({ ...good, mode: 0o4755 }), /setuid/],
  ['setgid', tar({ ...good, mode: 0o2755 }), /setgid/],
  ['sticky', tar({ name: 'd', type: '5', mode: 0o1777 }), /sticky/],
  ['the same twice', tar(good, good), /twice/],
  ['the same twice, once with ./', tar(good, { ...good, name: './index.js' }), /twice/],
  ['names that differ in case', tar(good, { name: 'INDEX.js' }), /case or Unicode/],
  ['folders that differ in case', tar({ name: 'a/x' }, { name: 'A/y' }), /case or Unicode/],
  ['names that differ in Unicode form', tar({ name: 'caf\u00e9' }, { name: 'cafe\u0301' }), /case or Unicode/],
  ['a file that is also a folder', tar({ name: 'a' }, { name: 'a/b' }), /both a file and a folder/],
  ['a folder that is also a file', tar({ name: 'a/b' }, { name: 'a' }), /both a file and a folder/],
  ['a size beyond the limit', tar({ name: 'big', size: 0o7777777777 }), /over/],
  ['a size beyond the end', Buffer.concat([rawEntry({ name: 'lie', content: 'x', size: 5000 }), tarEnd]), /damaged or cut short/],
  ['no end mark', rawEntry({ name: 'a', content: 'abc' }), /cut short/],
  ['nothing', Buffer.alloc(0), /cut short/],
  ['no archive', Buffer.alloc(4096, 'x'), /damaged/],
  ['something after the end mark', Buffer.concat([tar(good), Buffer.alloc(1024, 'x')]), /damaged/],
];

describe('a hostile bundle', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swiftlet-bundle-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const [what, archive, reason] of hostile) {
    it(`is refused for ${what}`, async () => {
      await assert.rejects(checkBundle(packed(archive)), rejectedWith(reason));
    });
  }

  it('is refused when it is an image of a file system, however well it is made', async () => {
    const squashfs = Buffer.alloc(8_192);
    squashfs.write('hsqs');
    const erofs = Buffer.alloc(8_192);
    erofs.writeUInt32LE(0xe0f5e1e2, 1_024);
    for (const image of [squashfs, erofs])
      await assert.rejects(checkBundle(Readable.from([image])), rejectedWith(/image of a file system/));
  });

  it('writes nothing outside its folder', async () => {
    for (const [index, [, archive]] of hostile.entries()) {
      const inner = join(folder, 'outer', String(index));
      await mkdir(inner, { recursive: true });
      await assert.rejects(unpackBundle(packed(archive), inner), SwiftletError);
      await rm(inner, { recursive: true });
    }
    assert.deepEqual(await readdir(join(folder, 'outer')), []);
    assert.deepEqual(await readdir(folder), ['outer']);
  });

  it('is refused when it is not compressed, cut short, or followed by something', async () => {
    const bytes = zstdCompressSync(tar(good));
    await assert.rejects(checkBundle(Readable.from([tar(good)])), rejectedWith(/damaged/));
    for (const length of [0, 1, 10, bytes.length - 1]) {
      await assert.rejects(checkBundle(Readable.from([bytes.subarray(0, length)])), rejectedWith(/damaged or cut short/));
    }
    await assert.rejects(checkBundle(Readable.from([Buffer.concat([bytes, Buffer.from('PK')])])), rejectedWith(/follows its end|damaged/));
    await assert.rejects(checkBundle(Readable.from([bytes, Buffer.alloc(100_000)])), rejectedWith(/follows its end|damaged/));
  });
});

describe('a bomb', () => {
  const limits: BundleLimits = { packedBytes: 1_000_000, unpackedBytes: 40_000_000, entries: 1_000, ratio: 50 };
  const compressed = async function* (chunks: Iterable<Buffer>) {
    yield* Readable.from(chunks).pipe(createZstdCompress());
  };
  function* endless(entry: Buffer) {
    for (let i = 0; i < 3_000_000; i += 1) yield entry;
  }
  function* emptyFiles() {
    for (let i = 0; ; i += 1) yield rawEntry({ name: `f${i}` });
  }
  function* hugeFile() {
    yield rawEntry({ name: 'huge', size: 0o3777777777 }).subarray(0, 512);
    yield* endless(Buffer.alloc(65_536));
  }
  const bombs: readonly (readonly [what: string, source: Iterable<Buffer>, reason: RegExp, limits: BundleLimits])[] = [
    ['of zeros', hugeFile(), /times its size/, { ...bundleLimits, unpackedBytes: 1 << 30 }],
    ['of bytes', hugeFile(), /over 40000000 bytes/, { ...limits, ratio: 1e9, unpackedBytes: 40_000_000 }],
    ['of files', emptyFiles(), /over 1000 files/, limits],
    ['of one folder', endless(rawEntry({ name: 'd/', type: '5' })), /over 1000 files/, limits],
    [
      'of headers',
      endless(Buffer.concat([rawEntry({ name: 'x', type: 'x', content: '6 a=b\n'.repeat(100_000) })])),
      /times|over/,
      bundleLimits,
    ],
    ['of nothing', endless(Buffer.alloc(65_536)), /times its size/, bundleLimits],
  ];
  for (const [what, source, reason, under] of bombs) {
    it(`${what} is refused within 5 s, in bounded memory`, async () => {
      const before = process.memoryUsage().rss;
      const started = performance.now();
      await assert.rejects(checkBundle(Readable.from(compressed(source)), under), (error: unknown) => {
        assert.ok(error instanceof SwiftletError && error.code === 'BundleRejected', String(error));
        assert.match(error.message, reason.source.includes('40000000') ? /over/ : reason);
        return true;
      });
      assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`);
      assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    });
  }

  it('of files is refused within 5 s at the real limits too', () => {
    const archive = zstdCompressSync(Buffer.concat([...emptyFiles().take(60_000)]));
    const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.resolve('./check-alone.ts'))], {
      input: archive,
      encoding: 'utf8',
    });
    const { code, message, tookMs } = JSON.parse(stdout) as { code?: string; message: string; tookMs: number };
    assert.equal(code, 'BundleRejected');
    assert.match(message, /over 50000 files/);
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
  });

  it('that is over the packed limit is refused while it comes', async () => {
    const noise = function* () {
      for (;;) yield crypto.getRandomValues(Buffer.alloc(65_536));
    };
    const source = Readable.from(
      compressed(
        [rawEntry({ name: 'big', size: 30_000_000 }).subarray(0, 512)]
          .values()
          .toArray()
          .concat([...noise().take(400)]),
      ),
    );
    await assert.rejects(checkBundle(source, limits), rejectedWith(/over 1000000 bytes/));
  });
});

describe('a good bundle', () => {
  it('is unpacked readable by all and writable by none', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'swiftlet-bundle-'));
    t.after(() => rm(folder, { recursive: true }));
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    const archive = tar(
      good,
      { name: './bin/', type: '5' },
      { name: './bin/run', content: '#!', mode: 0o700 },
      { name: 'a/b/c.txt', content: 'x' },
    );
    await unpackBundle(packed(archive), folder);
    assert.equal(await readFile(join(folder, 'index.js'), 'utf8'), good.content);
    const mode = async (name: string) => ((await stat(join(folder, name))).mode & 0o7777).toString(8);
    assert.deepEqual(await Promise.all(['index.js', 'bin/run', 'a/b/c.txt', 'a', 'a/b', 'bin'].map(mode)), [
      '444',
      '555',
      '444',
      '755',
      '755',
      '755',
    ]);
  });

  it('names its files', async () => {
    assert.deepEqual(await checkBundle(packed(tar(good, { name: 'lib/', type: '5' }, { name: './lib/a.js' }))), ['index.js', 'lib/a.js']);
  });

  it('can be given up', async () => {
    const stopped = new AbortController();
    const endless = Readable.from(
      (async function* () {
        yield zstdCompressSync(tar(good)).subarray(0, 20);
        stopped.abort();
        await new Promise(() => undefined);
      })(),
    );
    await assert.rejects(checkBundle(endless, bundleLimits, stopped.signal), { name: 'AbortError' });
  });
});
