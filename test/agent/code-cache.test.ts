import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { CodeCache, type CodeCacheLimit, codeKey, type CodeRef } from '../../src/agent/code-cache.ts';
import { type Images, inspectImages, openImages } from '../../src/agent/linux/images.ts';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { evictions } from '../../src/agent/evictions.ts';
import { imageFor, imageFrom, type ImageKind, imageKinds, type PlaceForm } from '../../src/model/artifact-format.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { imagesText } from '../../src/cli/images-text.ts';
import { bundleOf } from '../control/control-under-test.ts';
import { needsMount, smallDisk } from '../control/small-disk.ts';
import { tempFolder } from '../control/temp-folder.ts';

/** A store that counts what is asked for. */
class Store {
  readonly opened: string[] = [];
  readonly #bundles = new Map<string, Buffer>();

  add(files: Record<string, string>): CodeRef {
    const bytes = bundleOf(files);
    const digest = createHash('sha256').update(bytes).digest('hex');
    this.#bundles.set(digest, bytes);
    return { tenant: 'default', digest };
  }

  replace({ digest }: CodeRef, bytes: Buffer): void {
    this.#bundles.set(digest, bytes);
  }

  open(digest: string): Promise<Readable> {
    this.opened.push(digest);
    return Promise.resolve(Readable.from([this.#bundles.get(digest) ?? Buffer.alloc(0)]));
  }
}

const underTest = (t: TestContext, limit?: CodeCacheLimit, images?: Images) => {
  const [folder, store, clock] = [tempFolder(t), new Store(), { now: 0 }];
  const open = () => new CodeCache(folder, store, () => (clock.now += 1), limit, images);
  return { folder, store, open, cache: open() };
};

describe('unpacked code', () => {
  it('is fetched once, however many wait for it', async (t) => {
    const { store, cache } = underTest(t);
    const ref = store.add({ 'index.js': '1' });
    const folders = await Promise.all(Array.from({ length: 100 }, () => cache.place(ref)));
    assert.equal(new Set(folders).size, 1);
    assert.equal(store.opened.length, 1);
    assert.equal(readFileSync(join(folders[0] ?? '', 'index.js'), 'utf8'), '1');
    assert.equal(cache.placed({ ...ref, tenant: 'other' }), undefined, 'another tenant has it for its own');
  });

  it('is not used when it is not what its digest says, and is fetched again', async (t) => {
    const { folder, store, cache } = underTest(t);
    const ref = store.add({ 'index.js': 'as it was' });
    store.replace(ref, bundleOf({ 'index.js': 'as somebody else has it' }));
    await assert.rejects(
      cache.place(ref),
      (error) => error instanceof SwiftletError && error.code === 'Unavailable' && /damaged/.test(error.message),
    );
    assert.deepEqual(readdirSync(join(folder, 'default')), []);
    store.replace(ref, bundleOf({ 'index.js': 'as it was' }));
    assert.ok(existsSync(await cache.place(ref)));
  });

  const damages: readonly (readonly [what: string, damage: (folder: string) => void])[] = [
    ['a file is shorter', (folder) => overwrite(join(folder, 'index.js'), '')],
    ['a byte is another one', (folder) => overwrite(join(folder, 'index.js'), '2')],
    ['a file is missing', (folder) => rmSync(join(folder, 'lib', 'a.js'))],
    ['a file is too many', (folder) => writeFileSync(join(folder, 'lib', 'b.js'), '')],
    ['it may be executed', (folder) => chmodSync(join(folder, 'index.js'), 0o555)],
    ['its sum is gone', (folder) => rmSync(`${folder}.sum`)],
    ['its sum is cut short', (folder) => writeFileSync(`${folder}.sum`, '{"dig')],
  ];
  for (const [what, damage] of damages)
    it(`from an earlier process is fetched again when ${what}`, async (t) => {
      const { store, cache, open } = underTest(t);
      const ref = store.add({ 'index.js': '1', 'lib/a.js': 'a' });
      const placed = await cache.place(ref);
      damage(placed);
      const next = open();
      assert.equal(next.placed(ref), undefined, 'nobody has looked at it yet');
      await next.place(ref);
      assert.equal(store.opened.length, 2);
      assert.deepEqual(readdirSync(placed, { recursive: true }).toSorted(), ['index.js', 'lib', 'lib/a.js']);
      assert.equal(readFileSync(join(placed, 'index.js'), 'utf8'), '1');
    });

  it('from an earlier process is used as it is when it is whole; half of it is removed', async (t) => {
    const { folder, store, cache, open } = underTest(t);
    const ref = store.add({ 'index.js': '1' });
    const placed = await cache.place(ref);
    // What a host makes of it itself is no part of it.
    mkdirSync(join(placed, '.swiftlet', 'x'), { recursive: true });
    for (const half of [`${'a'.repeat(64)}.new`, 'b'.repeat(64), `${'c'.repeat(64)}.sum`]) mkdirSync(join(folder, 'default', half));
    const next = open();
    assert.equal(await next.place(ref), placed);
    assert.equal(store.opened.length, 1);
    assert.deepEqual(readdirSync(join(folder, 'default')).toSorted(), [ref.digest, `${ref.digest}.sum`]);
  });

  it('goes when nobody needs it any more', async (t) => {
    const { folder, store, cache, open } = underTest(t);
    const [kept, dropped] = [store.add({ 'index.js': 'kept' }), store.add({ 'index.js': 'dropped' })];
    await Promise.all([cache.place(kept), cache.place(dropped)]);
    mkdirSync(join(folder, 'd'.repeat(64)));
    const next = open();
    await next.keepOnly(new Set([codeKey(kept)]));
    assert.deepEqual(readdirSync(folder), ['default'], 'what releases before tenants had is gone, too');
    assert.deepEqual(readdirSync(join(folder, 'default')).toSorted(), [kept.digest, `${kept.digest}.sum`]);
  });

  it('goes for want of room, the least recently used first, never what is in use, and comes back when it is asked for', async (t) => {
    const evicted: string[] = [];
    const inUse = new Set<string>();
    const limit = { bytes: 2_500, inUse: () => inUse, evicted: (key: string) => evicted.push(key), notMade: () => undefined };
    const { store, cache, folder } = underTest(t, limit);
    const refs = ['a', 'b', 'c', 'd'].map((letter) => store.add({ 'index.js': letter.repeat(1_000) }));
    const [a, b, c, d] = refs as [CodeRef, CodeRef, CodeRef, CodeRef];
    inUse.add(codeKey(a));
    await cache.place(a);
    await cache.place(b);
    assert.ok(cache.hasRoomAhead(c));
    await cache.place(c);
    assert.deepEqual(evicted, [codeKey(b)]);
    assert.ok(!cache.hasRoomAhead(b), 'what has just gone does not come back by itself');
    assert.ok(!existsSync(join(folder, codeKey(b))));
    await cache.place(b);
    assert.deepEqual(evicted, [codeKey(b), codeKey(c)]);
    inUse.add(codeKey(b));
    await cache.place(d);
    assert.equal(cache.bytes, 3_000, 'what is in use and what is asked for may be over the limit');
  });

  it('is placed whole or not at all on a disk that is full', async (t) => {
    const disk = smallDisk(t, 256 * 1024);
    if (disk === undefined) {
      t.skip(needsMount);
      return;
    }
    const store = new Store();
    const cache = new CodeCache(join(disk, 'code'), store, () => 0);
    // Random enough that it does not shrink, so that its archive is no bomb.
    const noise = (outputLength: number) => createHash('shake256', { outputLength }).update('x').digest('hex');
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`lib/${i}.js`, noise(10_000)]));
    for (const files of [{ 'index.js': noise(500_000) }, many]) {
      await assert.rejects(cache.place(store.add(files)), (error) => error instanceof SwiftletError && error.code === 'StorageFull');
      assert.deepEqual(readdirSync(join(disk, 'code', 'default')), []);
    }
    assert.ok(await cache.place(store.add({ 'index.js': 'small' })));
  });
});

