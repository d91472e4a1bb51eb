/** Invoke of Lambda's API: a signed event goes the way of any other, and its answer comes back in Lambda's form. Control is not asked. */
import { randomUUIDv7 } from 'node:crypto';
import { eventStreamType, invokeComplete, payloadChunk } from '../../lambda/event-stream.ts';
import { failurePayload, detailOf, isFunctionFailure } from '../../lambda/function-failure.ts';
import { type FunctionReference, functionReference, type Qualifier, qualifierText } from '../../lambda/function-reference.ts';
import { demandJson, type InvokeWish } from '../../lambda/invoke-request.ts';
import { LambdaError, lambdaErrorOf } from '../../lambda/lambda-error.ts';
import { isErrorCode, SwiftletError } from '../../model/errors.ts';
import type { Version } from '../../model/function.ts';
import { maxEventBytes } from '../../model/limits.ts';
import type { Caller } from '../../model/rights.ts';
import { aliasMark } from '../../model/traffic.ts';
import { functionKey } from '../../wire/published-state.ts';
import type { Access } from '../protection/access.ts';
import type { EventDoor } from '../doors/event-door.ts';
import type { Gateway } from '../gateway.ts';
import type { InnerAnswer } from '../http/held-answer.ts';
import type { InnerRequest, InnerRequests } from '../doors/inner-requests.ts';
import { fromOutside } from '../doors/origin.ts';
import { versionHeader } from '../routing/pick-version.ts';
import type { InvokeOperation } from './operation.ts';

export interface InvokeMeans {
  readonly gateway: Pick<Gateway, 'find'>;
  readonly access: Pick<Access, 'tenantOf' | 'hostOf' | 'invoking'>;
  readonly inner: Pick<InnerRequests, 'send' | 'open'>;
  readonly events: Pick<EventDoor, 'store'>;
  /** The end of an invocation's log, in Base64. @param version as the answer tells it */
  readonly logTail: (of: { readonly served: Version; readonly requestId: string; readonly version: string }) => Promise<string>;
}

export interface Invocation {
  readonly id: string;
  readonly caller: Caller;
  readonly operation: InvokeOperation;
  readonly wish: InvokeWish;
  readonly payload: Buffer;
  readonly sourceIp: string;
  /** Whether so many more bytes of the answer may be held. */
  readonly takes: (bytes: number) => boolean;
  readonly signal: AbortSignal;
}

export interface LambdaAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Whole, or as it comes. */
  readonly body: Buffer | AsyncIterable<Buffer>;
}

/** What a function's caller may invoke. */
interface Target {
  readonly tenant: string;
  readonly reference: FunctionReference;
  /** What serves, or most of it. */
  readonly served: Version;
}

const nothing = Buffer.alloc(0);

/** @throws LambdaError, or SwiftletError for what goes wrong further on */
export async function invoke(means: InvokeMeans, invocation: Invocation): Promise<LambdaAnswer> {
  const { wish, payload } = invocation;
  const target = targetOf(means, invocation);
  demandJson(payload);
  if (invocation.operation.isStreamed && wish.type === 'Event')
    throw new LambdaError('InvalidParameterValueException', 'InvocationType: Event has no answer that could be streamed.');
  switch (wish.type) {
    case 'DryRun':
      return { status: 204, headers: [], body: nothing };
    case 'Event':
      return store(means, invocation, target);
    case 'RequestResponse':
      return invocation.operation.isStreamed ? stream(means, invocation, target) : run(means, invocation, target);
  }
}

/** @throws LambdaError ResourceNotFoundException, AccessDeniedException */
function targetOf({ gateway, access }: InvokeMeans, { caller, operation }: Invocation): Target {
  const reference = functionReference(operation.function, operation.qualifier);
  const { name, account, qualifier } = reference;
  const text = qualifierText(qualifier);
  const named = text === undefined ? name : `${name}${aliasMark}${text}`;
  const host = account === undefined ? undefined : access.hostOf(account, named, caller);
  const tenant = host ?? access.tenantOf(undefined, caller);
  if (tenant === undefined) throw notFound(name);
  const way = { tenant, key: functionKey(tenant, name), name: named };
  const passage = access.invoking({ kind: 'granted', caller }, way);
  if (passage.kind === 'refused') throw passage.error.code === 'Forbidden' ? denied(caller, name) : notFound(name);
  const served = gateway.find(way.key);
  if (served === undefined) throw notFound(name);
  return { tenant, reference, served };
}

async function store({ events }: InvokeMeans, { payload, sourceIp }: Invocation, target: Target): Promise<LambdaAnswer> {
  const { tenant, reference, served } = target;
  const { name, qualifier } = reference;
  if (qualifier.kind === 'version' && qualifier.number !== served.number)
    throw new LambdaError(
      'InvalidParameterValueException',
      `Qualifier: an event is kept for an alias, or for what serves ${name}, not for a version`,
    );
  if (payload.length > maxEventBytes)
    throw new LambdaError(
      'RequestTooLargeException',
      `Request must be smaller than ${maxEventBytes + 1} bytes for the InvokeFunction operation with InvocationType Event`,
    );
  const sent = { tenant, function: nameWith(reference), body: payload.length === 0 ? Buffer.from('{}') : payload, sourceIp };
  const id = await events.store({ id: randomUUIDv7(), ...sent, origin: fromOutside });
  return { status: 202, headers: ['x-amzn-requestid', id], body: nothing };
}

