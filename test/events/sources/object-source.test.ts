/** What is looked through, with a place that answers when a test wants it to. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ListedObject } from '../../../src/events/sources/object-changes.ts';
import { type ObjectPlace, openObjectSource } from '../../../src/events/sources/object-source.ts';
import type { Message } from '../../../src/events/sources/source.ts';
import { tempFolder } from '../../control/temp-folder.ts';
import { meansOf } from './means.ts';
import { take } from './source.contract.ts';

const quietMs = 200;
const object = (key: string): ListedObject => ({ key, mark: '1', bytes: 1, modifiedMs: 1, isAtRest: true });
const keysOf = (messages: readonly Message[]) => messages.map(({ key }) => key);

/** @param lists one for each look, the last for all that follow */
function placeOf(...lists: readonly (() => AsyncIterable<ListedObject>)[]): ObjectPlace {
  let looks = 0;
  return {
    kind: 'test',
    name: 'test',
    identity: 'test',
    tickMs: 1,
    list: () => (lists[Math.min(looks++, lists.length - 1)] ?? assert.fail())(),
  };
}

async function* listing(keys: readonly string[], until: Promise<unknown> = Promise.resolve()): AsyncGenerator<ListedObject> {
  await until;
  for (const key of keys) yield object(key);
}

const open = (folder: string, place: ObjectPlace) =>
  openObjectSource(place, 10, meansOf('', { local: { placesFolder: folder, folders: [] } }), AbortSignal.timeout(5_000));

test('what is dealt with while the place is looked through again is not told again', async (t) => {
  const acknowledged = Promise.withResolvers<undefined>();
  const began = Promise.withResolvers<undefined>();
  const late = () => {
    began.resolve(undefined);
    return listing(['a', 'b'], acknowledged.promise);
  };
  const opening = () => listing([]);
  await using source = await open(
    tempFolder(t),
    placeOf(
      opening,
      () => listing(['a']),
      late,
      () => listing(['a', 'b']),
    ),
  );
  const first = await take(source, 1);
  assert.deepEqual(keysOf(first), ['a']);
  await began.promise;
  await source.acknowledge(first);
  acknowledged.resolve(undefined);
  assert.deepEqual(keysOf(await take(source, 2, {}, quietMs)), ['b']);
});

test('a removal that is dealt with meanwhile is not told again', async (t) => {
  const folder = tempFolder(t);
  {
    await using source = await open(
      folder,
      placeOf(() => listing(['a'])),
    );
    await source.acknowledge(await take(source, 1));
  }
  const acknowledged = Promise.withResolvers<undefined>();
  const began = Promise.withResolvers<undefined>();
  const late = () => {
    began.resolve(undefined);
    return listing([], acknowledged.promise);
  };
  await using source = await open(
    folder,
    placeOf(
      () => listing([]),
      () => listing([]),
      late,
      () => listing([]),
    ),
  );
  const removed = await take(source, 1);
  assert.deepEqual(
    removed.map(({ id }) => id),
    ['removed:1:a'],
  );
  await began.promise;
  await source.acknowledge(removed);
  acknowledged.resolve(undefined);
  assert.deepEqual(keysOf(await take(source, 1, {}, quietMs)), []);
});

test('when it is not known any more what was dealt with, that is said, and nothing is begun anew', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'objects-test.sqlite'), 'no database at all, but long enough to be taken for one'.repeat(100));
  await assert.rejects(
    open(
      folder,
      placeOf(() => listing(['a'])),
    ),
    {
      code: 'SourceInvalid',
      message: /not known what was dealt with: .*objects-test\.sqlite cannot be used/,
    },
  );
});
