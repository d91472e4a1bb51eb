/** What has changed in a folder or a bucket since it was last known. Pure, but for what it reads. */

export interface ListedObject {
  readonly key: string;
  /** Another one whenever its content is another one. */
  readonly mark: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Whether it may be told of: one that is still being written is there, but not yet. */
  readonly isAtRest: boolean;
}

export type KnownObject = Pick<ListedObject, 'key' | 'mark'>;

export type ObjectChange =
  | { readonly kind: 'created'; readonly object: ListedObject }
  | { readonly kind: 'removed'; readonly object: KnownObject };

/** The order in which buckets are listed and SQLite sorts. Negative: the first comes first. */
export const compareKeys = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

/**
 * Goes through both at the same time, so that neither has to fit into memory.
 * @param listed what is there, in the order of keys
 * @param known what was there, in the order of keys
 */
export async function* objectChanges(
  listed: AsyncIterable<ListedObject>,
  known: Iterable<KnownObject, undefined>,
): AsyncGenerator<ObjectChange> {
  const before = known[Symbol.iterator]();
  let last = before.next();
  for await (const object of listed) {
    for (; last.done !== true && compareKeys(last.value.key, object.key) < 0; last = before.next())
      yield { kind: 'removed', object: last.value };
    const same = last.done !== true && last.value.key === object.key ? last.value : undefined;
    if (object.isAtRest && same?.mark !== object.mark) yield { kind: 'created', object };
    if (same !== undefined) last = before.next();
  }
  for (; last.done !== true; last = before.next()) yield { kind: 'removed', object: last.value };
}
