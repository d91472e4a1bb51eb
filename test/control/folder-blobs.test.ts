import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { FolderBlobs } from '../../src/control/folder-blobs.ts';
import { blobsSuite, digestOf, streamOf } from './blobs-suite.ts';
import { needsMount, smallDisk } from './small-disk.ts';
import { tempFolder } from './temp-folder.ts';

const leftoversIn = (folder: string) => async () => (await readdir(join(folder, 'staging'))).length;

blobsSuite('folder', async (t) => {
  const folder = tempFolder(t);
  return { blobs: await FolderBlobs.open(folder), leftovers: leftoversIn(folder) };
});

describe('blobs in a folder', () => {
  it('lie under the first digits of their digest', async (t) => {
    const folder = tempFolder(t);
    const blobs = await FolderBlobs.open(folder);
    await using staged = await blobs.stage(streamOf('x'), 10);
    await staged.keep();
    assert.deepEqual(await readdir(join(folder, digestOf('x').slice(0, 2))), [digestOf('x')]);
  });

  it('lose what was being staged when their last owner died, and nothing else', async (t) => {
    const folder = tempFolder(t);
    await using staged = await (await FolderBlobs.open(folder)).stage(streamOf('x'), 10);
    await staged.keep();
    mkdirSync(join(folder, 'staging'), { recursive: true });
    writeFileSync(join(folder, 'staging', 'half'), 'half of something');
    const blobs = await FolderBlobs.open(folder);
    assert.equal(await leftoversIn(folder)(), 0);
    assert.deepEqual(await blobs.digests(), [digestOf('x')]);
  });

  it('take no names for digests', async (t) => {
    const blobs = await FolderBlobs.open(tempFolder(t));
    for (const name of ['../../etc/passwd', '', 'A'.repeat(64), 'staging']) assert.throws(() => blobs.open(name), TypeError);
  });

  it('say that the disk is full, and leave nothing behind', async (t) => {
    const folder = smallDisk(t, 1024 * 1024);
    if (folder === undefined) {
      t.skip(needsMount);
      return;
    }
    const blobs = await FolderBlobs.open(folder);
    const endless = () =>
      Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536, 'x');
        })(),
      );
    for (let i = 0; i < 3; i += 1) await assert.rejects(blobs.stage(endless(), 1e9), { code: 'StorageFull' });
    assert.equal(await leftoversIn(folder)(), 0);
    await using staged = await blobs.stage(streamOf('x'), 10);
    assert.equal(await staged.keep(), true);
  });
});
