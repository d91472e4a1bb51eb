/** The control API as the CLI uses it. What comes back is parsed; problems become errors with their code. */
import { z } from 'zod';
import { bundleMediaType, type PackedBundle } from '../build/bundle.ts';
import { isErrorCode, SwiftletError } from '../model/errors.ts';
import { type FunctionConfig, versionSchema } from '../model/function.ts';
import { defaultTenant } from '../model/names.ts';
import { coldPhases } from '../model/phases.ts';
import type { RolloutPlan } from '../model/rollout.ts';
import { sizeAdviceSchema } from '../model/size.ts';
import { callerKinds } from '../model/tenant.ts';
import { tenantPath } from '../model/tenant-path.ts';
import { aliasMark } from '../model/traffic.ts';
import { buildsSchema, bundleStateSchema, instancesSchema, networkCountsSchema, provisionedSchema } from '../wire/agent-calls.ts';
import {
  type DeadLetter,
  deadLetterPageSchema,
  deadLetterSchema,
  type EventView,
  eventSchema,
  type Selection,
  selectedSchema,
} from '../wire/event-calls.ts';
import { type FunctionCalls, functionCallsSchema } from '../wire/gateway-calls.ts';
import { traceSchema } from '../wire/relay-calls.ts';
import { scalingViewSchema } from '../wire/scale-calls.ts';
import { type TimersView, timersSchema } from '../wire/timer-calls.ts';
import { RemoteError } from './failure.ts';
import { type Usage, usageSchema } from './usage-answer.ts';

const problemSchema = z.object({ code: z.string(), detail: z.string(), requestId: z.string().default(''), place: z.string().optional() });
const publishedSchema = z.object({
  version: versionSchema,
  created: z.boolean(),
  placed: z.boolean(),
  callers: z.enum(callerKinds).optional(),
  serving: z.int().optional(),
  bundle: bundleStateSchema.optional(),
  sizeAdvice: sizeAdviceSchema.optional(),
  lacks: z.string().optional(),
});
const listedSchema = z.object({
  functions: z.array(z.object({ name: z.string(), serving: versionSchema })),
  next: z.string().optional(),
});
const describedSchema = z.object({
  name: z.string(),
  serving: versionSchema,
  instances: instancesSchema,
  instancesKnown: z.boolean().default(true),
  provisioned: provisionedSchema.pick({ requested: true, ready: true, failed: true }).optional(),
  networkCounts: networkCountsSchema.optional(),
  bundle: bundleStateSchema.optional(),
  sizeAdvice: sizeAdviceSchema.optional(),
  scaling: z.array(scalingViewSchema).default([]),
});
const versionsSchema = z.object({ serving: z.int(), versions: z.array(versionSchema) });
const tracedSchema = traceSchema.extend({ function: z.string() });
const percentilesSchema = z.object({ p50Ms: z.number(), p95Ms: z.number() });
const startsSchema = z.object({
  warm: z.int(),
  thawed: z.int(),
  awakened: z.int().default(0),
  provisioned: z.int(),
  cold: z.int(),
  recent: z.object({
    count: z.int(),
    waited: percentilesSchema,
    phases: z.array(z.object({ phase: z.enum(coldPhases), waited: percentilesSchema, prepaid: percentilesSchema })),
  }),
});
const acceptedSchema = z.object({ id: z.string(), statusUrl: z.string() });
const factSchema = z.object({ means: z.string(), inForce: z.boolean(), detail: z.string(), remedy: z.string().optional() });
const platformSchema = z.object({
  gatewayUrl: z.string(),
  tenant: z.string().default(defaultTenant),
  functionsUrl: z.string().optional(),
  builds: buildsSchema.default({ available: false, detail: 'this platform does not build' }),
  isolation: z.object({ mode: z.string(), facts: z.array(factSchema) }),
});

/** What one page has. */
const deadLettersAtOnce = 1_000;
/** Of an answer that nobody understands. */
const shownCharacters = 200;

export type Published = z.output<typeof publishedSchema>;
export type Listed = z.output<typeof listedSchema>['functions'][number];
export type Described = z.output<typeof describedSchema>;
export type Traced = z.output<typeof tracedSchema>;
export type Starts = z.output<typeof startsSchema>;
export type Versions = z.output<typeof versionsSchema>;
export type Accepted = z.output<typeof acceptedSchema>;

