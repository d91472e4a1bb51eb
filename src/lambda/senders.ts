/** Who sends a request to the Lambda API, by its signature. Decided on a role's own copy of the state: no other role is asked. */
import type { IncomingMessage } from 'node:http';
import { claimedTokenId } from '../model/access-key.ts';
import type { Caller } from '../model/rights.ts';
import { Guesses } from '../wire/authentication.ts';
import { LambdaError } from './lambda-error.ts';
import {
  demandCurrent,
  isSignedWith,
  type PresentedSignature,
  readSignature,
  sha256,
  signatureMismatch,
  unknownClient,
} from './signature.ts';

/** What signatures are verified with. */
export interface DayKeys {
  /** Whether it is known which keys there are. */
  readonly isTold: boolean;
  /** @param day as signatures name it @returns undefined for a key, or a day, that there is not */
  find(tokenId: string, day: string): Buffer | undefined;
}

export interface SenderMeans {
  readonly keys: DayKeys;
  /** Whose a token is; undefined when it was revoked or has expired. */
  readonly callerOf: (tokenId: string) => Caller | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Somebody who claims a key that there is, and has yet to show that he has it. */
export interface Claim {
  readonly presented: PresentedSignature;
  readonly tokenId: string;
  readonly dayKey: Buffer;
  readonly caller: Caller;
}

export class Senders {
  readonly #means: SenderMeans;
  readonly #guesses = new Guesses();

  constructor(means: SenderMeans) {
    this.#means = means;
  }

  /**
   * What can be said before the body is there, so that nobody without a key has one read.
   * @throws LambdaError
   */
  claimOf(request: IncomingMessage): Claim {
    const { keys, callerOf, now } = this.#means;
    const presented = readSignature(requestOf(request));
    demandCurrent(presented, now());
    if (!keys.isTold) throw new LambdaError('ServiceUnavailableException', 'The access keys are not known yet; try again.');
    const tokenId = claimedTokenId(presented.accessKeyId);
    const dayKey = tokenId === undefined ? undefined : keys.find(tokenId, presented.day);
    const caller = tokenId === undefined ? undefined : callerOf(tokenId);
    if (tokenId === undefined || dayKey === undefined || caller === undefined) throw this.#wrong(request, undefined, unknownClient());
    return { presented, tokenId, dayKey, caller };
  }

  /** @throws LambdaError InvalidSignatureException when it was not signed with the key, or has changed since */
  verify({ presented, dayKey, tokenId, caller }: Claim, request: IncomingMessage, body: Buffer): Caller {
    const bodyHash = sha256(body);
    const said = request.headers['x-amz-content-sha256'];
    const isRight = (said === undefined || said === bodyHash) && isSignedWith(dayKey, presented, requestOf(request), bodyHash);
    if (!isRight) throw this.#wrong(request, tokenId, signatureMismatch());
    return caller;
  }

  /** What a wrong one is told: to wait, once there were too many. A right one is let through even then. */
  #wrong({ socket }: IncomingMessage, account: string | undefined, error: LambdaError): LambdaError {
    const retryAfterSeconds = this.#guesses.wrong(socket.remoteAddress ?? '', account, this.#means.now());
    if (retryAfterSeconds === undefined) return error;
    return new LambdaError('TooManyRequestsException', `Too many wrong signatures; wait ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }
}

const requestOf = ({ method = 'GET', url = '', rawHeaders }: IncomingMessage) => ({ method, target: url, rawHeaders });