/** Mounted at a folder, or below it. */
const mountsIn = (folder: string): number =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${folder}`)).length;

describe('unpacked code as an image', () => {
  const images = openImages(hasSysAdmin());
  const skip =
    images.kinds.length === imageKinds.length ? false : 'needs root, loop devices, squashfs-tools, erofs-utils and a kernel with both';
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`lib/${i}.js`, `module.exports = ${i};`.repeat(100)]));

  for (const kind of imageKinds)
    it(`is mounted in its place, the same for the same files, and what is derived of it can be written: ${kind}`, { skip }, async (t) => {
      const { folder, store, cache, open } = underTest(t, undefined, images);
      const ref = store.add(files);
      const placed = await cache.place(ref, kind);
      assert.equal(readFileSync(join(placed, 'lib', '7.js'), 'utf8'), files['lib/7.js']);
      assert.throws(() => writeFileSync(join(placed, 'lib', '7.js'), ''), /EROFS/);
      mkdirSync(join(placed, '.swiftlet', 'made'));
      const image = readFileSync(`${placed}.img`);
      // As after a kill: the mounts are there, and nobody owns them.
      const next = open();
      assert.equal(mountsIn(folder), 0);
      await next.place(ref);
      assert.equal(store.opened.length, 1, 'found again, and not unpacked anew');
      assert.ok(existsSync(join(placed, '.swiftlet', 'made')));
      await next.keepOnly(new Set());
      assert.deepEqual([mountsIn(folder), readdirSync(join(folder, 'default'))], [0, []]);
      await next.place(ref, kind);
      assert.deepEqual(readFileSync(`${placed}.img`), image);
      next.close();
    });

  it('that is damaged, or cannot be mounted any more, is unpacked anew', { skip }, async (t) => {
    const { store, cache, open } = underTest(t, undefined, images);
    const ref = store.add(files);
    const placed = await cache.place(ref, 'squashfs');
    cache.close();
    overwrite(`${placed}.img`, 'damaged');
    const next = open();
    await next.place(ref, 'squashfs');
    const found = readFileSync(join(placed, 'lib', '7.js'), 'utf8');
    next.close();
    assert.deepEqual([store.opened.length, found], [2, files['lib/7.js']]);
  });

  it('that cannot be made, or be mounted, is a folder', async (t) => {
    for (const broken of ['make', 'mount'] as const) {
      const why: string[] = [];
      const refused = () => Promise.reject(new Error(`no ${broken}`));
      const made = (_kind: string, _folder: string, file: string) => writeFile(file, 'an image');
      const fake: Images = {
        kinds: ['erofs'],
        make: made,
        mount: refused,
        bind: refused,
        unmount: () => undefined,
        unmountBelow: () => undefined,
        [broken]: refused,
      };
      const limit = {
        bytes: Infinity,
        inUse: () => new Set<string>(),
        evicted: () => undefined,
        notMade: (what: string) => why.push(what),
      };
      const { store, cache } = underTest(t, limit, fake);
      const placed = await cache.place(store.add(files), 'erofs');
      assert.ok(existsSync(join(placed, 'lib', '7.js')));
      assert.deepEqual(why, [`erofs: no ${broken}`]);
    }
  });

  it('that takes long to be made is made for nobody who waits: a folder is there already', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const begun = Promise.withResolvers<undefined>();
    const never = () => Promise.reject(new Error('never'));
    const slow: Images = {
      kinds: ['erofs'],
      async make(_kind, _folder, file, signal) {
        await writeFile(file, 'half an image');
        begun.resolve(undefined);
        await once(signal, 'abort');
        signal.throwIfAborted();
      },
      mount: never,
      bind: never,
      unmount: () => undefined,
      unmountBelow: () => undefined,
    };
    const why: string[] = [];
    const limit = { bytes: Infinity, inUse: () => new Set<string>(), evicted: () => undefined, notMade: (what: string) => why.push(what) };
    const { folder, store, cache } = underTest(t, limit, slow);
    const ref = store.add(files);
    const ahead = cache.place(ref, 'erofs');
    await begun.promise;
    t.mock.timers.tick(1_000_000);
    const waiting = cache.place(ref, 'folder', true);
    t.mock.timers.tick(2_000);
    assert.equal(await waiting, await ahead);
    assert.deepEqual(readdirSync(await waiting), ['lib']);
    assert.deepEqual(readdirSync(join(folder, 'default')).toSorted(), [ref.digest, `${ref.digest}.sum`]);
    assert.match(why.join(), /^erofs: a request waits/);
  });

  const cases: readonly (readonly [
    form: PlaceForm,
    files: number,
    bytes: number,
    kinds: readonly ImageKind[],
    becomes: ImageKind | undefined,
  ])[] = [
    ['auto', 10, 10_000, imageKinds, undefined],
    ['auto', imageFrom.files, 10_000, imageKinds, 'erofs'],
    ['auto', 1, imageFrom.bytes, ['squashfs'], 'squashfs'],
    ['auto', 100_000, imageFrom.bytes, [], undefined],
    ['folder', 100_000, imageFrom.bytes, imageKinds, undefined],
    ['squashfs', 1, 1, imageKinds, 'squashfs'],
    ['squashfs', 1, 1, ['erofs'], 'erofs'],
    ['squashfs', 1, 1, [], undefined],
  ];
  for (const [form, count, bytes, kinds, becomes] of cases)
    it(`${form} of ${count} files and ${bytes} bytes, with ${kinds.join(' and ') || 'nothing'}: ${becomes ?? 'a folder'}`, () =>
      assert.equal(imageFor(form, { files: count, bytes }, kinds), becomes));

  it('needs what makes it, a kernel that knows it, and loop devices', () => {
    const all = () => true;
    assert.deepEqual(inspectImages(all, ['erofs', 'squashfs']), [{ kind: 'erofs' }, { kind: 'squashfs' }]);
    assert.match(inspectImages((path) => !path.includes('mkfs'), ['erofs'])[0]?.missing?.remedy ?? '', /apt-get install -y erofs-utils/);
    const one = inspectImages(all, ['erofs']);
    assert.match(
      imagesText(one, true),
      /read on demand \(erofs: can be used · squashfs: this kernel knows no squashfs; as root: modprobe squashfs/,
    );
    assert.match(imagesText(inspectImages(all, []), true), /^Large code lies in folders/);
    assert.match(imagesText(one, false), /by root alone/);
  });
});

describe('what goes for want of room', () => {
  const entry = (key: string, bytes: number, usedAt: number) => ({ key, bytes, usedAt });
  const entries = [entry('new', 10, 3), entry('old', 10, 1), entry('middle', 10, 2)];
  const cases: readonly (readonly [limit: number, inUse: readonly string[], evicted: readonly string[]])[] = [
    [30, [], []],
    [29, [], ['old']],
    [10, [], ['old', 'middle']],
    [0, [], ['old', 'middle', 'new']],
    [10, ['old'], ['middle', 'new']],
    [0, ['old', 'new'], ['middle']],
  ];
  for (const [limit, inUse, evicted] of cases)
    it(`at ${limit} bytes with ${inUse.join(' and ') || 'nothing'} in use: ${evicted.join(', ') || 'nothing'}`, () =>
      assert.deepEqual(evictions(entries, limit, new Set(inUse)), evicted));
});

/** As a disk may lose it: the file's mode says that nobody writes it. */
function overwrite(path: string, text: string): void {
  chmodSync(path, 0o600);
  writeFileSync(path, text);
  chmodSync(path, 0o444);
}
