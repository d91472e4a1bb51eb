/** Secrets as control has them: sealed in the store, in clear only while one is set, compared, or handed to an agent. */
import { timingSafeEqual } from 'node:crypto';
import { SwiftletError } from '../../model/errors.ts';
import { maxSecrets } from '../../model/limits.ts';
import type { KeyRing, RootKeys, RootKeySource } from '../../role/root-keys.ts';
import { Turns } from '../turns.ts';
import { secretExists, secretInUse, secretNotFound } from './refusals.ts';
import { rewrap, seal, unseal } from './seal.ts';
import type { SecretRecord, SecretStore } from './secret-store.ts';

/** What can be said of the root key. */
export interface RootKeyState {
  readonly source: RootKeySource;
  readonly id: string;
  /** Older keys that the source still has; they can be taken out of it. */
  readonly older: readonly string[];
}

export interface SecretsMeans {
  readonly store: SecretStore;
  readonly rootKeys: RootKeys;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Secrets {
  readonly #means: SecretsMeans;
  #ring: KeyRing;
  readonly #listeners = new Set<() => Promise<void>>();
  readonly #turns = new Turns();

  private constructor(means: SecretsMeans, ring: KeyRing) {
    this.#means = means;
    this.#ring = ring;
  }

  /**
   * Gets the root key, and wraps with it what an older one wraps still.
   * @throws SwiftletError Unavailable with the remedy, when there is no root key or a secret's is missing
   */
  static async open(means: SecretsMeans): Promise<Secrets> {
    const secrets = new Secrets(means, await means.rootKeys.read());
    await secrets.#rewrapAll();
    return secrets;
  }

  get rootKey(): RootKeyState {
    const [newest, ...older] = this.#ring.keys;
    return { source: this.#ring.source, id: newest.id, older: older.map(({ id }) => id) };
  }

  /** Calls the listener after every change, until disposed; whoever made the change waits for it. */
  watch(listener: () => Promise<void>): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  list(tenant: string): Promise<SecretRecord[]> {
    return this.#means.store.list(tenant);
  }

  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#means.store.users(tenant);
  }

  /** @throws SwiftletError SecretNotFound */
  async find(tenant: string, name: string): Promise<SecretRecord> {
    const found = await this.#means.store.find(tenant, name);
    if (found === undefined) throw secretNotFound(name);
    const { version, createdAt, changedAt } = found;
    return { tenant, name, version, createdAt, changedAt };
  }

  /** Its present number; undefined when there is none of this name. */
  async version(tenant: string, name: string): Promise<number | undefined> {
    return (await this.#means.store.find(tenant, name))?.version;
  }

  /** The value with its number; undefined when there is none of this name. @throws SwiftletError Internal when the store was changed */
  async reveal(tenant: string, name: string): Promise<{ readonly version: number; readonly value: string } | undefined> {
    const found = await this.#means.store.find(tenant, name);
    return found === undefined ? undefined : { version: found.version, value: unseal(found.value, found, this.#ring) };
  }

  /**
   * Sets a secret that there is not. With the value that it has already nothing changes.
   * @throws SwiftletError SecretExists when it has another value; TooManyRequests when the tenant has as many as it may
   */
  async set(tenant: string, name: string, value: string): Promise<{ readonly record: SecretRecord; readonly created: boolean }> {
    const before = await this.reveal(tenant, name);
    if (before !== undefined) {
      if (!isSame(before.value, value)) throw secretExists(name);
      return { record: await this.find(tenant, name), created: false };
    }
    if ((await this.#means.store.list(tenant)).length >= maxSecrets)
      throw new SwiftletError(
        'BadRequest',
        `there are ${maxSecrets} secrets, and no more can be; remove some with "swiftlet secret remove"`,
      );
    const record = await this.#means.store.create(tenant, name, this.#sealing(tenant, name, value), this.#at());
    if (record === undefined) throw secretExists(name);
    await this.#changed();
    return { record, created: true };
  }

  /** Gives a secret its next value; what runs with the one before is replaced. Resolves when agents know of it. @throws SwiftletError SecretNotFound */
  async rotate(tenant: string, name: string, value: string): Promise<SecretRecord> {
    const record = await this.#means.store.replace(tenant, name, this.#sealing(tenant, name, value), this.#at());
    if (record === undefined) throw secretNotFound(name);
    await this.#changed();
    return record;
  }

  /** @throws SwiftletError SecretNotFound; SecretInUse with the functions that refer to it */
  async remove(tenant: string, name: string): Promise<void> {
    const outcome = await this.#means.store.remove(tenant, name);
    if (outcome.kind === 'missing') throw secretNotFound(name);
    if (outcome.kind === 'in use') throw secretInUse(name, outcome.functions);
    await this.#changed();
  }

  /**
   * Makes a new root key, or takes the one that the operator has put in front, and wraps every secret's key with it.
   * @returns how many were wrapped anew
   * @throws SwiftletError BadRequest when the key comes from elsewhere and is not there yet
   */
  rotateRootKey(): Promise<number> {
    // One after the other: the second one's new key must not be the only one that is left when the first forgets the old.
    return this.#turns.take(async () => {
      this.#ring = await this.#means.rootKeys.add();
      const rewrapped = await this.#rewrapAll();
      // Only now does nothing need them any more.
      await this.#means.rootKeys.dropOld();
      this.#ring = await this.#means.rootKeys.read();
      return rewrapped;
    });
  }

  #rewrapAll(): Promise<number> {
    const [newest] = this.#ring.keys;
    return this.#means.store.rewrapAll((secret) =>
      secret.value.rootKeyId === newest.id ? undefined : rewrap(secret.value, secret, this.#ring),
    );
  }

  #sealing(tenant: string, name: string, value: string) {
    return (version: number) => seal(value, { tenant, name, version }, this.#ring.keys[0]);
  }

  #at(): string {
    return new Date(this.#means.now()).toISOString();
  }

  async #changed(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener()));
  }
}

/** In a time that tells nothing of where they differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
