import { listsOf, type NetworkPolicy } from '../../model/network-policy.ts';
import type { Nftables } from '../linux/nftables.ts';
import { pinSet, policyId } from './policy-rules.ts';
import { table } from './router-rules.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly ttlSeconds: number;
}

/** What somebody resolved at the last moment can still be connected to. */
const graceSeconds = 30;
const longestSeconds = 3_600;
/** Above it those that have ended are looked for. */
const manyPins = 10_000;

/** The addresses that names of lists have led to, open in the rules for as long as their answers hold. */
export class NamePins {
  readonly #rules: Pick<Nftables, 'run'>;
  readonly #now: () => number;
  /** When each ends, in milliseconds. */
  readonly #ends = new Map<string, number>();

  /** @param rules the router’s @param now milliseconds of a monotonic clock */
  constructor(rules: Pick<Nftables, 'run'>, now: () => number) {
    this.#rules = rules;
    this.#now = now;
  }

  /**
   * Opens addresses for the names of a policy. What is open for long enough costs nothing.
   * @param indexes the lines of `allow`; those that are no names are passed over
   * @throws Error with what nft says
   */
  pin(policy: NetworkPolicy, indexes: readonly number[], found: readonly ResolvedAddress[]): void {
    if (typeof policy === 'string') return;
    const allow = listsOf(policy).allow ?? [];
    const names = indexes.filter((index) => allow[index]?.to.kind === 'name');
    const now = this.#now();
    const commands: string[] = [];
    for (const { address, ttlSeconds } of found) {
      const seconds = Math.min(ttlSeconds, longestSeconds);
      for (const index of names) {
        const set = pinSet(policyId(policy), index, address.includes(':') ? 6 : 4);
        const key = `${set} ${address}`;
        if ((this.#ends.get(key) ?? 0) >= now + seconds * 1_000) continue;
        commands.push(pinned(set, address, seconds + graceSeconds));
        this.#ends.set(key, now + (seconds + graceSeconds) * 1_000);
      }
    }
    if (commands.length > 0) this.#rules.run(commands.join('\n'));
    if (this.#ends.size > manyPins) this.#forgetEnded(now);
  }

  /** A policy's sets are gone: should it come again, nothing is open in them. */
  forget(id: string): void {
    for (const key of this.#ends.keys()) if (key.includes(`_${id}_`)) this.#ends.delete(key);
  }

  #forgetEnded(now: number): void {
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
  }
}

/** An element that is there keeps its end when it is added again: so it is taken out in the same transaction. */
function pinned(set: string, address: string, seconds: number): string {
  const element = (rest: string) => `element inet ${table} ${set} { ${address}${rest} }`;
  return [`add ${element('')}`, `delete ${element('')}`, `add ${element(` timeout ${seconds}s`)}`].join('\n');
}
