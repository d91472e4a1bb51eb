/**
 * Functions that call each other: `context.invoke`. A call comes over the link of the instance that makes it, on the stream of one of its
 * invocations, and so can be nobody else's. It goes on as a request of the gateway's own, or to the event log. What its caller is, who may
 * be called, how long the chain is and how much is held, is all decided here.
 */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Logger } from 'pino';
import { SwiftletError, toProblem, isErrorCode } from '../../model/errors.ts';
import { functionCallBytes, gatewayCallBytes, maxCallBytes } from '../../model/limits.ts';
import { traceparentOf } from '../../model/traceparent.ts';
import { encodeFrame } from '../../wire/frames.ts';
import { callOutcome, frame } from '../../wire/instance-protocol.ts';
import { ByteBudget } from '../http/byte-budget.ts';
import { callAnswer, type FunctionCall, readCall } from './call-frames.ts';
import type { CallGraph } from './call-graph.ts';
import { callRefusal, tooMuchAtOnce } from './call-refusal.ts';
import type { EventDoor } from '../doors/event-door.ts';
import type { Exchange } from '../request/exchange.ts';
import type { InnerAnswer } from '../http/held-answer.ts';
import type { InnerRequests } from '../doors/inner-requests.ts';
import type { Origin } from '../doors/origin.ts';

export interface FunctionCallMeans {
  readonly inner: Pick<InnerRequests, 'send'>;
  readonly store: EventDoor['store'];
  readonly graph: Pick<CallGraph, 'count'>;
  readonly log: Pick<Logger, 'error'>;
}

/** What a call, and an answer without success, take beside their bodies. */
const leastBytes = 4 * 1024;

interface Outcome {
  readonly kind: (typeof callOutcome)[keyof typeof callOutcome];
  readonly body: Buffer;
  /** `ok` or an error code. */
  readonly label: string;
}

export class FunctionCalls {
  readonly #means: FunctionCallMeans;
  readonly #budget = new ByteBudget({ each: functionCallBytes, all: gatewayCallBytes });

  constructor(means: FunctionCallMeans) {
    this.#means = means;
  }

  /** Bytes that calls hold. */
  get heldBytes(): number {
    return this.#budget.held;
  }

  /** Takes a `call` of an invocation. @returns false when it is none */
  take(exchange: Exchange, payload: Buffer): boolean {
    const call = readCall(payload);
    if (call === undefined) return false;
    const { version, key } = exchange.served;
    const calling = {
      function: version.function,
      grants: version.config.calls,
      hops: exchange.origin.hops,
      open: exchange.calls?.count ?? 0,
    };
    const refused = callRefusal(call, calling) ?? (this.#budget.take(key, bytesOf(call)) ? undefined : tooMuchAtOnce(version.function));
    if (refused === undefined) void this.#carryOut(exchange, call);
    else this.#answer(exchange, call, failed(refused), 0);
    return true;
  }

  async #carryOut(exchange: Exchange, call: FunctionCall): Promise<void> {
    const calls = (exchange.calls ??= { count: 0, ended: new AbortController() });
    calls.count += 1;
    const own = bytesOf(call);
    let held = own;
    const { key } = exchange.served;
    const takes = (bytes: number) => {
      if (held - own + bytes > maxCallBytes || !this.#budget.take(key, bytes)) return false;
      held += bytes;
      return true;
    };
    const outcome = await this.#outcomeOf(exchange, call, takes, calls.ended.signal).catch((error: unknown) => this.#failed(error));
    calls.count -= 1;
    this.#answer(exchange, call, outcome, held);
  }

  async #outcomeOf(exchange: Exchange, call: FunctionCall, takes: (bytes: number) => boolean, signal: AbortSignal): Promise<Outcome> {
    const { version } = exchange.served;
    const origin: Origin = {
      hops: exchange.origin.hops + 1,
      caller: { function: version.function, requestId: exchange.id },
      deadlineMs: call.isAsync
        ? Number.POSITIVE_INFINITY
        : Date.now() + Math.min(exchange.deadline, exchange.callerDeadline) - performance.now(),
      lane: exchange.origin.lane,
      traceparent: traceparentOf(exchange.request.headers.traceparent),
    };
    const { sourceIp } = exchange;
    if (!call.isAsync) {
      const inner = { id: randomUUID(), tenant: version.tenant, name: call.function, event: call.event, sourceIp, origin };
      return outcomeOf(await this.#means.inner.send(inner, takes, signal));
    }
    const id = randomUUIDv7();
    await this.#means.store({ id, tenant: version.tenant, function: call.function, body: call.event, sourceIp, origin });
    return { kind: callOutcome.accepted, body: Buffer.from(JSON.stringify({ id })), label: 'ok' };
  }

  /** @param held bytes of the budget that are given back once the instance has taken the answer, or is gone */
  #answer(exchange: Exchange, call: FunctionCall, { kind, body, label }: Outcome, held: number): void {
    const { served, link, stream } = exchange;
    this.#means.graph.count(served.version, call.function, call.isAsync, label);
    const giveBack = () => this.#budget.give(served.key, held);
    const answer = () => encodeFrame(frame.callAnswer, stream, callAnswer(call.number, kind, body));
    if (exchange.state === 'settled' || link === undefined) giveBack();
    // What nothing was held for is bounded as all that is sent to an instance.
    else if (held === 0) link.write(answer());
    else link.writeApart(answer(), giveBack);
  }

  #failed(error: unknown): Outcome {
    if (!(error instanceof SwiftletError)) this.#means.log.error({ err: error }, 'a call failed for a mistake of ours');
    return failed(error);
  }
}

/** What a call holds beside its answer. Also an empty one takes its place. */
const bytesOf = ({ event }: FunctionCall): number => leastBytes + event.length;

function outcomeOf({ status, contentType, error, body }: InnerAnswer): Outcome {
  if (error !== undefined) return { kind: callOutcome.failed, body, label: isErrorCode(error) ? error : 'Internal' };
  const isJson = contentType.startsWith('application/json') && status < 300;
  return { kind: isJson ? callOutcome.json : callOutcome.text, body, label: 'ok' };
}

function failed(error: unknown): Outcome {
  const problem = toProblem(error, '');
  return { kind: callOutcome.failed, body: Buffer.from(JSON.stringify(problem)), label: problem.code };
}
