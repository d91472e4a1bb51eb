/** What is collected is gone from the disk, and what is needed or young is not. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { type CollectMeans, collectArtifacts, keepCollecting } from '../../src/control/collect.ts';
import { FolderBlobs } from '../../src/control/folder-blobs.ts';
import { artifactGraceMs } from '../../src/control/retention.ts';
import { SqliteStore } from '../../src/control/sqlite-store.ts';
import { Turns } from '../../src/control/turns.ts';
import { deploymentOf } from './store-suite.ts';
import { streamOf } from './blobs-suite.ts';
import { tempFolder } from './temp-folder.ts';

interface Collecting extends CollectMeans {
  /** Uploads an artifact. @returns its digest */
  upload(text: string, atMs: number, options?: { isForgotten: boolean }): Promise<string>;
  /** The digests of the files that there are. */
  onDisk(): string[];
}

const late = artifactGraceMs + 1_000;

async function open(t: TestContext, now: () => number): Promise<Collecting> {
  const folder = tempFolder(t);
  const store = new SqliteStore(join(folder, 'store.sqlite'));
  t.after(() => store[Symbol.asyncDispose]());
  const blobs = await FolderBlobs.open(join(folder, 'blobs'));
  return {
    ...{ store, blobs, artifactTurns: new Turns(), now },
    async upload(text, atMs, { isForgotten } = { isForgotten: false }) {
      await using staged = await blobs.stage(streamOf(text), 100);
      await staged.keep();
      const { digest, size } = staged;
      if (!isForgotten) await store.addArtifact({ tenant: 'default', digest, size, files: ['index.js'] }, atMs);
      return digest;
    },
    onDisk: () =>
      readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .toSorted(),
  };
}

it('removes the blobs that no version needs from the disk, once they are old', async (t) => {
  const means = await open(t, () => late);
  const [needed, old, young] = [await means.upload('needed', 0), await means.upload('old', 0), await means.upload('young', 2_000)];
  await means.store.deploy(deploymentOf({ digest: needed }));
  assert.deepEqual(means.onDisk(), [needed, old, young].toSorted());
  await collectArtifacts(means);
  assert.deepEqual(means.onDisk(), [needed, young].toSorted());
  await means.store.remove('default', 'hello');
  await collectArtifacts(means);
  assert.deepEqual(means.onDisk(), [young]);
});

it('removes blobs that a crash left without an artifact', async (t) => {
  const means = await open(t, () => 0);
  await means.upload('half', 0, { isForgotten: true });
  const whole = await means.upload('whole', 0);
  await collectArtifacts(means);
  assert.deepEqual(means.onDisk(), [whole]);
});

it('waits for an upload that is between its blob and its artifact', async (t) => {
  const means = await open(t, () => 0);
  const upload = Promise.withResolvers<undefined>();
  const uploaded = means.artifactTurns.take(async () => {
    const digest = await means.upload('under way', 0, { isForgotten: true });
    await upload.promise;
    await means.store.addArtifact({ tenant: 'default', digest, size: 9, files: ['index.js'] }, 0);
    return digest;
  });
  const collected = collectArtifacts(means);
  upload.resolve(undefined);
  await collected;
  assert.deepEqual(means.onDisk(), [await uploaded]);
});

it('goes on from time to time, until disposed', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const means = await open(t, () => now);
  await means.upload('old', 0);
  const collecting = keepCollecting(means, pino({ enabled: false }));
  await means.artifactTurns.take(() => Promise.resolve());
  assert.equal(means.onDisk().length, 1);
  now = late;
  t.mock.timers.tick(10 * 60_000);
  await means.artifactTurns.take(() => Promise.resolve());
  assert.equal(means.onDisk().length, 0);
  await collecting[Symbol.asyncDispose]();
  await means.upload('later', 0);
  t.mock.timers.tick(60 * 60_000);
  await means.artifactTurns.take(() => Promise.resolve());
  assert.equal(means.onDisk().length, 1);
});
