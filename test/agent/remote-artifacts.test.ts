import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { CodeCache } from '../../src/agent/code-cache.ts';
import { remoteArtifacts } from '../../src/agent/remote-artifacts.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { artifactPieceBytes, askArtifactSchema } from '../../src/wire/host-calls.ts';

import { bundleOf } from '../control/control-under-test.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventually } from '../e2e/functions.ts';

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Control, as far as it has artifacts. */
const having = (bytes: Buffer) => ({
  asked: 0,
  ask(method: string, body: unknown) {
    assert.equal(method, 'artifact');
    this.asked++;
    const { fromByte } = askArtifactSchema.parse(body);
    return Promise.resolve({ base64: bytes.subarray(fromByte, fromByte + artifactPieceBytes).toString('base64') });
  },
});

for (const [what, size, asks] of [
  ['small', 10, 1],
  ['of exactly a piece', artifactPieceBytes, 2],
  ['of several pieces', 2 * artifactPieceBytes + 1, 3],
] as const)
  test(`code that is ${what} comes whole`, async () => {
    const bytes = randomBytes(size);
    const control = having(bytes);
    assert.ok(bytes.equals(await buffer(await remoteArtifacts(control).open(digestOf(bytes)))));
    assert.equal(control.asked, asks);
  });

test('code is decompressed and written while it comes: files lie on the disk before the last of it was sent', async (t) => {
  const files = { 'a.txt': 'the first', 'b.txt': randomBytes(artifactPieceBytes).toString('hex'), 'c.txt': 'the last' };
  const bytes = bundleOf(files);
  const last = Math.floor(bytes.length / artifactPieceBytes) * artifactPieceBytes;
  const control = having(bytes);
  const folder = tempFolder(t);
  const seen: string[] = [];
  const holdingBack = {
    async ask(method: string, body: unknown) {
      const answer = await control.ask(method, body);
      // Would it be unpacked when it is all there, it would wait for this, and this for it.
      if (askArtifactSchema.parse(body).fromByte === last) seen.push(...(await eventually(() => filesIn(folder), isWritten, 60_000)));
      return answer;
    },
  };
  const cache = new CodeCache(folder, remoteArtifacts(holdingBack), () => 0);
  const placed = await cache.place({ tenant: 'default', digest: digestOf(bytes) });
  assert.ok(seen.some((path) => path.endsWith('.new/a.txt')));
  assert.ok(!existsSync(join(placed, '..', `${digestOf(bytes)}.new`)), 'what was half there was never in its place');
  assert.equal(readFileSync(join(placed, 'c.txt'), 'utf8'), files['c.txt']);

  function isWritten(paths: readonly string[]): boolean {
    const first = paths.find((path) => path.endsWith('/a.txt'));
    return first !== undefined && readFileSync(join(folder, first), 'utf8') === files['a.txt'];
  }
});

const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });

test('code that is not what its digest says is not used', async () => {
  const source = remoteArtifacts(having(randomBytes(10)));
  const stream = await source.open(digestOf(randomBytes(10)));
  await assert.rejects(buffer(stream), { code: 'Unavailable', message: /came damaged/ });
});

test('what control does not have is missed before anything is unpacked', async () => {
  const refusing = { ask: () => Promise.reject(new SwiftletError('Unavailable', 'it is not in the artifact store')) };
  await assert.rejects(remoteArtifacts(refusing).open('0'.repeat(64)), { code: 'Unavailable' });
});
