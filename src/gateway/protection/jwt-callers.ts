/**
 * Callers of functions that want a token (JWT) which an issuer of their choice has signed. Budget: 5 µs for a token that came before, one
 * verification for a new one.
 */
import type { JWTPayload } from 'jose';
import { maxTokenLength } from '../../model/token.ts';
import { type JwtRule, keySourceId } from '../../model/url-auth.ts';
import type { CallerKeysNotice } from '../../wire/gateway-calls.ts';
import type { Authorizer } from '../../wire/instance-protocol.ts';
import { goodUntilMs, reasonOf, SignedTokens, Verdicts } from '../../wire/signed-tokens.ts';

/** How long a token is refused without another look, unless keys change. */
const refusedForMs = 5_000;
/** The same while there are no keys: longer than a token waits for them. */
const awayForMs = 3_000;

export type JwtVerdict =
  | { readonly kind: 'shown'; readonly authorizer: Authorizer; readonly expiresMs: number }
  | { readonly kind: 'unknown'; readonly why: string; readonly expiresMs: number }
  /** Nobody has read the issuer's keys yet. */
  | { readonly kind: 'away'; readonly expiresMs: number };

export class JwtCallers {
  readonly #tokens: SignedTokens;
  readonly #verdicts = new Verdicts<JwtVerdict>();

  /** @param askForKeys as of SignedTokens */
  constructor(askForKeys: (id: string) => void) {
    this.#tokens = new SignedTokens(askForKeys);
  }

  /** Takes the keys as they are now. What was decided before is decided anew. */
  take({ sources }: CallerKeysNotice): void {
    this.#verdicts.clear();
    this.#tokens.take(new Map(sources.map((source) => [source.id, source])));
  }

  /** What was decided about a token, if it was and still holds. */
  remembered(token: string, rule: JwtRule, nowMs: number): JwtVerdict | undefined {
    return this.#verdicts.find(token, aboutOf(rule), nowMs);
  }

  /** Decides about a token, and remembers it. @param nowMs milliseconds since 1970 */
  async verify(token: string, rule: JwtRule, nowMs: number): Promise<JwtVerdict> {
    return this.#verdicts.keep(token, aboutOf(rule), await this.#decide(token, rule, nowMs));
  }

  async #decide(token: string, rule: JwtRule, nowMs: number): Promise<JwtVerdict> {
    const refused = (why: string): JwtVerdict => ({ kind: 'unknown', why, expiresMs: nowMs + refusedForMs });
    if (token.length > maxTokenLength) return refused('the token is too long');
    const id = keySourceId(rule);
    try {
      const payload = await this.#tokens.verify(token, id, { requiredClaims: ['exp'] }, nowMs);
      if (!isFor(payload, rule.audience)) return refused('the token is for somebody else (its audience)');
      return { kind: 'shown', authorizer: authorizerOf(payload), expiresMs: goodUntilMs(payload) };
    } catch (error) {
      return this.#tokens.has(id) ? refused(reasonOf(error)) : { kind: 'away', expiresMs: nowMs + awayForMs };
    }
  }
}

/** Two functions may want the same issuer's tokens, each for an audience of its own. */
const aboutOf = (rule: JwtRule): string => `${keySourceId(rule)} ${rule.audience.join(' ')}`;

/** Some issuers say in "client_id" of an access token whom it is for. */
function isFor({ aud, client_id: client }: JWTPayload, audience: readonly string[]): boolean {
  const named = aud === undefined ? [client] : Array.isArray(aud) ? aud : [aud];
  return named.some((name) => typeof name === 'string' && audience.includes(name));
}

function authorizerOf(payload: JWTPayload): Authorizer {
  const claims = Object.entries(payload).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const);
  const { scope } = payload;
  return { jwt: { claims: Object.fromEntries(claims), scopes: typeof scope === 'string' ? scope.split(' ') : null } };
}
