/**
 * Access keys as control has them: tokens whose secret is kept, sealed, since a signature cannot be verified with its hash. Gateways are told
 * what each key comes to on the days around now, and never a key.
 */
import type { Logger } from 'pino';
import { dayKeyOf, signatureDayOf, signatureDays } from '../model/access-key.ts';
import type { DayKeys } from '../lambda/senders.ts';
import { SwiftletError } from '../model/errors.ts';
import { maxAccessKeys } from '../model/limits.ts';
import { everyTenant } from '../model/rights.ts';
import type { AccessKeysNotice } from '../wire/gateway-calls.ts';
import type { Secrets } from './secrets/secrets.ts';

/** Among secrets they are the platform's own, by the tokens' ids: no tenant's name is this. */
const owner = everyTenant;
const lookEveryMs = 60_000;

export interface AccessKeyMeans {
  readonly secrets: Pick<Secrets, 'list' | 'reveal' | 'set' | 'remove'>;
  /** Those that count, by their ids. */
  readonly tokens: () => ReadonlyMap<string, unknown>;
  /** Calls the listener after every change of what is published, until disposed. */
  readonly watch: (changed: () => void) => Disposable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tell: (keys: AccessKeysNotice) => void;
  readonly log: Pick<Logger, 'error'>;
}

export class AccessKeys implements DayKeys, AsyncDisposable {
  readonly isTold = true;
  readonly #means: AccessKeyMeans;
  readonly #watching: Disposable;
  readonly #timer: NodeJS.Timeout;
  /** What gateways are told of each. */
  readonly #days = new Map<string, Readonly<Record<string, string>>>();
  /** Those whose tokens are not there yet. */
  readonly #coming = new Set<string>();
  /** The day that they were made for. */
  #today = '';
  #last: Promise<void> = Promise.resolve();

  private constructor(means: AccessKeyMeans) {
    this.#means = means;
    this.#watching = means.watch(() => void this.#inTurn(() => this.#dropRevoked()));
    this.#timer = setInterval(() => void this.#inTurn(() => this.#renew()), lookEveryMs).unref();
  }

  /** Tells gateways from now on, until disposed. @throws SwiftletError Unavailable when the root key of a secret is missing */
  static async open(means: AccessKeyMeans): Promise<AccessKeys> {
    const keys = new AccessKeys(means);
    try {
      await keys.#renew();
      await keys.#dropRevoked();
      return keys;
    } catch (error) {
      await keys[Symbol.asyncDispose]();
      throw error;
    }
  }

  has(tokenId: string): boolean {
    return this.#days.has(tokenId);
  }

  find(tokenId: string, day: string): Buffer | undefined {
    const key = this.#days.get(tokenId)?.[day];
    return key === undefined ? undefined : Buffer.from(key, 'base64');
  }

  /**
   * Keeps a key, and tells gateways of it before its token is made: from the moment at which the token counts, the key does.
   * @param make makes the token; when it throws, nothing of the key is left
   * @throws SwiftletError Conflict when there are as many as may be, and what `make` throws
   */
  async add<T>(tokenId: string, secret: string, make: () => Promise<T>): Promise<T> {
    const { secrets, now } = this.#means;
    if (this.#days.size >= maxAccessKeys) throw tooMany();
    this.#coming.add(tokenId);
    try {
      await secrets.set(owner, tokenId, secret);
      this.#days.set(tokenId, daysOf(secret, signatureDays(now())));
      this.#tell();
      return await make();
    } finally {
      this.#coming.delete(tokenId);
      await this.#inTurn(() => this.#dropRevoked());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#watching[Symbol.dispose]();
    await this.#last;
  }

  /** One after the other. Never rejects: what failed is tried again at the next look. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(() =>
      work().catch((error: unknown) => this.#means.log.error({ err: error }, 'access keys could not be brought up to date')),
    );
    return this.#last;
  }

  /** Another day has come, or nothing is known yet. */
  async #renew(): Promise<void> {
    const { secrets, now } = this.#means;
    const today = signatureDayOf(now());
    if (today === this.#today) return;
    for (const { name } of await secrets.list(owner)) {
      const found = await secrets.reveal(owner, name);
      if (found !== undefined) this.#days.set(name, daysOf(found.value, signatureDays(now())));
    }
    this.#today = today;
    this.#tell();
  }

  /** What was a key of a token that is revoked is nothing any more. */
  async #dropRevoked(): Promise<void> {
    const tokens = this.#means.tokens();
    const gone = [...this.#days.keys()].filter((id) => !tokens.has(id) && !this.#coming.has(id));
    for (const id of gone) {
      this.#days.delete(id);
      await this.#means.secrets.remove(owner, id);
    }
    if (gone.length > 0) this.#tell();
  }

  #tell(): void {
    this.#means.tell({ keys: [...this.#days].map(([id, days]) => ({ id, days })) });
  }
}

const daysOf = (secret: string, days: readonly string[]): Record<string, string> =>
  Object.fromEntries(days.map((day) => [day, dayKeyOf(secret, day).toString('base64')]));

const tooMany = (): SwiftletError =>
  new SwiftletError(
    'Conflict',
    `there are ${maxAccessKeys} access keys already; revoke those that nobody needs with "swiftlet token revoke"`,
  );
