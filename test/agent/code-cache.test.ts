import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { CodeCache, type CodeCacheLimit, codeKey, type CodeRef } from '../../src/agent/code-cache.ts';
import { evictions } from '../../src/agent/evictions.ts';
import { SwiftletError } from '../../src/model/errors.ts';
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

const underTest = (t: TestContext, limit?: CodeCacheLimit) => {
  const [folder, store, clock] = [tempFolder(t), new Store(), { now: 0 }];
  const open = () => new CodeCache(folder, store, () => (clock.now += 1), limit);
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
    const limit = { bytes: 2_500, inUse: () => inUse, evicted: (key: string) => evicted.push(key) };
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
    const large = store.add({ 'index.js': createHash('shake256', { outputLength: 500_000 }).update('x').digest('hex') });
    await assert.rejects(cache.place(large), (error) => error instanceof SwiftletError && error.code === 'StorageFull');
    assert.deepEqual(readdirSync(join(disk, 'code', 'default')), []);
    assert.ok(await cache.place(store.add({ 'index.js': 'small' })));
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
