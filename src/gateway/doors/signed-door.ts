/** Requests that are signed with a secret: read as a whole and verified before anybody sees anything of them. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import type { Version } from '../../model/function.ts';
import { signedBytes } from '../../model/limits.ts';
import type { HmacRule } from '../../model/url-auth.ts';
import type { Variables } from '../../wire/variables.ts';
import type { Gateway } from '../gateway.ts';
import { ByteBudget } from '../http/byte-budget.ts';
import { wholeRequest } from '../http/whole-request.ts';
import type { SeenNonces } from '../../model/seen-nonces.ts';
import type { SharedLimits } from '../protection/shared-limits.ts';
import { isSignedBy, readSignature, type Signature, signatureHeader } from '../protection/signature.ts';
import type { FunctionRoute } from '../routing/route.ts';
import { signedBody } from './signed-body.ts';

export interface SignedDoorMeans {
  readonly gateway: Pick<Gateway, 'refuse'>;
  readonly variables: Pick<Variables, 'of'>;
  /** Knows the nonces of all gateways; undefined: this is the only one. */
  readonly shared?: Pick<SharedLimits, 'isNewNonce'> | undefined;
  /** Notes that somebody sent a wrong signature. @returns seconds after which he may send another, when there were too many */
  readonly wrong: (sourceIp: string) => number | undefined;
  /** Those that this gateway has taken. */
  readonly seen: SeenNonces;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class SignedDoor {
  readonly #means: SignedDoorMeans;
  readonly #budget = new ByteBudget(signedBytes);

  constructor(means: SignedDoorMeans) {
    this.#means = means;
  }

  /** Forgets functions that are gone. */
  take(functions: ReadonlyMap<string, unknown>): void {
    this.#means.seen.forgetAllBut(functions);
  }

  /** @param goOn gets the request with its body, once it is known to be signed */
  verify(
    request: IncomingMessage,
    response: ServerResponse,
    way: FunctionRoute,
    version: Version,
    rule: HmacRule,
    goOn: (whole: IncomingMessage) => void,
  ): void {
    this.#verified(request, response, way, version, rule).then(
      (body) => {
        if (!response.destroyed) goOn(wholeRequest(request, body));
      },
      (error: unknown) => {
        if (response.destroyed) return;
        const known =
          error instanceof SwiftletError ? error : new SwiftletError('Internal', 'a signature could not be verified', { cause: error });
        if (known.code === 'Unauthorized') response.setHeader('www-authenticate', 'Swiftlet-Signature realm="swiftlet"');
        this.#means.gateway.refuse(request, response, randomUUID(), known);
      },
    );
  }

  /** @returns the body @throws SwiftletError why it is not let in */
  async #verified(
    request: IncomingMessage,
    response: ServerResponse,
    { taken }: FunctionRoute,
    version: Version,
    rule: HmacRule,
  ): Promise<Buffer> {
    const signature = this.#fresh(request, rule);
    const secrets = this.#secretsOf(version, rule);
    const body = await signedBody(this.#budget, request, response, { tenant: version.tenant, taken });
    const signed = { method: request.method ?? '', target: request.url ?? '', body };
    // Each is tried, so that the time tells nothing of which one it was.
    if (secrets.filter((secret) => isSignedBy(secret, signature, signed)).length === 0)
      throw this.#wrong(request, 'the signature is wrong');
    const nowMs = this.#means.now();
    const key = `${version.tenant}/${version.function}`;
    const untilMs = signature.seconds * 1_000 + rule.skewMs + 1_000;
    const isNew = this.#means.seen.add(key, signature.nonce, untilMs, nowMs);
    if (!isNew || (await this.#means.shared?.isNewNonce(key, signature.nonce, untilMs)) === false)
      throw unauthorized('a request with this nonce came before; each has one of its own');
    return body;
  }

  /** What can be said before the body is there. */
  #fresh(request: IncomingMessage, { skewMs }: HmacRule): Signature {
    const signature = readSignature(request.headers[signatureHeader]);
    if (signature === undefined) throw this.#wrong(request, `this needs ${signatureHeader}: t=<seconds>,n=<nonce>,v1=<HMAC-SHA256 in hex>`);
    const offMs = Math.abs(this.#means.now() - signature.seconds * 1_000);
    if (offMs > skewMs)
      throw unauthorized(
        `the signature's time is ${Math.round(offMs / 1_000)} s off, and may be ${skewMs / 1_000} s; sign again, or set the clock`,
      );
    return signature;
  }

  #secretsOf(version: Version, { secretVariables }: HmacRule): string[] {
    const known = secretVariables.map((variable) => this.#means.variables.of(version, variable));
    const secrets = known.flatMap((one) => (one.kind === 'known' ? [one.value] : []));
    if (secrets.length > 0) return secrets;
    throw new SwiftletError('Unavailable', 'the secret that callers sign with is not here yet: control is away; send it again in a moment');
  }

  #wrong(request: IncomingMessage, why: string): SwiftletError {
    const seconds = this.#means.wrong(request.socket.remoteAddress ?? '');
    if (seconds === undefined) return unauthorized(why);
    return new SwiftletError('TooManyRequests', `${why}, as many were before; wait ${seconds} s and send a right one`, {
      retryAfterMs: seconds * 1_000,
    });
  }
}

const unauthorized = (why: string): SwiftletError => new SwiftletError('Unauthorized', why);
