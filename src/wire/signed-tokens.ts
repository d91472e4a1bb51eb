/** Verifies tokens (JWT) that issuers sign, with keys that control has read: nobody is asked while a request waits, but for a key that is new. */
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { hashOf } from '../model/token.ts';

/** Only what is signed with a key pair: with a shared secret whoever checks could also sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const clockToleranceSeconds = 5;
/** How long a token waits whose key is not known, and how often keys are asked for. */
const keyWaitMs = 1_500;
const keyAskEveryMs = 5_000;

export interface KeySet {
  /** What its tokens say in "iss". */
  readonly issuer: string;
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** What a token has to be beside signed. */
export interface Wanted {
  readonly audience?: string;
  readonly requiredClaims: string[];
}

export class SignedTokens {
  readonly #askForKeys: (id: string) => void;
  #sets = new Map<string, { readonly issuer: string; readonly keys: ReturnType<typeof createLocalJWKSet> }>();
  readonly #waiting = new Set<() => void>();
  readonly #askedAtMs = new Map<string, number>();

  /** @param askForKeys called with the set's id when a token is signed with a key that is not in it; at most every five seconds for each */
  constructor(askForKeys: (id: string) => void) {
    this.#askForKeys = askForKeys;
  }

  get isEmpty(): boolean {
    return this.#sets.size === 0;
  }

  has(id: string): boolean {
    return this.#sets.has(id);
  }

  /** Takes the keys as they are now, by the sets' ids. */
  take(sets: ReadonlyMap<string, KeySet>): void {
    const made = [...sets].map(([id, { issuer, keys }]) => [id, { issuer, keys: createLocalJWKSet({ keys: [...keys] }) }] as const);
    this.#sets = new Map(made);
    for (const id of this.#askedAtMs.keys()) if (!sets.has(id)) this.#askedAtMs.delete(id);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** @param nowMs milliseconds since 1970 @throws an error of jose's that says why it is not good */
  async verify(token: string, id: string, wanted: Wanted, nowMs: number): Promise<JWTPayload> {
    try {
      return await this.#check(token, id, wanted, nowMs);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#keysCame(id, nowMs))) throw error;
      return await this.#check(token, id, wanted, nowMs);
    }
  }

  async #check(token: string, id: string, wanted: Wanted, nowMs: number): Promise<JWTPayload> {
    const known = this.#sets.get(id);
    if (known === undefined) throw new errors.JWKSNoMatchingKey('its issuer is not known');
    const options = { issuer: known.issuer, algorithms, clockTolerance: clockToleranceSeconds, currentDate: new Date(nowMs), ...wanted };
    return (await jwtVerify(token, known.keys, options)).payload;
  }

  /** An issuer signs with new keys from time to time. @returns whether it is worth another look */
  #keysCame(id: string, nowMs: number): Promise<boolean> {
    if (nowMs - (this.#askedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < keyAskEveryMs) return Promise.resolve(false);
    this.#askedAtMs.set(id, nowMs);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(limit);
        resolve(true);
      };
      const limit = setTimeout(() => {
        this.#waiting.delete(wake);
        resolve(false);
      }, keyWaitMs);
      this.#waiting.add(wake);
      this.#askForKeys(id);
    });
  }
}

/** Until when a token is good, which is as long as it would be found to be. */
export const goodUntilMs = ({ exp = 0 }: JWTPayload): number => (exp + clockToleranceSeconds) * 1_000;

/** Verdicts that are remembered, oldest out first. */
const maxRemembered = 10_000;

/** What was decided about tokens, by their hashes. */
export class Verdicts<V extends { readonly expiresMs: number }> {
  readonly #verdicts = new Map<string, V>();

  /** @param about what else it was decided for */
  find(token: string, about: string, nowMs: number): V | undefined {
    const verdict = this.#verdicts.get(keyOf(token, about));
    return verdict !== undefined && nowMs < verdict.expiresMs ? verdict : undefined;
  }

  keep(token: string, about: string, verdict: V): V {
    this.#verdicts.set(keyOf(token, about), verdict);
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size > maxRemembered && oldest !== undefined) this.#verdicts.delete(oldest);
    return verdict;
  }

  clear(): void {
    this.#verdicts.clear();
  }
}

const keyOf = (token: string, about: string): string => `${hashOf(token).toString('base64')} ${about}`;

/** Why a token is not good, for whoever sent it. */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') return 'the token is for somebody else (its audience)';
  return 'the token is not known';
}
