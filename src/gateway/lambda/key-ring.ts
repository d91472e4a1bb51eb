/** What signatures are verified with, as control told it last: a gateway has no key, only what a key comes to on a day. */
import type { DayKeys } from '../../lambda/senders.ts';
import type { AccessKeysNotice } from '../../wire/gateway-calls.ts';

export class KeyRing implements DayKeys {
  #keys: ReadonlyMap<string, ReadonlyMap<string, Buffer>> | undefined;

  /** False until control has told which keys there are. */
  get isTold(): boolean {
    return this.#keys !== undefined;
  }

  take({ keys }: AccessKeysNotice): void {
    this.#keys = new Map(
      keys.map(({ id, days }) => [id, new Map(Object.entries(days).map(([day, key]) => [day, Buffer.from(key, 'base64')]))]),
    );
  }

  /** @param tokenId of the token that the key is @param day as signatures name it @returns undefined for a key, or a day, that there is not */
  find(tokenId: string, day: string): Buffer | undefined {
    return this.#keys?.get(tokenId)?.get(day);
  }
}
