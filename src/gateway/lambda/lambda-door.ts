/** Requests for Lambda's API: each is limited, read, its signature verified, then carried out; every answer, also a refusal, is as AWS's. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { invokeWish } from '../../lambda/invoke-request.ts';
import { LambdaError, lambdaErrorOf } from '../../lambda/lambda-error.ts';
import type { Claim, Senders } from '../../lambda/senders.ts';
import { SwiftletError } from '../../model/errors.ts';
import { lambdaApiBytes, maxBodyBytes } from '../../model/limits.ts';
import { ByteBudget } from '../http/byte-budget.ts';
import { endWhole } from '../http/end-whole.ts';
import { collectBody } from '../doors/collect-body.ts';
import { UnderWay } from '../doors/under-way.ts';
import { headFault } from '../http/head-fault.ts';
import { closeAfter } from '../request/reply.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import { invoke, type InvokeMeans, type LambdaAnswer } from './invoke.ts';
import { type InvokeOperation, operationOf } from './operation.ts';

export interface LambdaDoorMeans extends InvokeMeans {
  /** Has control answer a request. */
  readonly passOn: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly senders: Pick<Senders, 'claimOf' | 'verify'>;
  /** Whether control has said what there is. */
  readonly knowsFunctions: () => boolean;
  readonly log: Pick<Logger, 'error'>;
}

const nothing = Buffer.alloc(0);

export class LambdaDoor {
  readonly #means: LambdaDoorMeans;
  readonly #budget = new ByteBudget({ each: lambdaApiBytes, all: lambdaApiBytes });
  readonly #underWay = new UnderWay();

  constructor(means: LambdaDoorMeans) {
    this.#means = means;
  }

  /** Takes a request, from its head to the end of its answer. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const id = randomUUID();
    this.#underWay.begin();
    this.#answer(request, response, id)
      .catch((error: unknown) => refusalOf(this.#known(error, id)))
      .then(async (answer) => {
        if (answer !== undefined) await write(request, response, id, answer);
      })
      .catch((error: unknown) => {
        this.#means.log.error({ err: error, requestId: id }, 'an answer of the Lambda API could not be written');
        response.destroy();
      })
      .finally(() => this.#underWay.end());
  }

  /** Resolves when nothing is under way, or its time is over. */
  drain(graceOver: AbortSignal): Promise<void> {
    return this.#underWay.drain(graceOver);
  }

  /** @returns undefined when control has answered */
  async #answer(request: IncomingMessage, response: ServerResponse, id: string): Promise<LambdaAnswer | undefined> {
    const { senders, knowsFunctions, passOn } = this.#means;
    const fault = headFault(request);
    if (fault !== undefined) throw fault;
    if (!knowsFunctions()) throw new LambdaError('ServiceUnavailableException', 'The gateway has just started; try again.');
    const claim = senders.claimOf(request);
    const operation = operationOf(request.method ?? '', request.url ?? '');
    if (operation.kind === 'invoke') return this.#invoke(request, response, id, claim, operation);
    await passOn(request, response);
    return undefined;
  }

  async #invoke(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    claim: Claim,
    operation: InvokeOperation,
  ): Promise<LambdaAnswer> {
    const length = bodyLengthOf(request);
    if (length > maxBodyBytes) throw tooLarge();
    let held = length < 0 ? maxBodyBytes : length;
    let answered = 0;
    if (!this.#budget.take('', held)) throw tooMany();
    try {
      const payload = length === 0 ? nothing : await collectBody(request, maxBodyBytes, tooLarge);
      const caller = this.#means.senders.verify(claim, request, payload);
      const gone = new AbortController();
      // What is over needs no word, which would cost more than all the rest of it.
      response.once('close', () => {
        if (!response.writableFinished) gone.abort();
      });
      const takes = (bytes: number) => {
        answered += bytes;
        if (answered > maxBodyBytes || !this.#budget.take('', bytes)) return false;
        held += bytes;
        return true;
      };
      const sourceIp = request.socket.remoteAddress ?? '';
      const wish = invokeWish(request.headers);
      return await invoke(this.#means, { id, caller, operation, wish, payload, sourceIp, takes, signal: gone.signal });
    } finally {
      this.#budget.give('', held);
    }
  }

  #known(error: unknown, id: string): LambdaError {
    if (error instanceof LambdaError) return error;
    if (error instanceof SwiftletError && error.code !== 'Internal') return lambdaErrorOf(error);
    this.#means.log.error({ err: error, requestId: id }, 'a request to the Lambda API failed for a mistake of ours');
    return new LambdaError('ServiceException', 'The service encountered an internal error; its log has it under this request id.');
  }
}

function refusalOf({ type, status, body, retryAfterSeconds }: LambdaError): LambdaAnswer {
  const again = retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)];
  return {
    status,
    headers: ['x-amzn-errortype', type, 'content-type', 'application/json', ...again],
    body: Buffer.from(JSON.stringify(body)),
  };
}

async function write(request: IncomingMessage, response: ServerResponse, id: string, answer: LambdaAnswer): Promise<void> {
  if (response.destroyed) return;
  const { status, headers, body } = answer;
  const all = headers.includes('x-amzn-requestid') ? [...headers] : ['x-amzn-requestid', id, ...headers];
  if (Buffer.isBuffer(body) && status !== 204) all.push('content-length', String(body.length));
  if (!request.complete && bodyLengthOf(request) !== 0) closeAfter(response, all);
  response.writeHead(status, all);
  if (Buffer.isBuffer(body)) endWhole(response, body);
  // Who goes away meanwhile is no mistake of ours: the function learns of it.
  else await pipeline(body, response).catch(() => response.destroy());
}

const tooLarge = (): SwiftletError =>
  new SwiftletError('RequestTooLarge', `Request must be smaller than ${maxBodyBytes + 1} bytes for the InvokeFunction operation`);

const tooMany = (): LambdaError =>
  new LambdaError('TooManyRequestsException', 'Too many bytes of requests come at once; send fewer at once.');
