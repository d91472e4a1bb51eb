/** Who sends a request, by the token that it carries. Control and gateways ask the same question of the same copy of the state. */
import { type Caller, root } from '../model/rights.ts';
import { claimedId, hashOf, isSameHash, type KnownToken, maxTokenLength } from '../model/token.ts';
import { GuessLimit } from './guess-limit.ts';

/** What tokens are looked up in. */
export interface Credentials {
  /** By their ids. */
  readonly tokens: ReadonlyMap<string, KnownToken>;
  /** SHA-256 in hex of the tokens of the data folder. */
  readonly tokenHashes: readonly string[];
}

export type Authentication =
  | { readonly kind: 'known'; readonly caller: Caller }
  /** `account`: the id of the token that it claimed to be. */
  | { readonly kind: 'unknown'; readonly why: string; readonly account: string | undefined };

/** Budget: 2 µs. */
export function authenticate(token: string, { tokens, tokenHashes }: Credentials, nowMs: number): Authentication {
  const account = claimedId(token);
  if (token.length > maxTokenLength) return { kind: 'unknown', why: 'the token is not known', account };
  const given = hashOf(token);
  const known = account === undefined ? undefined : tokens.get(account);
  if (known !== undefined && isSameHash(known.hash, given)) {
    if (nowMs < known.expiresMs) return { kind: 'known', caller: known.caller };
    return { kind: 'unknown', why: 'the token has expired', account };
  }
  if (account === undefined && tokenHashes.some((hash) => isSameHash(Buffer.from(hash, 'hex'), given)))
    return { kind: 'known', caller: root };
  return { kind: 'unknown', why: 'the token is not known', account };
}

/** The token of an `Authorization` header, or undefined when it carries none. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
}

/** Keeps guessers from keeping us busy: so many wrong tokens from one source, and for one token's id from all sources together. */
export class Guesses {
  readonly #sources = new GuessLimit();
  readonly #accounts = new GuessLimit();

  /**
   * Notes a wrong token.
   * @param account the id that it claimed to have
   * @returns seconds after which another may come, when there were too many; undefined otherwise
   */
  wrong(source: string, account: string | undefined, nowMs: number): number | undefined {
    const bySource = this.#sources.wrong(source, nowMs);
    const byAccount = account === undefined ? undefined : this.#accounts.wrong(account, nowMs);
    return bySource === undefined && byAccount === undefined ? undefined : Math.max(bySource ?? 0, byAccount ?? 0);
  }
}
