import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { checkBundle, levelFor, packBundle } from '../../src/build/bundle.ts';
import { unpackBundle } from '../../src/build/unpack-bundle.ts';
import { bundleIgnore } from '../../src/build/bundle-ignore.ts';
import { bundleLimits } from '../../src/build/bundle-limits.ts';

async function folderOf(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-pack-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

describe('a packed bundle', () => {
  it('is the same for the same files, whatever their times, owners and order', async (t) => {
    const one = await folderOf(t, { 'index.js': 'a', 'lib/b.js': 'b', 'lib/a.js': 'c' });
    const other = await folderOf(t, { 'lib/a.js': 'c', 'lib/b.js': 'b', 'index.js': 'a' });
    await utimes(join(other, 'index.js'), 1, 1);
    await chmod(join(other, 'lib/b.js'), 0o600);
    const [first, second] = [await packBundle(one), await packBundle(other)];
    assert.equal(first.digest, second.digest);
    assert.deepEqual(first.files, ['index.js', 'lib/a.js', 'lib/b.js']);
    assert.equal(first.size, first.bytes.length);
    await chmod(join(other, 'index.js'), 0o755);
    assert.notEqual((await packBundle(other)).digest, first.digest);
  });

  it('unpacks to what was packed', async (t) => {
    const folder = await folderOf(t, {
      'index.js': 'x'.repeat(3_000_000),
      'é/ü.txt': 'é',
      [`${'long/'.repeat(40)}name.txt`]: 'deep',
      empty: '',
    });
    const bundle = await packBundle(folder);
    assert.deepEqual((await checkBundle(Readable.from([bundle.bytes]))).sort(), [...bundle.files].sort());
    const target = await folderOf(t, {});
    await unpackBundle(Readable.from([bundle.bytes]), target);
    for (const name of bundle.files) assert.equal(await readFile(join(target, name), 'utf8'), await readFile(join(folder, name), 'utf8'));
  });

  it('in LZ4 is the same for the same files, and unpacks to what was packed; one that is cut short or goes on is refused', async (t) => {
    const files = { 'index.js': 'x'.repeat(3_000_000), 'lib/random.bin': randomBytes(400_000).toString('base64'), empty: '' };
    const [folder, target] = [await folderOf(t, files), await folderOf(t, {})];
    const bundle = await packBundle(folder, undefined, bundleLimits, 'lz4');
    assert.equal((await packBundle(folder, undefined, bundleLimits, 'lz4')).digest, bundle.digest);
    assert.equal(bundle.bytes.readUInt32LE(0), 0x184d2204);
    // However it comes in pieces.
    const pieces = Array.from({ length: Math.ceil(bundle.size / 1_000) }, (_, i) => bundle.bytes.subarray(i * 1_000, (i + 1) * 1_000));
    await unpackBundle(Readable.from(pieces), target);
    for (const [name, content] of Object.entries(files)) assert.equal(await readFile(join(target, name), 'utf8'), content);
    const refused = (bytes: Buffer) => assert.rejects(checkBundle(Readable.from([bytes])), /BundleRejected|is refused/);
    await refused(bundle.bytes.subarray(0, -5));
    await refused(Buffer.concat([bundle.bytes, Buffer.from('more')]));
    await refused(bundle.bytes.fill(7, 100, 200));
  });

  it('is compressed the more the smaller it is', () => {
    assert.deepEqual([0, 999_999, 1 << 20, 1 << 24, 1 << 30].map(levelFor), [9, 9, 6, 3, 3]);
  });

  it('leaves out what no function needs, and what .swiftletignore names', async (t) => {
    const folder = await folderOf(t, {
      'index.js': '',
      '.git/config': '',
      'npm-debug.log': '',
      'node_modules/.cache/x': '',
      'node_modules/a/index.js': '',
      'secret/key': '',
      'keep.log': '',
      'test/a.js': '',
      '.swiftletignore': 'secret/\n!keep.log\n',
    });
    assert.deepEqual((await packBundle(folder)).files, ['index.js', 'keep.log', 'node_modules/a/index.js', 'test/a.js']);
    const chosen = await bundleIgnore(folder, { exclude: ['test'], include: ['npm-debug.log'] });
    assert.deepEqual((await packBundle(folder, chosen)).files, ['index.js', 'keep.log', 'node_modules/a/index.js', 'npm-debug.log']);
  });

  it('has the content of links that stay inside', async (t) => {
    const folder = await folderOf(t, { 'packages/a/index.js': 'a', 'index.js': '' });
    await mkdir(join(folder, 'node_modules'));
    await symlink('../packages/a', join(folder, 'node_modules/a'));
    await symlink('index.js', join(folder, 'main.js'));
    const { files, bytes } = await packBundle(folder);
    assert.deepEqual(files, ['index.js', 'main.js', 'node_modules/a/index.js', 'packages/a/index.js']);
    assert.deepEqual(await checkBundle(Readable.from([bytes])), files);
  });

  const badLinks = [
    ['out', '/etc/passwd', /"out".*out of the folder/],
    ['up', '..', /"up".*out of the folder/],
    ['nowhere', 'missing', /"nowhere".*nowhere/],
    ['circle', '.', /circle.*lies in/],
  ] as const;
  for (const [name, target, reason] of badLinks) {
    it(`is refused with a link ${name}`, async (t) => {
      const folder = await folderOf(t, { 'index.js': '' });
      await symlink(target, join(folder, name));
      await assert.rejects(packBundle(folder), { code: 'BundleRejected', message: reason });
      assert.deepEqual((await packBundle(folder, (path) => path === name)).files, ['index.js']);
    });
  }

  it('is refused before it is read when it is over a limit, or cannot be unpacked elsewhere', async (t) => {
    const folder = await folderOf(t, { a: 'xxxxx', b: '', A: '' });
    await assert.rejects(packBundle(folder, undefined, { ...bundleLimits, entries: 2 }), {
      code: 'BundleRejected',
      message: /over 2 files/,
    });
    await assert.rejects(packBundle(folder, undefined, { ...bundleLimits, unpackedBytes: 4 }), {
      code: 'BundleRejected',
      message: /over 4 bytes/,
    });
    await assert.rejects(packBundle(folder, undefined, { ...bundleLimits, packedBytes: 4 }), { code: 'BundleRejected' });
    await assert.rejects(packBundle(folder), { code: 'BundleRejected', message: /case or Unicode/ });
    assert.equal((await readdir(folder)).length, 3);
  });
});
