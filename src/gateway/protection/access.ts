/**
 * Who may call a function. Decided on this gateway's own copy of the state: no other role is asked. Budget: 0.1 µs for a function that is
 * open to all, 3 µs for one that needs a token.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { letsIn } from '../../model/invoke-policy.ts';
import { defaultTenant } from '../../model/names.ts';
import { type Caller, homeTenant, judge, rolesWith, seesTenant } from '../../model/rights.ts';
import type { Version } from '../../model/function.ts';
import type { UrlRule } from '../../model/tenant.ts';
import type { HmacRule, JwtRule } from '../../model/url-auth.ts';
import { aliasMark } from '../../model/traffic.ts';
import { type Authentication, authenticate, bearerToken, Guesses } from '../../wire/authentication.ts';
import { type Identities, looksSigned, type Vouched } from '../../wire/identities.ts';
import type { Authorizer } from '../../wire/instance-protocol.ts';
import { isOpenToAll, ruleOf } from '../../wire/open-to-all.ts';
import { emptyState, functionKey, type PublishedState } from '../../wire/published-state.ts';
import { Accounts } from './accounts.ts';
import type { JwtCallers } from './jwt-callers.ts';
import { functionOf, unknownFunction } from '../request/failures.ts';

/** Carries a token apart from what is the function's own to check. */
export const tokenHeader = 'x-swiftlet-token';

/** Whom a request is for. */
export interface Way {
  readonly tenant: string;
  /** The function's, or its alias's; empty for a name that is none. */
  readonly key: string;
  /** As the caller wrote it, perhaps with an alias. */
  readonly name: string;
}

/** Who sends a request. */
export type Sender =
  | { readonly kind: 'granted'; readonly caller: Caller; readonly authorizer?: Authorizer }
  | { readonly kind: 'refused'; readonly error: SwiftletError }
  /** The token is signed by an issuer, and is being verified; the same question has its answer afterwards. */
  | { readonly kind: 'pending'; readonly decided: Promise<unknown> };

export type Passage =
  | { readonly kind: 'open' }
  /** By a token that the function itself wants. */
  | { readonly kind: 'shown'; readonly authorizer: Authorizer }
  /** If the request is signed: that is not to be seen before all of it is there. */
  | { readonly kind: 'if signed'; readonly rule: HmacRule; readonly version: Version }
  /** `granted`: by a token with the right to invoke it. */
  | Sender;

const open: Passage = { kind: 'open' };

export class Access {
  readonly #urls: UrlRule;
  readonly #identities: Identities;
  readonly #jwtCallers: JwtCallers;
  readonly #guesses = new Guesses();
  /** Milliseconds since 1970. */
  readonly #now: () => number;
  readonly #accounts = new Accounts();
  #state: PublishedState = emptyState;

  /** @param urls who may call functions of the first tenant of which neither they nor their tenant say it */
  constructor(urls: UrlRule, identities: Identities, jwtCallers: JwtCallers, now: () => number) {
    this.#urls = urls;
    this.#jwtCallers = jwtCallers;
    this.#identities = identities;
    this.#now = now;
  }

  take(state: PublishedState): void {
    this.#state = state;
  }

