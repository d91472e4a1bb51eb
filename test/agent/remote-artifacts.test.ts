import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { remoteArtifacts } from '../../src/agent/remote-artifacts.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { artifactPieceBytes, askArtifactSchema } from '../../src/wire/host-calls.ts';

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

test('code that is not what its digest says is not used', async () => {
  const source = remoteArtifacts(having(randomBytes(10)));
  const stream = await source.open(digestOf(randomBytes(10)));
  await assert.rejects(buffer(stream), { code: 'Unavailable', message: /came damaged/ });
});

test('what control does not have is missed before anything is unpacked', async () => {
  const refusing = { ask: () => Promise.reject(new SwiftletError('Unavailable', 'it is not in the artifact store')) };
  await assert.rejects(remoteArtifacts(refusing).open('0'.repeat(64)), { code: 'Unavailable' });
});
