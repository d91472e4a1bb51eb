import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { storeSchema } from '../../src/control/sqlite-schema.ts';
import { SqliteStore } from '../../src/control/sqlite-store.ts';
import { firstTraffic } from '../../src/control/traffic.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import { openDatabase, transact } from '../../src/role/sqlite-database.ts';
import { needsMount, smallDisk } from './small-disk.ts';
import { artifactOf, deploymentOf, storeSuite, type StoreUnderTest } from './store-suite.ts';
import { guardedStoreSuite } from './guarded-store-suite.ts';
import { tempFolder } from './temp-folder.ts';

const open = (t: TestContext): Promise<StoreUnderTest> => {
  const path = join(tempFolder(t), 'store.sqlite');
  let store = new SqliteStore(path);
  t.after(() => store[Symbol.asyncDispose]());
  return Promise.resolve({
    store,
    async reopen() {
      await store[Symbol.asyncDispose]();
      store = new SqliteStore(path);
      return store;
    },
  });
};
storeSuite('SQLite', open);
guardedStoreSuite('SQLite', open);

describe('a store that cannot be used', () => {
  const refused = (path: string, reason: RegExp) => {
    const before = readFileSync(path);
    assert.throws(() => new SqliteStore(path), { message: reason });
    assert.deepEqual(readFileSync(path), before, 'it was left as it was');
  };

  it('is refused when a newer release has written it', async (t) => {
    const path = join(tempFolder(t), 'store.sqlite');
    await new SqliteStore(path)[Symbol.asyncDispose]();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    refused(path, /store\.sqlite cannot be used: .*newer Swiftlet \(schema 99.*Restore|newer/);
  });

  it('is refused when it is of something else', (t) => {
    const path = join(tempFolder(t), 'store.sqlite');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE songs (title TEXT)');
    database.close();
    refused(path, /database of something else/);
  });

  it('is refused when it is no database', (t) => {
    const path = join(tempFolder(t), 'store.sqlite');
    writeFileSync(path, 'certainly no database, but long enough to be looked at '.repeat(100));
    refused(path, /cannot be used: .*not a database/);
  });

  it('is refused when it is damaged or cut short', async (t) => {
    const path = join(tempFolder(t), 'store.sqlite');
    const store = new SqliteStore(path);
    await store.addArtifact(artifactOf('a'), 0);
    for (let i = 0; i < 200; i += 1) await store.deploy(deploymentOf({ function: `f${i}` }));
    await store[Symbol.asyncDispose]();
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged.fill(0xa5, 8_192, 24_576);
    writeFileSync(path, damaged);
    refused(path, /cannot be used/);
    writeFileSync(path, whole);
    truncateSync(path, 20_000);
    refused(path, /cannot be used/);
  });

  it('is new only once', async (t) => {
    const path = join(tempFolder(t), 'store.sqlite');
    const first = new SqliteStore(path);
    assert.equal(first.isNew, true);
    await first[Symbol.asyncDispose]();
    const second = new SqliteStore(path);
    assert.equal(second.isNew, false);
    await second[Symbol.asyncDispose]();
    rmSync(path);
  });
});

describe('a store of the release before aliases', () => {
  it('has for each function the alias live, at the version that served', async (t) => {
    const path = join(tempFolder(t), 'store.sqlite');
    const [first = ''] = storeSchema.migrations;
    const { database } = openDatabase(path, { ...storeSchema, migrations: [first] });
    database.exec(`
      INSERT INTO artifacts VALUES ('default', '${'a'.repeat(64)}', 10, '[]', 0);
      BEGIN;
      INSERT INTO functions VALUES ('default', 'hello', '2026-01-02T03:04:05.000Z', 7);
      INSERT INTO versions VALUES ('default', 'hello', 7, '${'a'.repeat(64)}', 10, '{}', '2026-01-02T03:04:05.000Z');
      COMMIT`);
    database.close();
    const store = new SqliteStore(path);
    t.after(() => store[Symbol.asyncDispose]());
    assert.deepEqual(await store.traffic('default', 'hello'), firstTraffic(7, Date.parse('2026-01-02T03:04:05.000Z')));
    const [published] = (await store.snapshot()).functions;
    assert.deepEqual([published?.serving.number, published?.serving.config.rollout], [7, { strategy: 'all-at-once' }]);
  });
});

describe('a transaction', () => {
  it('that fails changes nothing, and stands in nobody’s way', (t) => {
    const { database } = openDatabase(join(tempFolder(t), 'store.sqlite'), storeSchema);
    t.after(() => database.close());
    const fail = () => {
      database.exec('UPDATE published SET revision = 7');
      throw new Error('changed its mind');
    };
    assert.throws(() => transact(database, fail), { message: 'changed its mind' });
    const revision = transact(database, () => database.prepare('SELECT revision FROM published').get()?.['revision']);
    assert.equal(revision, 0);
  });
});

describe('a store on a full disk', () => {
  it('says so, loses nothing, and goes on when there is room again', async (t) => {
    const folder = smallDisk(t, 1024 * 1024);
    if (folder === undefined) {
      t.skip(needsMount);
      return;
    }
    const store = new SqliteStore(join(folder, 'store.sqlite'));
    t.after(() => store[Symbol.asyncDispose]());
    await store.addArtifact(artifactOf('a'), 0);
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(512 * 1024));
    const config = functionConfigSchema.parse({ environment: { FILL: 'x'.repeat(30_000) } });
    let deployed = 0;
    await assert.rejects(
      async () => {
        for (; deployed < 1_000; deployed += 1) await store.deploy(deploymentOf({ function: `f${deployed}`, config }));
      },
      { code: 'StorageFull' },
    );
    assert.ok(deployed > 0 && deployed < 100, `${deployed} fitted`);
    assert.equal((await store.functions('default', { limit: 1_000 })).length, deployed);
    rmSync(ballast);
    assert.equal((await store.deploy(deploymentOf({ function: 'after', config }))).kind, 'created');
    await store[Symbol.asyncDispose]();
    const reopened = new SqliteStore(join(folder, 'store.sqlite'));
    assert.equal((await reopened.functions('default', { limit: 1_000 })).length, deployed + 1);
    await reopened[Symbol.asyncDispose]();
  });
});
