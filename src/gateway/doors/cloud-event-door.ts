/** Requests for functions that take CloudEvents: each event becomes an event of the function, and what the function returns goes back as one. */
import { createHash, randomUUID, randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { cloudEventBytes, maxBodyBytes } from '../../model/limits.ts';
import { ByteBudget } from '../http/byte-budget.ts';
import { answeredEvent, type CloudEventJson, type CloudEventRequest, readCloudEvents, writeCloudEvents } from './cloud-event-binding.ts';
import { collectBody } from './collect-body.ts';
import { clientTimeoutMs, timeoutHeader } from '../request/deadline.ts';
import { bodyTooLarge } from '../request/dispatch.ts';
import { invokeWayOf } from '../request/invoke-way.ts';
import type { Authorizer } from '../../wire/instance-protocol.ts';
import { type EventDoor, sendAccepted, sendJson } from './event-door.ts';
import { eventKeysOf } from './event-keys.ts';
import type { Gateway } from '../gateway.ts';
import type { InnerAnswer } from '../http/held-answer.ts';
import type { InnerRequests } from './inner-requests.ts';
import { originIn } from './lane-of.ts';
import type { Origin } from './origin.ts';
import { eventPath } from './platform-paths.ts';
import { wantsNoAnswer } from './prefer.ts';
import { UnderWay } from './under-way.ts';
import type { FunctionRoute } from '../routing/route.ts';

export interface CloudEventDoorMeans {
  readonly gateway: Pick<Gateway, 'refuse'>;
  readonly inner: Pick<InnerRequests, 'send'>;
  readonly events: Pick<EventDoor, 'store'>;
}

/** The name is the function's, or its alias's. */
type Way = Pick<FunctionRoute, 'tenant' | 'name' | 'taken' | 'lane'>;

/** Events of a batch that are under way at once. */
const atOnce = 16;
const passedOn = ['x-swiftlet-error', 'x-swiftlet-version', 'x-swiftlet-start', 'server-timing', 'retry-after', 'content-type'] as const;

export class CloudEventDoor {
  readonly #means: CloudEventDoorMeans;
  readonly #underWay = new UnderWay();
  readonly #budget = new ByteBudget({ each: cloudEventBytes, all: cloudEventBytes });

  constructor(means: CloudEventDoorMeans) {
    this.#means = means;
  }

  /** @param authorizer what the sender has shown, where the function wants to know */
  take(request: IncomingMessage, response: ServerResponse, way: Way, authorizer?: Authorizer): void {
    const id = randomUUID();
    this.#underWay.begin();
    this.#answer(request, response, way, id, authorizer)
      .catch((error: unknown) => {
        if (response.destroyed) return;
        const known = error instanceof SwiftletError ? error : new SwiftletError('Internal', 'a CloudEvent failed', { cause: error });
        this.#means.gateway.refuse(request, response, id, known);
      })
      .finally(() => this.#underWay.end());
  }

  /** Resolves when nothing is under way, or its time is over. */
  drain(graceOver: AbortSignal): Promise<void> {
    return this.#underWay.drain(graceOver);
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    way: Way,
    id: string,
    authorizer: Authorizer | undefined,
  ): Promise<void> {
    if (request.method !== 'POST')
      throw new SwiftletError('MethodNotAllowed', `function "${way.name}" takes CloudEvents: send them with POST`);
    const held = Number(request.headers['content-length'] ?? maxBodyBytes);
    if (held > maxBodyBytes) throw bodyTooLarge();
    const sourceIp = request.socket.remoteAddress ?? '';
    const callerMs = clientTimeoutMs(request.headers[timeoutHeader]);
    if (callerMs instanceof SwiftletError) throw callerMs;
    const origin = { ...originIn(way.lane), way: invokeWayOf(way.taken, authorizer) };
    if (!this.#budget.take('', held)) throw tooMany();
    try {
      const body = await collectBody(request, way.taken?.open.route.maxBodyBytes ?? maxBodyBytes, () => bodyTooLarge(way.taken));
      const read = readCloudEvents(request.headers, body);
      if (request.headers.prefer !== undefined && wantsNoAnswer(request.headers.prefer))
        await this.#store(read, request, response, way, sourceIp, origin);
      else await this.#invoke(read, response, way, id, sourceIp, { ...origin, deadlineMs: Date.now() + callerMs });
    } finally {
      this.#budget.give('', held);
    }
  }

  /** One after the other: what is sent again after a failure is stored once. */
  async #store(
    { events, mode }: CloudEventRequest,
    request: IncomingMessage,
    response: ServerResponse,
    { tenant, name }: Way,
    sourceIp: string,
    origin: Origin,
  ): Promise<void> {
    const said = eventKeysOf(request.headers);
    const accepted = [];
    for (const event of events) {
      const keys = mode === 'batch' || said.idempotencyKey === undefined ? { ...said, idempotencyKey: keyOf(event) } : said;
      const sent = { id: randomUUIDv7(), tenant, function: name, body: bytesOf(event), sourceIp, origin };
      const id = await this.#means.events.store({ ...sent, keys });
      accepted.push({ id, statusUrl: eventPath(tenant, id) });
    }
    const [first] = accepted;
    if (mode !== 'batch' && first !== undefined) sendAccepted(response, tenant, first.id);
    else sendJson(response, 202, ['preference-applied', 'respond-async'], { events: accepted });
  }

  async #invoke(
    { events, mode }: CloudEventRequest,
    response: ServerResponse,
    { tenant, name }: Way,
    id: string,
    sourceIp: string,
    origin: Origin,
  ): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const send = (event: CloudEventJson) =>
      this.#sendOne({ id: mode === 'batch' ? randomUUID() : id, tenant, name, event: bytesOf(event), sourceIp, origin }, gone.signal);
    const answers: InnerAnswer[] = [];
    for (let at = 0; at < events.length; at += atOnce) answers.push(...(await Promise.all(events.slice(at, at + atOnce).map(send))));
    if (!response.destroyed) reply(response, mode, id, answers);
  }

  #sendOne(inner: Parameters<InnerRequests['send']>[0], signal: AbortSignal): Promise<InnerAnswer> {
    let held = 0;
    const takes = (bytes: number) => {
      if (held + bytes > maxBodyBytes || !this.#budget.take('', bytes)) return false;
      held += bytes;
      return true;
    };
    return this.#means.inner.send(inner, takes, signal).finally(() => this.#budget.give('', held));
  }
}

