/** Callers whom an issuer vouches for by a signed token. It is verified once, here, with keys that control has published. */
import { decodeJwt } from 'jose';
import { grantsOf, type PublishedIssuer } from '../model/issuer.ts';
import type { Caller } from '../model/rights.ts';
import { maxTokenLength } from '../model/token.ts';
import { goodUntilMs, reasonOf, SignedTokens, Verdicts } from './signed-tokens.ts';

/** How long a token is refused without another look, unless keys change. */
const refusedForMs = 5_000;
export type Vouched =
  | { readonly kind: 'known'; readonly caller: Caller; readonly expiresMs: number }
  | { readonly kind: 'unknown'; readonly why: string; readonly expiresMs: number };

/** Three parts, joined by dots. */
export const looksSigned = (token: string): boolean => token.length <= maxTokenLength && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

export class Identities {
  readonly #tokens: SignedTokens;
  #issuers = new Map<string, PublishedIssuer>();
  readonly #verdicts = new Verdicts<Vouched>();

  /** @param askForKeys called when a token is signed with a key that is not known; at most every five seconds for an issuer */
  constructor(askForKeys: (issuer: string) => void) {
    this.#tokens = new SignedTokens(askForKeys);
  }

  /** Whether any issuer is known. */
  get isEmpty(): boolean {
    return this.#tokens.isEmpty;
  }

  /** Takes the issuers with their keys as they are now. What was decided before is decided anew. */
  take(issuers: readonly PublishedIssuer[]): void {
    this.#issuers = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
    this.#verdicts.clear();
    this.#tokens.take(this.#issuers);
  }

  /** What was decided about a token, if it was and still holds. */
  remembered(token: string, nowMs: number): Vouched | undefined {
    return this.#verdicts.find(token, '', nowMs);
  }

  /** Decides about a token, and remembers it. @param nowMs milliseconds since 1970 */
  async verify(token: string, nowMs: number): Promise<Vouched> {
    return this.#verdicts.keep(token, '', await this.#decide(token, nowMs));
  }

  async #decide(token: string, nowMs: number): Promise<Vouched> {
    const refused = (why: string): Vouched => ({ kind: 'unknown', why, expiresMs: nowMs + refusedForMs });
    const name = issuerNamed(token);
    const audience = name === undefined ? undefined : this.#issuers.get(name)?.audience;
    if (name === undefined || audience === undefined) return refused('the token is not known');
    try {
      const payload = await this.#tokens.verify(token, name, { audience, requiredClaims: ['exp', 'sub'] }, nowMs);
      const grants = grantsOf(payload, this.#issuers.get(name)?.grants ?? []);
      if (grants.length === 0) return refused('the token is good, but its claims are worth no role here');
      if (payload.exp === undefined || payload.sub === undefined) return refused('the token has no end, or no subject');
      return {
        kind: 'known',
        caller: { id: `${name}|${payload.sub.slice(0, 200)}`, kind: 'identity', grants },
        expiresMs: goodUntilMs(payload),
      };
    } catch (error) {
      return refused(reasonOf(error));
    }
  }
}

function issuerNamed(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
