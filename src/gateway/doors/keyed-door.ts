/**
 * Requests to functions' addresses that are signed with an access key, as to a function URL of AWS_IAM: read as a whole and verified before
 * anybody sees anything of them. What is refused is refused in AWS's words, to those who speak them.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LambdaError, lambdaErrorOf } from '../../lambda/lambda-error.ts';
import type { Claim, Senders } from '../../lambda/senders.ts';
import { isKeySigned } from '../../lambda/signature.ts';
import { accountOf } from '../../model/account.ts';
import { SwiftletError } from '../../model/errors.ts';
import { signedBytes } from '../../model/limits.ts';
import { type Caller, homeTenant } from '../../model/rights.ts';
import { defaultTenant } from '../../model/names.ts';
import type { Authorizer } from '../../wire/instance-protocol.ts';
import { ByteBudget } from '../http/byte-budget.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import { wholeRequest } from '../http/whole-request.ts';
import type { Access, Passage } from '../protection/access.ts';
import { closeAfter } from '../request/reply.ts';
import type { FunctionRoute } from '../routing/route.ts';
import { signedBody } from './signed-body.ts';

export interface KeyedDoorMeans {
  readonly senders: Pick<Senders, 'claimOf' | 'verify'>;
  readonly access: Pick<Access, 'invoking' | 'wantsSignature'>;
}

type Granted = Extract<Passage, { kind: 'granted' }>;
const forbidden = () => new LambdaError('AccessDeniedException', 'Forbidden');

export class KeyedDoor {
  readonly #means: KeyedDoorMeans;
  readonly #budget = new ByteBudget(signedBytes);

  constructor(means: KeyedDoorMeans) {
    this.#means = means;
  }

  /**
   * Takes a request without a token, if it is signed or is for a function whose callers sign.
   * @param goOn gets the request with its body, once it is known who signed it
   * @returns false: it is neither, and somebody else's to refuse
   */
  take(
    request: IncomingMessage,
    response: ServerResponse,
    way: FunctionRoute,
    goOn: (whole: IncomingMessage, passage: Granted) => void,
  ): boolean {
    if (!isKeySigned(request)) {
      if (!this.#means.access.wantsSignature(way)) return false;
      refuse(request, response, forbidden());
      return true;
    }
    this.#verified(request, response, way).then(
      ({ body, passage }) => {
        if (!response.destroyed) goOn(wholeRequest(request, body), passage);
      },
      (error: unknown) => {
        if (!response.destroyed) refuse(request, response, knownAs(error));
      },
    );
    return true;
  }

  /** @throws LambdaError, SwiftletError why it is not let in */
  async #verified(
    request: IncomingMessage,
    response: ServerResponse,
    way: FunctionRoute,
  ): Promise<{ readonly body: Buffer; readonly passage: Granted }> {
    const { senders, access } = this.#means;
    const claim = senders.claimOf(request);
    const body = await signedBody(this.#budget, request, response, way);
    const caller = senders.verify(claim, request, body);
    if (access.invoking({ kind: 'granted', caller }, way).kind === 'refused') throw forbidden();
    return { body, passage: { kind: 'granted', caller, authorizer: authorizerOf(claim, caller) } };
  }
}

/** As functions behind a URL of AWS_IAM find it. */
function authorizerOf({ presented: { accessKeyId } }: Claim, caller: Caller): Authorizer {
  const accountId = accountOf(homeTenant(caller) ?? defaultTenant);
  const userArn = `arn:aws:iam::${accountId}:user/${accessKeyId}`;
  const nobody = { cognitoIdentity: null, principalOrgId: null };
  return { iam: { accessKey: accessKeyId, accountId, callerId: accessKeyId, ...nobody, userArn, userId: accessKeyId } };
}

function knownAs(error: unknown): LambdaError {
  if (error instanceof LambdaError) return error;
  if (error instanceof SwiftletError) return lambdaErrorOf(error);
  return new LambdaError('ServiceException', 'The signature could not be verified for a mistake of ours.', { cause: error });
}

function refuse(request: IncomingMessage, response: ServerResponse, { type, status, message, retryAfterSeconds }: LambdaError): void {
  const body = JSON.stringify({ Message: message });
  const headers = ['content-type', 'application/json', 'x-amzn-errortype', type, 'x-amzn-requestid', randomUUID()];
  headers.push('content-length', String(Buffer.byteLength(body)));
  if (retryAfterSeconds !== undefined) headers.push('retry-after', String(retryAfterSeconds));
  if (!request.complete && bodyLengthOf(request) !== 0) closeAfter(response, headers);
  response.writeHead(status, headers);
  response.end(body);
}
