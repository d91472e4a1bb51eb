import type { FastifyReply, FastifyRequest } from 'fastify';
import { SwiftletError } from '../../model/errors.ts';
import { GuessLimit } from '../guess-limit.ts';
import { bearerToken, isKnownToken } from '../tokens.ts';

/**
 * Lets requests with a known token through. Wrong tokens get 401, and 429 once their source has sent too many. A right one is let
 * through even then: a token cannot be guessed, so that the limit only keeps guessers from keeping us busy, and behind one
 * address there are others than they.
 * @returns a hook that throws SwiftletError Unauthorized or TooManyRequests
 */
export function authenticate(
  tokenHashes: readonly string[],
  now: () => number,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const guesses = new GuessLimit();
  return (request, reply) => {
    const token = bearerToken(request.headers.authorization);
    if (token !== undefined && isKnownToken(token, tokenHashes)) return Promise.resolve();
    const waitSeconds = token === undefined ? undefined : guesses.wrong(request.ip, now());
    if (waitSeconds !== undefined) {
      reply.header('retry-after', waitSeconds);
      return Promise.reject(
        new SwiftletError('TooManyRequests', `too many wrong tokens came from ${request.ip}; wait ${waitSeconds} s and send a right one`),
      );
    }
    reply.header('www-authenticate', token === undefined ? 'Bearer realm="swiftlet"' : 'Bearer realm="swiftlet", error="invalid_token"');
    const detail = token === undefined ? 'the request carries no token' : 'the token is not known';
    return Promise.reject(
      new SwiftletError('Unauthorized', `${detail}; send "Authorization: Bearer" with what is in the file "token" of the data folder`),
    );
  };
}
