import { createHmac } from 'node:crypto';

/** Regions that a key is used for at once, as far as they are remembered: callers may name any. */
const maxScopes = 4;
/** As long as the key of a day is known, so is what was derived of it. */
const derived = new WeakMap<Buffer, Map<string, Buffer>>();

/**
 * What requests of one day are signed with.
 * @param dayKey what the secret comes to on that day; the same object each time
 * @param scope region, service and end
 */
export function signingKeyOf(dayKey: Buffer, scope: readonly string[]): Buffer {
  const known = derived.get(dayKey) ?? new Map<string, Buffer>();
  derived.set(dayKey, known);
  const name = scope.join('/');
  const found = known.get(name);
  if (found !== undefined) return found;
  const made = scope.reduce((key, part) => createHmac('sha256', key).update(part).digest(), dayKey);
  const [oldest] = known.keys();
  if (known.size >= maxScopes && oldest !== undefined) known.delete(oldest);
  known.set(name, made);
  return made;
}
