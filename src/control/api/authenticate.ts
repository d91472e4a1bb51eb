import type { FastifyReply, FastifyRequest } from 'fastify';
import { SwiftletError } from '../../model/errors.ts';
import type { Caller } from '../../model/rights.ts';
import { authenticate, type Authentication, bearerToken, type Credentials, Guesses } from '../../wire/authentication.ts';
import { type Identities, looksSigned, type Vouched } from '../../wire/identities.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends it; set before any other hook and any handler of the guarded routes. */
    caller: Caller;
    /** Whether its token is worth anything still; for answers that take their time. */
    isStillKnown: () => boolean;
  }
}

export interface DoorMeans {
  /** As they are now. */
  readonly credentials: () => Credentials;
  readonly identities: Identities;
  readonly now: () => number;
}

/**
 * Lets requests with a known token through, and notes whose it is. Wrong tokens get 401, and 429 once their source, or all sources
 * together for one token's id, have sent too many. A right one is let through even then: a token cannot be guessed, so that the limit
 * only keeps guessers from keeping us busy, and behind one address there are others than they.
 * @returns a hook that throws SwiftletError Unauthorized or TooManyRequests
 */
export function authenticateCallers(means: DoorMeans): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const guesses = new Guesses();
  return async (request, reply) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) {
      reply.header('www-authenticate', 'Bearer realm="swiftlet"');
      throw unauthorized('the request carries no token');
    }
    const found = await callerOf(token, means);
    if (found.kind === 'unknown') {
      demandFewGuesses(guesses, found, request, means.now());
      reply.header('www-authenticate', 'Bearer realm="swiftlet", error="invalid_token"');
      throw unauthorized(found.why);
    }
    request.caller = found.caller;
    request.isStillKnown = () =>
      'expiresMs' in found ? means.now() < found.expiresMs : authenticate(token, means.credentials(), means.now()).kind === 'known';
  };
}

async function callerOf(
  token: string,
  { credentials, identities, now }: DoorMeans,
): Promise<Authentication | (Vouched & { account?: undefined })> {
  if (identities.isEmpty || !looksSigned(token)) return authenticate(token, credentials(), now());
  return identities.remembered(token, now()) ?? (await identities.verify(token, now()));
}

/** @throws SwiftletError TooManyRequests */
function demandFewGuesses(
  guesses: Guesses,
  { account }: { readonly account?: string | undefined },
  { ip }: FastifyRequest,
  nowMs: number,
): void {
  const waitSeconds = guesses.wrong(ip, account, nowMs);
  if (waitSeconds === undefined) return;
  const detail = `too many wrong tokens came from ${ip}, or for one token's id; wait ${waitSeconds} s and send a right one`;
  throw new SwiftletError('TooManyRequests', detail, { retryAfterMs: waitSeconds * 1_000 });
}

const unauthorized = (why: string): SwiftletError =>
  new SwiftletError(
    'Unauthorized',
    `${why}; send "Authorization: Bearer" with a token of "swiftlet token create", or with what is in the file "token" of the data folder`,
  );