async function run(means: InvokeMeans, invocation: Invocation, target: Target): Promise<LambdaAnswer> {
  const { id, wish, takes, signal } = invocation;
  const { reference, served } = target;
  const answer = await means.inner.send(innerOf(invocation, target), takes, signal).catch(tooLongAsAnswer);
  const version = executedVersion(reference.qualifier, answer);
  const failed = answer.error !== undefined;
  if (failed && !isFunctionFailure(answer.error)) throw refusedWith(answer, reference.name);
  const headers = ['x-amz-executed-version', version];
  if (failed) headers.push('x-amz-function-error', 'Unhandled');
  if (wish.withLog) headers.push('x-amz-log-result', await means.logTail({ served, requestId: id, version }));
  headers.push('content-type', 'application/json');
  return { status: 200, headers, body: failed ? failureOf(answer, id, served) : answer.body };
}

/** As `run`, but what the function answers goes on as it comes. */
async function stream(means: InvokeMeans, invocation: Invocation, target: Target): Promise<LambdaAnswer> {
  const { id, wish, takes, signal } = invocation;
  const { reference, served } = target;
  const answer = await means.inner.open(innerOf(invocation, target), takes, signal);
  if (answer.error !== undefined && !isFunctionFailure(answer.error)) throw refusedWith(answer, reference.name);
  const version = executedVersion(reference.qualifier, answer);
  const headers = ['x-amz-executed-version', version, 'content-type', eventStreamType];
  const log = async () => (wish.withLog ? { LogResult: await means.logTail({ served, requestId: id, version }) } : {});
  const failure = 'stream' in answer ? undefined : failureOf(answer, id, served).toString();
  return { status: 200, headers, body: messages('stream' in answer ? answer.stream : [], failure, log) };
}

/** @param failure what failed before the first byte, if it did */
async function* messages(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  failure: string | undefined,
  log: () => Promise<{ readonly LogResult?: string }>,
): AsyncGenerator<Buffer> {
  let details = failure;
  try {
    for await (const chunk of body) yield payloadChunk(chunk);
  } catch (error) {
    details = `The function's answer ended early: ${error instanceof Error ? error.message : ''}`;
  }
  yield invokeComplete({ ...(details === undefined ? {} : { ErrorCode: 'Unhandled', ErrorDetails: details }), ...(await log()) });
}

function innerOf({ id, wish, payload, sourceIp }: Invocation, { tenant, reference }: Target): InnerRequest {
  const { qualifier } = reference;
  const origin = { ...fromOutside, clientContext: wish.clientContext, tellsFailure: true };
  const version = qualifier.kind === 'version' ? qualifier.number : undefined;
  return { id, tenant, name: nameWith(reference), version, event: payload, sourceIp, origin };
}

/** An answer that is too long to be held is the function's failure, as one that its runtime refuses. */
function tooLongAsAnswer(error: unknown): InnerAnswer {
  if (!(error instanceof SwiftletError) || error.code !== 'ResponseTooLarge') throw error;
  const body = Buffer.from(JSON.stringify({ detail: error.message }));
  return { status: 502, contentType: 'application/problem+json', error: error.code, headers: {}, body };
}

function failureOf({ error, body }: InnerAnswer, requestId: string, { config }: Version): Buffer {
  const code = isErrorCode(error) ? error : 'Internal';
  return Buffer.from(failurePayload({ code, requestId, body, timeoutMs: config.timeoutMs }));
}

/** What the gateway refused on its own, before or instead of the function. */
function refusedWith({ error, body, headers }: InnerAnswer, name: string): LambdaError {
  const code = isErrorCode(error) ? error : 'Internal';
  const again = Number(headers['retry-after']);
  const retry = Number.isFinite(again) ? { retryAfterMs: again * 1_000 } : {};
  const isMissing = code === 'FunctionNotFound' || code === 'AliasNotFound' || code === 'VersionNotFound';
  return isMissing ? notFound(name, detailOf(body)) : lambdaErrorOf(new SwiftletError(code, detailOf(body), retry));
}

/** As the gateway's paths have it. */
const nameWith = ({ name, qualifier }: FunctionReference): string =>
  qualifier.kind === 'alias' ? `${name}${aliasMark}${qualifier.name}` : name;

/** As AWS tells it: whoever named no version gets none. */
const executedVersion = ({ kind }: Qualifier, { headers }: Pick<InnerAnswer, 'headers'>): string =>
  kind === 'latest' ? '$LATEST' : String(headers[versionHeader] ?? '$LATEST');

const notFound = (name: string, why = 'deploy it, or see "swiftlet list"'): LambdaError =>
  new LambdaError('ResourceNotFoundException', `Function not found: ${name} (${why})`);

const denied = ({ id }: Caller, name: string): LambdaError =>
  new LambdaError(
    'AccessDeniedException',
    `User: ${id} is not authorized to perform: lambda:InvokeFunction on resource: ${name}; its key needs the role invoker, developer, operator or admin`,
  );