  /** Whether a request to a function's address may pass. */
  toUrl(way: Way, headers: IncomingHttpHeaders, sourceIp: string): Passage {
    const version = this.#state.functions.get(functionOf(way.key));
    // What is not there is told of freely where there is but one tenant; of another one nobody learns what it has.
    if (version === undefined && way.tenant === defaultTenant && this.#urls === 'public') return open;
    if (version !== undefined && isOpenToAll(this.#state, version, this.#urls)) return open;
    const rule = version === undefined ? 'token' : ruleOf(this.#state, version, this.#urls);
    if (version !== undefined && typeof rule === 'object')
      return rule.kind === 'hmac' ? { kind: 'if signed', rule, version } : this.#byJwt(rule, headers, sourceIp);
    const known = this.identify(headers, sourceIp);
    return known.kind === 'granted' ? this.invoking(known, way) : known;
  }

  /** Who sends a request: `granted` says no more than that the token is known. */
  identify(headers: IncomingHttpHeaders, sourceIp: string): Sender {
    const token = tokenIn(headers);
    if (token === undefined) return { kind: 'refused', error: unauthorized('this needs a token') };
    const nowMs = this.#now();
    const found = this.#callerOf(token, nowMs);
    if (found === undefined) return { kind: 'pending', decided: this.#identities.verify(token, nowMs) };
    if (found.kind === 'known') return { kind: 'granted', caller: found.caller };
    const waitSeconds = this.#guesses.wrong(sourceIp, 'account' in found ? found.account : undefined, nowMs);
    return refusedFor(waitSeconds === undefined ? unauthorized(found.why) : tooManyWrong(sourceIp, waitSeconds));
  }

  /** Whether its callers are to sign with an access key, as those of a function URL of AWS_IAM. */
  wantsSignature({ key }: Pick<Way, 'key'>): boolean {
    return this.#state.policies.get(functionOf(key))?.wantsSignature === true;
  }

  /** Notes what was no right token, nor signature. @returns seconds after which another may come, when there were too many */
  wrong(sourceIp: string): number | undefined {
    return this.#guesses.wrong(sourceIp, undefined, this.#now());
  }

  /** Whether somebody who is known has the right to invoke a function, by a grant of his own or by the function's policy. */
  invoking(known: Extract<Sender, { kind: 'granted' }>, { tenant, name }: Way): Exclude<Sender, { kind: 'pending' }> {
    const verdict = judge(known.caller, 'invoke', { kind: 'function', tenant, name: functionOf(name) });
    if (verdict === 'granted' || this.isLetIn(known.caller, tenant, name)) return known;
    return { kind: 'refused', error: verdict === 'hidden' ? unknownFunction(name) : mayNotInvoke(name) };
  }

  /** Whether a function's policy lets somebody invoke it. @param name perhaps with an alias, or a version's number, behind it */
  isLetIn(caller: Caller, tenant: string, name: string): boolean {
    const mark = name.indexOf(aliasMark);
    const policy = this.#state.policies.get(functionKey(tenant, functionOf(name)));
    return policy !== undefined && letsIn(policy, caller, mark < 0 ? undefined : name.slice(mark + aliasMark.length));
  }

  /**
   * The tenant with an account, if its function's policy lets the caller in. To anybody else it is as if nobody had the account.
   * @param name as for `isLetIn`
   */
  hostOf(account: string, name: string, caller: Caller): string | undefined {
    const tenant = this.#accounts.tenantOf(account, this.#state.tenants);
    return tenant !== undefined && this.isLetIn(caller, tenant, name) ? tenant : undefined;
  }

  /** Whose an access key is: the caller of the token that it is; undefined when that was revoked or has expired. */
  ofToken(id: string): Caller | undefined {
    const known = this.#state.tokens.get(id);
    return known !== undefined && this.#now() < known.expiresMs ? known.caller : undefined;
  }

  /** The tenant that a caller means: the one that is named, else its own. Undefined for one that it has nothing to do with. */
  tenantOf(named: string | undefined, caller: Caller): string | undefined {
    const tenant = named ?? homeTenant(caller) ?? defaultTenant;
    return this.#state.tenants.has(tenant) && seesTenant(caller, tenant) ? tenant : undefined;
  }

  /** Whether a token in its header of its own has the right to invoke a function. */
  mayInvoke({ tenant, name }: Pick<Way, 'tenant' | 'name'>, headers: IncomingHttpHeaders): boolean {
    const token = headers[tokenHeader];
    const found = typeof token === 'string' ? this.#callerOf(token, this.#now()) : undefined;
    return found?.kind === 'known' && judge(found.caller, 'invoke', { kind: 'function', tenant, name: functionOf(name) }) === 'granted';
  }

  /** Undefined while nobody has decided about it yet. */
  #callerOf(token: string, nowMs: number): Authentication | Vouched | undefined {
    if (this.#identities.isEmpty || !looksSigned(token)) return authenticate(token, this.#state, nowMs);
    return this.#identities.remembered(token, nowMs);
  }

  #byJwt(rule: JwtRule, headers: IncomingHttpHeaders, sourceIp: string): Passage {
    const token = bearerToken(headers.authorization);
    if (token === undefined) return refusedFor(callerUnknown('this needs a token', rule));
    const nowMs = this.#now();
    const verdict = this.#jwtCallers.remembered(token, rule, nowMs);
    switch (verdict?.kind) {
      case undefined:
        return { kind: 'pending', decided: this.#jwtCallers.verify(token, rule, nowMs) };
      case 'shown':
        return verdict;
      case 'away':
        return refusedFor(new SwiftletError('Unavailable', `the keys of ${rule.issuer} could not be read yet; send it again in a moment`));
      case 'unknown': {
        const waitSeconds = this.wrong(sourceIp);
        return refusedFor(waitSeconds === undefined ? callerUnknown(verdict.why, rule) : tooManyWrong(sourceIp, waitSeconds));
      }
    }
  }
}

const refusedFor = (error: SwiftletError): Extract<Sender, { kind: 'refused' }> => ({ kind: 'refused', error });

const tooManyWrong = (sourceIp: string, waitSeconds: number): SwiftletError =>
  new SwiftletError(
    'TooManyRequests',
    `too many wrong tokens came from ${sourceIp}, or for one token's id; wait ${waitSeconds} s and send a right one`,
    { retryAfterMs: waitSeconds * 1_000 },
  );

const callerUnknown = (why: string, { issuer, audience }: JwtRule): SwiftletError =>
  new SwiftletError('Unauthorized', `${why}: send one of ${issuer} for ${audience.join(' or ')}, as "Authorization: Bearer <token>"`);

const mayNotInvoke = (name: string): SwiftletError =>
  new SwiftletError(
    'Forbidden',
    `this token has no right to invoke function "${name}"; the roles that have it are ${rolesWith('invoke').join(', ')}`,
  );

function tokenIn(headers: IncomingHttpHeaders): string | undefined {
  const own = headers[tokenHeader];
  return typeof own === 'string' ? own : bearerToken(headers.authorization);
}

const unauthorized = (why: string): SwiftletError =>
  new SwiftletError(
    'Unauthorized',
    `${why}: send it as "${tokenHeader}: <token>" or "Authorization: Bearer <token>"; "swiftlet token create" makes one, and SWIFTLET_HOME/token has the first`,
  );

/** Takes the caller's token out of what goes on to the function, which must not be able to call others with it. */
export function dropAuthorization(rawHeaders: string[]): void {
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) if (rawHeaders[at]?.toLowerCase() === 'authorization') rawHeaders.splice(at, 2);
}
