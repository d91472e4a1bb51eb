import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { commitDelayMs, GroupCommit } from '../../src/events/group-commit.ts';

function open(t: TestContext) {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE things (name TEXT UNIQUE) STRICT');
  const groups: number[] = [];
  const commits = new GroupCommit({
    database,
    now: () => performance.now(),
    committed: (writes) => groups.push(writes),
    broken: assert.ifError,
  });
  t.after(async () => {
    await commits[Symbol.asyncDispose]();
    database.close();
  });
  const add = (name: string) => commits.write(() => database.prepare('INSERT INTO things VALUES (?)').run(name).changes);
  const count = () => database.prepare('SELECT count(*) AS n FROM things').get()?.['n'];
  return { commits, groups, add, count, database };
}

test('after a pause a commit waits for nobody, under load until the window is over', () => {
  assert.equal(commitDelayMs(Number.NEGATIVE_INFINITY, 100, 5), 0);
  assert.equal(commitDelayMs(90, 100, 5), 0);
  assert.equal(commitDelayMs(98, 100, 5), 3);
  assert.equal(commitDelayMs(200, 100, 5), 5, 'a clock that went back');
});

test('a write resolves with its result once its group is committed', async (t) => {
  const { add, groups, count } = open(t);
  const first = add('a');
  assert.equal(count(), 0);
  assert.deepEqual(await Promise.all([first, add('b')]), [1, 1]);
  assert.deepEqual(groups, [2]);
});

test('when one write of a group fails, none is done, and each is told', async (t) => {
  const { add, count } = open(t);
  await add('a');
  const all = await Promise.allSettled([add('b'), add('a'), add('c')]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  assert.equal(count(), 1);
  await add('b');
  assert.equal(count(), 2);
});

test('a large group does not wait', async (t) => {
  const { add, groups } = open(t);
  const all = Promise.all(Array.from({ length: 600 }, (_, at) => add(String(at))));
  assert.deepEqual(groups, [512]);
  await all;
  assert.deepEqual(groups, [512, 88]);
});

test('what waits is committed at the end', async (t) => {
  const { add, commits, count } = open(t);
  const last = add('a');
  await commits[Symbol.asyncDispose]();
  assert.equal(count(), 1);
  await last;
});

test('a transaction that takes its time holds up the next, which takes all that came meanwhile', async () => {
  const database = new DatabaseSync(':memory:');
  const groups: number[] = [];
  const waiting: PromiseWithResolvers<undefined>[] = [];
  const commits = new GroupCommit({
    database,
    async transact(work) {
      const one = Promise.withResolvers<undefined>();
      waiting.push(one);
      await one.promise;
      work();
    },
    now: () => performance.now(),
    committed: (writes) => groups.push(writes),
    broken: assert.ifError,
  });
  const first = commits.write(() => 1);
  while (waiting.length < 1) await new Promise(setImmediate);
  const others = [commits.write(() => 2), commits.write(() => 3)];
  const ended = commits[Symbol.asyncDispose]();
  waiting[0]?.reject(new Error('no'));
  await assert.rejects(first, /no/);
  while (waiting.length < 2) await new Promise(setImmediate);
  waiting[1]?.resolve(undefined);
  assert.deepEqual(await Promise.all(others), [2, 3]);
  await ended;
  assert.deepEqual(groups, [2]);
});
