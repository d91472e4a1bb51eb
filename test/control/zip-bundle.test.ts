/** Packages of Lambda's become bundles, or are refused before anything of them is kept. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { readBundle } from '../../src/build/bundle.ts';
import { bundleOfZip } from '../../src/control/lambda/zip-bundle.ts';
import { zip, type ZipEntry } from '../lambda/zip.ts';

const bundleOf = (bytes: Buffer): Promise<Buffer> => buffer(bundleOfZip(bytes));
const digestOf = async (...entries: ZipEntry[]) =>
  createHash('sha256')
    .update(await bundleOf(zip(...entries)))
    .digest('hex');

async function filesIn(bundle: Buffer): Promise<Record<string, [content: string, executable: boolean]>> {
  const files: Record<string, [string, boolean]> = {};
  await readBundle(Readable.from([bundle]), async ({ name, executable }, content) => {
    files[name] = [(await buffer(content)).toString(), executable];
  });
  return files;
}

describe('a package', () => {
  it('has its files in the bundle, and what may be executed still may', async () => {
    const bytes = zip(
      { name: 'lib/', content: '', mode: 0o040755 },
      { name: 'lib/é.js', content: 'module' },
      { name: 'bootstrap', content: '#!/bin/sh\n', mode: 0o100755 },
      { name: 'index.js', content: '' },
    );
    assert.deepEqual(await filesIn(await bundleOf(bytes)), {
      bootstrap: ['#!/bin/sh\n', true],
      'index.js': ['', false],
      'lib/é.js': ['module', false],
    });
  });

  it('of the same files is the same bundle, in whatever order they come', async () => {
    const [one, other] = [
      { name: 'a.js', content: '1' },
      { name: 'b.js', content: '2' },
    ];
    assert.equal(await digestOf(one, other), await digestOf(other, one));
    assert.notEqual(await digestOf(one, other), await digestOf(one));
  });

  const file = { name: 'index.js', content: 'x' };
  for (const [what, bytes, reason] of [
    ['that leaves its folder', zip({ name: '../x.js', content: '' }), /invalid relative path|empty, "\." or "\.\."/],
    ['with an absolute name', zip({ name: '/x.js', content: '' }), /absolute/],
    ['with a backslash', zip({ name: 'a\\b.js', content: '' }), /backslash|invalid characters/],
    ['with a link', zip(file, { name: 'link', content: 'index.js', mode: 0o120777 }), /a symlink/],
    ['with a device', zip(file, { name: 'dev', content: '', mode: 0o020666 }), /a thing of another kind/],
    ['with a setuid bit', zip({ ...file, mode: 0o104755 }), /setuid/],
    ['with a file twice', zip(file, file), /there twice/],
    ['whose names differ in case only', zip(file, { name: 'INDEX.js', content: '' }), /differs from it in case/],
    ['that is encrypted', zip({ ...file, flags: 1 }), /encrypted/],
    ['that says it is shorter', zip({ ...file, content: 'x'.repeat(100), says: 10 }), /too many bytes/],
    ['that says it is longer', zip({ ...file, says: 10 }), /not enough bytes/],
    ['that says it is huge', zip({ ...file, says: 300 * 1024 * 1024 }), /over 262144000 bytes/],
    ['that is cut short', zip(file).subarray(0, -10), /no zip, or damaged/],
    ['that is none', Buffer.from('not a zip'), /no zip, or damaged/],
    ['that unpacks to far more', zip({ ...file, content: Buffer.alloc(40 * 1024 * 1024) }), /over 200 times its size/],
  ] as const)
    it(`${what} is refused`, () => assert.rejects(bundleOf(bytes), { code: 'BundleRejected', message: reason }));
});