/** What all events came to: events where the function returned any, the first failure if one failed. */
function reply(response: ServerResponse, mode: CloudEventRequest['mode'], id: string, answers: readonly InnerAnswer[]): void {
  const bad = answers.find(({ error }) => error !== undefined);
  const [only] = answers;
  const told = bad ?? (mode === 'batch' ? undefined : only);
  const own = ['x-swiftlet-request-id', id];
  if (bad !== undefined) {
    write(response, bad.status, [...own, ...headersOf(bad)], bad.body);
    return;
  }
  const events = answers.flatMap(({ body }) => answeredEvent(body) ?? []);
  if (events.length > 0) {
    const message = writeCloudEvents(mode, events);
    const timing = told === undefined ? [] : headersOf(told, 'content-type');
    write(response, 200, [...own, ...timing, ...message.headers], message.body);
  } else if (told === undefined || isNothing(told.body)) write(response, 204, own, Buffer.alloc(0));
  else write(response, told.status, [...own, ...headersOf(told)], told.body);
}

const isNothing = (body: Buffer): boolean => body.length === 0 || body.equals(Buffer.from('null'));

const headersOf = ({ headers }: InnerAnswer, leftOut?: string): string[] =>
  passedOn.filter((name) => name !== leftOut && headers[name] !== undefined).flatMap((name) => [name, String(headers[name])]);

function write(response: ServerResponse, status: number, headers: string[], body: Buffer): void {
  response.writeHead(status, status === 204 ? headers : [...headers, 'content-length', String(body.length)]).end(body);
}

const bytesOf = (event: CloudEventJson): Buffer => Buffer.from(JSON.stringify(event));

/** Source and id are what makes two events the same. */
const keyOf = ({ source, id }: CloudEventJson): string =>
  createHash('sha256')
    .update(JSON.stringify([source, id]))
    .digest('base64url');

const tooMany = (): SwiftletError => new SwiftletError('TooManyRequests', 'too many CloudEvents come at once; send fewer at once');