/** An event's place among others. */
export interface EventKeys {
  readonly orderKey?: string;
  readonly idempotencyKey?: string;
}

/** What a call carries. */
interface Sent {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiClient {
  readonly apiUrl: string;
  readonly #token: string;
  readonly #signal: AbortSignal | undefined;
  readonly #tenant: string | undefined;

  /** @param signal ends every call @param tenant whose things it is about; undefined: the token's own */
  constructor(apiUrl: string, token: string, signal?: AbortSignal, tenant?: string) {
    this.apiUrl = apiUrl;
    this.#token = token;
    this.#signal = signal;
    this.#tenant = tenant;
  }

  /** @returns whether the artifact was sent; it is not when it is there already */
  async putArtifact({ digest, bytes }: PackedBundle): Promise<boolean> {
    const path = `/v1/artifacts/${digest}`;
    const head = await this.#request('HEAD', path);
    if (head.ok) return false;
    await this.call('PUT', path, { body: new Uint8Array(bytes), headers: { 'content-type': bundleMediaType } });
    return true;
  }

  /** @param rollout how the version takes over; undefined: as its configuration says */
  async putFunction(name: string, digest: string, config: FunctionConfig, rollout?: RolloutPlan): Promise<Published> {
    return this.json(publishedSchema, 'PUT', `/v1/functions/${name}`, { digest, config, rollout });
  }

  async list(): Promise<Listed[]> {
    const all: Listed[] = [];
    for (let after = ''; ; ) {
      const page = await this.json(
        listedSchema,
        'GET',
        `/v1/functions?limit=100${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`,
      );
      all.push(...page.functions);
      if (page.next === undefined) return all;
      after = page.next;
    }
  }

  async describe(name: string): Promise<Described> {
    return this.json(describedSchema, 'GET', `/v1/functions/${encodeURIComponent(name)}`);
  }

  async versions(name: string): Promise<Versions> {
    return this.json(versionsSchema, 'GET', `/v1/functions/${encodeURIComponent(name)}/versions`);
  }

  async remove(name: string): Promise<void> {
    await this.send('DELETE', `/v1/functions/${encodeURIComponent(name)}`);
  }

  /** The log as it comes: one JSON record a line. Ends when the log does, or never when it is followed. */
  async logs(name: string, last: number, follow: boolean): Promise<Response> {
    return this.call('GET', `/v1/functions/${encodeURIComponent(name)}/logs?last=${last}&follow=${follow}`);
  }

  /** How a function's starts went. */
  async starts(name: string): Promise<Starts> {
    return this.json(startsSchema, 'GET', `/v1/functions/${encodeURIComponent(name)}/starts`);
  }

  /** Which functions this one called, and which called it. */
  async calls(name: string): Promise<FunctionCalls> {
    return this.json(functionCallsSchema, 'GET', `/v1/functions/${encodeURIComponent(name)}/calls`);
  }

  /** When a function's timers run. */
  async timers(name: string): Promise<TimersView['timers']> {
    return (await this.json(timersSchema, 'GET', `/v1/functions/${encodeURIComponent(name)}/timers`)).timers;
  }

  /** @param name the function that the request was of, when it is known */
  async trace(requestId: string, name: string | undefined): Promise<Traced> {
    const query = name === undefined ? '' : `?function=${encodeURIComponent(name)}`;
    return this.json(tracedSchema, 'GET', `/v1/traces/${encodeURIComponent(requestId)}${query}`);
  }

  /** A function's slowest requests that are kept. */
  async slowest(name: string, limit: number): Promise<Traced[]> {
    const path = `/v1/functions/${encodeURIComponent(name)}/traces?order=slowest&limit=${limit}`;
    return (await this.json(z.object({ traces: z.array(tracedSchema) }), 'GET', path)).traces;
  }

  /** @param name one function's; undefined: all */
  async usage(name: string | undefined, days: number): Promise<Usage> {
    const which = name === undefined ? '' : `&function=${encodeURIComponent(name)}`;
    return this.json(usageSchema, 'GET', `/v1/usage?limit=10000&days=${days}${which}`);
  }

  async platform() {
    return this.json(platformSchema, 'GET', '/v1/platform');
  }

