import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rewrap, seal, type SecretId, type SealedValue, unseal } from '../../src/control/secrets/seal.ts';
import type { KeyRing } from '../../src/role/root-keys.ts';
import { keyOf } from './fake-root-keys.ts';

const id: SecretId = { tenant: 'acme', name: 'db', version: 3 };
const ring: KeyRing = { source: 'file', keys: [keyOf(1)] };
const value = 'a value that nobody knows: ü€';
const changed = (bytes: Buffer, at: number): Buffer => Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)));

describe('a sealed secret', () => {
  const sealed = seal(value, id, keyOf(1));

  it('opens with its root key, as what it is', () => {
    assert.equal(unseal(sealed, id, ring), value);
  });

  it('has the value nowhere, and the same value never looks the same', () => {
    assert.ok(!sealed.sealed.includes(value) && !sealed.wrappedKey.includes(value));
    assert.notDeepEqual(seal(value, id, keyOf(1)).sealed, sealed.sealed);
  });

  const tampered: [string, SealedValue][] = [
    ['a byte of its text', { ...sealed, sealed: changed(sealed.sealed, sealed.sealed.length - 1) }],
    ['its tag', { ...sealed, sealed: changed(sealed.sealed, 12) }],
    ['its nonce', { ...sealed, sealed: changed(sealed.sealed, 0) }],
    ['its wrapped key', { ...sealed, wrappedKey: changed(sealed.wrappedKey, 30) }],
    ['its length', { ...sealed, sealed: sealed.sealed.subarray(0, 20) }],
    ['another secret’s value', { ...sealed, sealed: seal('another', { ...id, name: 'other' }, keyOf(1)).sealed }],
  ];
  for (const [what, bad] of tampered)
    it(`does not open with ${what} changed`, () => {
      assert.throws(() => unseal(bad, id, ring), { code: 'Internal', message: /"db" in the store was changed/ });
    });

  for (const other of [
    { ...id, name: 'web' },
    { ...id, tenant: 'evil' },
    { ...id, version: 2 },
  ])
    it(`does not open as ${other.tenant}/${other.name}@${other.version}`, () => {
      assert.throws(() => unseal(sealed, other, ring), { code: 'Internal' });
    });

  it('does not open without its root key, and says which that is', () => {
    assert.throws(() => unseal(sealed, id, { source: 'file', keys: [keyOf(2)] }), {
      code: 'Unavailable',
      message: new RegExp(`${keyOf(1).id}, which is not there .*${keyOf(2).id}`),
    });
  });

  it('is wrapped anew by the newest key, and opens with it alone; the value’s own cipher text stays', () => {
    const again = rewrap(sealed, id, { source: 'file', keys: [keyOf(2), keyOf(1)] });
    assert.equal(unseal(again, id, { source: 'file', keys: [keyOf(2)] }), value);
    assert.deepEqual(again.sealed, sealed.sealed);
    assert.throws(() => unseal(again, id, ring));
  });
});
