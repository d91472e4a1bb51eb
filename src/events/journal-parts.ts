/** A transaction as messages of limited size: the first and the last say so. Pure. */
const isFirst = 1;
const isLast = 2;

/** @param limitBytes of a message */
export function partsOf(changes: Uint8Array, limitBytes: number): Buffer[] {
  const parts: Buffer[] = [];
  const room = limitBytes - 1;
  for (let at = 0; at === 0 || at < changes.length; at += room) {
    const mark = (at === 0 ? isFirst : 0) | (at + room >= changes.length ? isLast : 0);
    parts.push(Buffer.concat([Buffer.from([mark]), changes.subarray(at, at + room)]));
  }
  return parts;
}

/** Puts parts together again. What a writer that died has left half is dropped when the next transaction begins. */
export class PartJoiner {
  #parts: Uint8Array[] | undefined;

  /** @returns the transaction that this part completes */
  add(part: Uint8Array): Uint8Array | undefined {
    const mark = part[0] ?? 0;
    if ((mark & isFirst) !== 0) this.#parts = [];
    this.#parts?.push(part.subarray(1));
    if ((mark & isLast) === 0 || this.#parts === undefined) return undefined;
    const changes = Buffer.concat(this.#parts);
    this.#parts = undefined;
    return changes;
  }
}