  /** Sends an event straight to a function, or to one of its aliases: `hello:beta`. @returns the gateway's response, whatever its status */
  async invoke(name: string, event: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const { gatewayUrl, tenant } = await this.platform();
    const path = name.split(aliasMark).map(encodeURIComponent).join(aliasMark);
    return this.#fetch(`${gatewayUrl}/_/invoke${tenantPath(tenant)}/${path}`, {
      method: 'POST',
      body: event,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
    });
  }

  /** Has an event stored, to be delivered to a function. */
  async invokeLater(name: string, event: string, { orderKey, idempotencyKey }: EventKeys = {}): Promise<Accepted> {
    const response = await this.invoke(name, event, {
      prefer: 'respond-async',
      ...(orderKey === undefined ? {} : { 'x-swiftlet-order-key': orderKey }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    });
    if (!response.ok) throw await problemOf(response);
    return acceptedSchema.parse(await response.json());
  }

  async event(id: string): Promise<EventView> {
    return this.json(eventSchema, 'GET', `/v1/events/${encodeURIComponent(id)}`);
  }

  /** Oldest first. @param limit so many at most */
  async deadLetters(name: string | undefined, limit: number): Promise<{ events: EventView[]; more: boolean }> {
    const all: EventView[] = [];
    if (limit === 0) return { events: all, more: false };
    for (let after: string | undefined; ; ) {
      const asked = new URLSearchParams({ limit: String(Math.min(limit - all.length, deadLettersAtOnce)) });
      if (name !== undefined) asked.set('function', name);
      if (after !== undefined) asked.set('after', after);
      const page = await this.json(deadLetterPageSchema, 'GET', `/v1/dead-letters?${asked.toString()}`);
      all.push(...page.events);
      after = page.next;
      if (after === undefined || all.length >= limit) return { events: all, more: after !== undefined };
    }
  }

  async deadLetter(id: string): Promise<DeadLetter> {
    return this.json(deadLetterSchema, 'GET', `/v1/dead-letters/${encodeURIComponent(id)}`);
  }

  /** @returns how many dead letters were redriven or purged */
  async changeDeadLetters(what: 'redrive' | 'purge', selection: Selection): Promise<number> {
    for (let count = 0; ; ) {
      const done = await this.json(selectedSchema, 'POST', `/v1/dead-letters/${what}`, selection);
      count += done.count;
      if (!done.more) return count;
    }
  }

  /** Calls the API. @param headers sent along with a body @throws SwiftletError with the code it answers, Internal when it answers what this version does not know */
  async json<T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
    const response = await this.call(method, path, sent);
    const parsed = schema.safeParse(await response.json());
    if (parsed.success) return parsed.data;
    const what = z.prettifyError(parsed.error);
    throw new SwiftletError('Internal', `${this.apiUrl} answers ${method} ${path} otherwise than this version knows: ${what}`);
  }

  /** A call whose success says all. @throws SwiftletError with the code that the API answers */
  async send(method: string, path: string): Promise<void> {
    await this.call(method, path);
  }

  /** Calls the API, for those who read the answer themselves. @throws SwiftletError with the code that it answers */
  async call(method: string, path: string, sent: Sent = {}): Promise<Response> {
    const response = await this.#request(method, path, sent);
    if (response.ok) return response;
    throw await problemOf(response);
  }

  #request(method: string, path: string, { body, headers = {} }: Sent = {}): Promise<Response> {
    const tenant = this.#tenant === undefined ? {} : { 'x-swiftlet-tenant': this.#tenant };
    const init = { method, headers: { authorization: `Bearer ${this.#token}`, ...tenant, ...headers } };
    return this.#fetch(this.apiUrl + path, body === undefined ? init : { ...init, body });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, this.#signal === undefined ? init : { ...init, signal: this.#signal });
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw new SwiftletError(
        'Unavailable',
        `Swiftlet does not answer at ${new URL(url).origin}; start it with "swiftlet up", or name its address with SWIFTLET_API_URL`,
        { cause: error },
      );
    }
  }
}

/** What an answer says that is not ok; one that is no problem details becomes one. */
export async function problemOf(response: Response): Promise<SwiftletError> {
  const text = await response.text();
  const problem = problemSchema.safeParse(jsonOf(text));
  if (!problem.success)
    return new SwiftletError('Internal', `${response.url} answered ${response.status}: ${text.slice(0, shownCharacters)}`);
  const { code, detail, requestId, place } = problem.data;
  return new RemoteError(isErrorCode(code) ? code : 'Internal', detail, requestId, place);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
