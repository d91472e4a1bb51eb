/** What all Blobs promise, whichever they are. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import type { Blobs } from '../../src/control/blobs.ts';

export const digestOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
export const streamOf = (...chunks: string[]): Readable => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

/** @param open makes empty blobs; @param leftovers counts what lies where content is staged */
export function blobsSuite(name: string, open: (t: TestContext) => Promise<{ blobs: Blobs; leftovers: () => Promise<number> }>): void {
  describe(`the ${name} blobs`, () => {
    it('give back under a digest what was kept', async (t) => {
      const { blobs, leftovers } = await open(t);
      const staged = await blobs.stage(streamOf('hello ', 'world'), 100);
      assert.equal(staged.digest, digestOf('hello world'));
      assert.equal(staged.size, 11);
      assert.equal((await buffer(staged.open())).toString(), 'hello world');
      assert.equal(await blobs.has(staged.digest), false);
      assert.equal(await staged.keep(), true);
      await staged[Symbol.asyncDispose]();
      assert.equal(await blobs.has(staged.digest), true);
      assert.equal((await buffer(blobs.open(staged.digest))).toString(), 'hello world');
      assert.deepEqual(await blobs.digests(), [staged.digest]);
      assert.equal(await leftovers(), 0);
    });

    it('keep the same content once', async (t) => {
      const { blobs, leftovers } = await open(t);
      const results = await Promise.all(
        Array.from({ length: 10 }, async () => {
          await using staged = await blobs.stage(streamOf('same'), 100);
          return await staged.keep();
        }),
      );
      assert.ok(results.includes(true));
      assert.deepEqual(await blobs.digests(), [digestOf('same')]);
      assert.equal(await leftovers(), 0);
    });

    it('forget what was staged and dropped', async (t) => {
      const { blobs, leftovers } = await open(t);
      await (await blobs.stage(streamOf('x'), 100))[Symbol.asyncDispose]();
      assert.deepEqual(await blobs.digests(), []);
      assert.equal(await leftovers(), 0);
    });

    it('leave nothing of a stream that breaks or is too long', async (t) => {
      const { blobs, leftovers } = await open(t);
      const broken = Readable.from(
        (function* () {
          yield Buffer.from('some');
          throw new Error('the client is gone');
        })(),
      );
      await assert.rejects(blobs.stage(broken, 100), { message: 'the client is gone' });
      await assert.rejects(blobs.stage(streamOf('12345', '67890', 'x'), 10), { code: 'RequestTooLarge' });
      assert.deepEqual(await blobs.digests(), []);
      assert.equal(await leftovers(), 0);
    });

    it('remove what is there, and mind nothing that is not', async (t) => {
      const { blobs } = await open(t);
      await using staged = await blobs.stage(streamOf('x'), 100);
      await staged.keep();
      await blobs.remove(staged.digest);
      await blobs.remove(staged.digest);
      assert.equal(await blobs.has(staged.digest), false);
      await assert.rejects(buffer(blobs.open(staged.digest)));
    });
  });
}
