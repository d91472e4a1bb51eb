/** Root keys in memory: as a file has them, or as an operator gives them. */
import { SwiftletError } from '../../src/model/errors.ts';
import { type KeyRing, rootKey, type RootKeys } from '../../src/role/root-keys.ts';

/** A key that a test can tell apart. */
export const keyOf = (digit: number) => rootKey(Buffer.alloc(32, digit));

export class FakeRootKeys implements RootKeys {
  ring: KeyRing = { source: 'file', keys: [keyOf(1)] };
  #made = 100;

  read(): Promise<KeyRing> {
    return Promise.resolve(this.ring);
  }

  add(): Promise<KeyRing> {
    if (this.ring.source !== 'file') return Promise.reject(new SwiftletError('BadRequest', 'the root key comes from elsewhere'));
    this.ring = { ...this.ring, keys: [keyOf(++this.#made), ...this.ring.keys] };
    return this.read();
  }

  dropOld(): Promise<void> {
    this.ring = { ...this.ring, keys: [this.ring.keys[0]] };
    return Promise.resolve();
  }
}
