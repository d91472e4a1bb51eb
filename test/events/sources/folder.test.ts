import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sourceKind } from '../../../src/events/sources/folder.ts';
import { type KnownObject, type ListedObject, objectChanges } from '../../../src/events/sources/object-changes.ts';
import { objectMessage } from '../../../src/events/sources/object-record.ts';
import type { Message, SourceMeans } from '../../../src/events/sources/source.ts';
import { folderSourceSchema } from '../../../src/model/sources/folder.ts';
import { asSent } from './as-sent.ts';
import { meansOf } from './means.ts';
import { sourceContract, take } from './source.contract.ts';

const settings = (path: string) => folderSourceSchema.parse({ kind: 'folder', path, pollMs: 100, settleMs: 0 });
const temporary = () => mkdtempSync(join(tmpdir(), 'swiftlet-folder-'));

interface Tale {
  readonly eventName: string;
  readonly s3: { readonly object: { readonly key: string; readonly size?: number } };
}
const taleOf = (message: Message): Tale => message.record() as unknown as Tale;
const told = (messages: readonly Message[]): string[] =>
  messages.map((message) => `${taleOf(message).eventName} ${taleOf(message).s3.object.key}`);

/** A folder to watch, and one for places. */
function folders(): { readonly watched: string; readonly means: (change?: Partial<SourceMeans>) => SourceMeans } & Disposable {
  const root = temporary();
  const watched = join(root, 'watched');
  const places = join(root, 'places');
  for (const folder of [watched, places]) mkdirSync(folder);
  return {
    watched,
    means: (change) => meansOf('', { local: { placesFolder: places, folders: [root] }, ...change }),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

const abilities = {
  isOrdered: true,
  hasPast: true,
  tickMs: 20,
  givesBackFirst: true,
  hasLag: true,
  hasStableIds: true,
  hasKeys: false,
  largeBytes: 100,
};

sourceContract('folder', abilities, () => {
  const opened = new DisposableStack();
  return Promise.resolve({
    place() {
      const { watched, means } = opened.use(folders());
      let sent = 0;
      return Promise.resolve({
        // What was sent stands in the file's name.
        driver: (change) =>
          asSent(sourceKind.driver(settings(watched), means(change)), (message) =>
            Buffer.from(taleOf(message).s3.object.key.split('.')[1] ?? '', 'base64url'),
          ),
        send(messages) {
          for (const { body } of messages)
            writeFileSync(join(watched, `${String(sent++).padStart(5, '0')}.${Buffer.from(body).toString('base64url')}`), '');
          return Promise.resolve();
        },
      });
    },
    missing: sourceKind.driver(settings('/nowhere/at/all'), meansOf('')),
    refused: sourceKind.driver(settings('/etc'), opened.use(folders()).means()),
    [Symbol.asyncDispose]() {
      opened.dispose();
      return Promise.resolve();
    },
  });
});

describe('a watched folder', () => {
  it('tells of files that are made, changed, moved and removed, also below it and while it was not watched', async () => {
    using place = folders();
    const { watched } = place;
    const driver = sourceKind.driver(settings(watched), place.means());
    const write = (name: string, text: string) => writeFileSync(join(watched, name), text);
    mkdirSync(join(watched, 'below'));
    write('a b', '1');
    {
      await using source = await driver.open(AbortSignal.timeout(5_000));
      write('below/c', '12');
      const first = await take(source, 2);
      assert.deepEqual(told(first).sort(), ['ObjectCreated:Put a+b', 'ObjectCreated:Put below/c']);
      assert.equal(taleOf(first[0] as Message).s3.object.size !== undefined, true);
      await source.acknowledge(first);
      write('a b', '123');
      await source.acknowledge(await take(source, 1));
      write('.hidden', '');
      symlinkSync('/etc/passwd', join(watched, 'link'));
      assert.deepEqual(told(await take(source, 1, {}, 400)), []);
    }
    unlinkSync(join(watched, 'a b'));
    renameSync(join(watched, 'below/c'), join(watched, 'd'));
    await using source = await driver.open(AbortSignal.timeout(5_000));
    assert.deepEqual(told(await take(source, 3)).sort(), [
      'ObjectCreated:Put d',
      'ObjectRemoved:Delete a+b',
      'ObjectRemoved:Delete below/c',
    ]);
  });

  it('breaks when it is gone, instead of telling that all was removed', async () => {
    using place = folders();
    writeFileSync(join(place.watched, 'a'), '');
    await using source = await sourceKind.driver(settings(place.watched), place.means()).open(AbortSignal.timeout(5_000));
    await source.acknowledge(await take(source, 1));
    renameSync(place.watched, `${place.watched}-moved`);
    await assert.rejects(take(source, 1), { code: 'SourceMissing' });
    renameSync(`${place.watched}-moved`, place.watched);
  });

  it('is none of those that nobody allowed, whatever a link says', async () => {
    using place = folders();
    symlinkSync('/etc', join(place.watched, 'etc'));
    const open = (path: string) => sourceKind.driver(settings(path), place.means()).open(AbortSignal.timeout(5_000));
    await assert.rejects(open(join(place.watched, 'etc')), { code: 'SourceRefused', message: /SWIFTLET_SOURCE_FOLDERS/ });
    writeFileSync(join(place.watched, 'file'), '');
    await assert.rejects(open(join(place.watched, 'file')), { code: 'SourceInvalid' });
    for (const path of ['relative', '/a/../b', '/a/./b', '/a//b']) assert.throws(() => settings(path), path);
  });
});

describe('changes of objects', () => {
  const object = (key: string, mark = '1', isAtRest = true): ListedObject => ({ key, mark, bytes: 1, modifiedMs: 0, isAtRest });
  async function* eachOf(objects: readonly ListedObject[]): AsyncGenerator<ListedObject> {
    for (const one of objects) yield await Promise.resolve(one);
  }
  const cases: readonly { name: string; listed: ListedObject[]; known: KnownObject[]; changes: string[] }[] = [
    { name: 'nothing', listed: [], known: [], changes: [] },
    { name: 'the same', listed: [object('a')], known: [object('a')], changes: [] },
    { name: 'another content', listed: [object('a', '2')], known: [object('a')], changes: ['created a'] },
    { name: 'one that is being changed', listed: [object('a', '2', false), object('b', '1', false)], known: [object('a')], changes: [] },
    {
      name: 'made and removed',
      listed: [object('b'), object('d')],
      known: [object('a'), object('b'), object('e')],
      changes: ['removed a', 'created d', 'removed e'],
    },
    {
      name: 'bytes, not UTF-16, make the order',
      listed: [object('\uffee'), object('😀')],
      known: [object('\uffee'), object('😀')],
      changes: [],
    },
  ];
  for (const { name, listed, known, changes } of cases)
    it(`finds ${name}`, async () => {
      const found = await Array.fromAsync(objectChanges(eachOf(listed), known));
      assert.deepEqual(
        found.map((change) => `${change.kind} ${change.object.key}`),
        changes,
      );
    });

  it('is told with the key as S3 writes it', () => {
    const message = objectMessage({ kind: 's3', name: 'b' }, { kind: 'created', object: object('a/b c+é') }, 5);
    assert.equal(taleOf(message).s3.object.key, 'a/b+c%2B%C3%A9');
  });
});
