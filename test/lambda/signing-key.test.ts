/** What requests of one day are signed with: derived once, and the same as if it were derived each time. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { signingKeyOf } from '../../src/lambda/signing-key.ts';

const chain = (key: Buffer, scope: readonly string[]) =>
  scope.reduce((last, part) => createHmac('sha256', last).update(part).digest(), key);

test('each scope of each key has its own, also when more are asked for than are remembered', () => {
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  for (let round = 0; round < 2; round++) {
    for (const region of ['a', 'b', 'c', 'd', 'e', 'f']) {
      for (const key of keys) {
        const scope = [region, 'lambda', 'aws4_request'];
        assert.ok(signingKeyOf(key, scope).equals(chain(key, scope)), region);
      }
    }
  }
  const [key = Buffer.alloc(0)] = keys;
  assert.equal(signingKeyOf(key, ['f', 'lambda', 'aws4_request']), signingKeyOf(key, ['f', 'lambda', 'aws4_request']));
});
