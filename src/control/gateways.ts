/** All gateways, as one: what they counted is added up, and each of them is told what it needs. */
import type { CallClient } from '../wire/calls.ts';
import { type FunctionCalls, functionCallsSchema, type Watched, watchedSchema } from '../wire/gateway-calls.ts';
import { healthAnswerSchema, metricsAnswerSchema } from '../wire/role-calls.ts';
import { type Loads, loadsSchema } from '../wire/scale-calls.ts';
import { addCalls, addWatched, joinMetrics } from './gateway-sums.ts';
import type { RoleHealth } from './role-health.ts';
import { SummedLoads } from './summed-loads.ts';
import { whenAway } from './when-away.ts';

const askLimitMs = 2_000;

export class Gateways {
  readonly #clients: readonly CallClient[];
  readonly #loads = new SummedLoads();

  /** @param clients one for each, in their order */
  constructor(clients: readonly CallClient[]) {
    this.#clients = clients;
  }

  /** Whether any is there. */
  get connected(): boolean {
    return this.#clients.some(({ connected }) => connected);
  }

  /** Of each, in their order. */
  each(limitMs: number): Promise<RoleHealth[]> {
    return Promise.all(this.#clients.map((client) => healthOf(client, limitMs)));
  }

  /** All of them have to serve. */
  async health(limitMs: number): Promise<RoleHealth> {
    const each = await this.each(limitMs);
    const missing = each.findIndex(({ ready }) => !ready);
    const { ready, detail } = each[Math.max(0, missing)] ?? away;
    if (each.length === 1) return { ready, detail };
    return ready
      ? { ready, detail: `${each.length} gateways take requests` }
      : {
          ready,
          detail: `${each.filter((one) => one.ready).length} of ${each.length} gateways take requests: gateway ${missing + 1}: ${detail}`,
        };
  }

  /** @throws SwiftletError Unavailable while none is there */
  async metrics(limitMs: number): Promise<string> {
    const text = async (client: CallClient) => metricsAnswerSchema.parse(await client.ask('metrics', {}, limitMs)).text;
    const [only, ...others] = this.#clients;
    if (only !== undefined && others.length === 0) return text(only);
    const texts = new Map<number, string>();
    const ask = async (client: CallClient, index: number) => {
      const own = client.connected ? await text(client).catch(whenAway) : undefined;
      if (own !== undefined) texts.set(index + 1, own);
    };
    await Promise.all(this.#clients.map(ask));
    return joinMetrics(texts);
  }

  /** What they counted of a function's versions; undefined while none is there, or while one has not heard of the watch. */
  async watched(tenant: string, name: string): Promise<Watched | undefined> {
    const all = await this.#ask('watched', { tenant, function: name });
    return addWatched(all.map((one) => watchedSchema.parse(one)));
  }

  /** Which functions one called, and which called it. @throws SwiftletError Unavailable while none is there */
  async calls(tenant: string, name: string): Promise<FunctionCalls> {
    const asked = { tenant, function: name };
    const [first] = this.#clients;
    const all = this.connected || first === undefined ? await this.#ask('calls', asked) : [await first.ask('calls', asked, askLimitMs)];
    return addCalls(all.map((one) => functionCallsSchema.parse(one)));
  }

  /** What versions had to do lately; undefined while none is there. */
  async loads(): Promise<Loads | undefined> {
    const all = (await this.#ask('loads', {})).map((one) => loadsSchema.parse(one));
    if (this.#clients.length === 1 || all.length === 0) return all[0];
    return this.#loads.add(all);
  }

  /** The answers of those that are there. */
  async #ask(method: string, body: object): Promise<unknown[]> {
    const there = this.#clients.filter(({ connected }) => connected);
    const answers = await Promise.all(there.map((client) => client.ask(method, body, askLimitMs).catch(whenAway)));
    return answers.filter((answer) => answer !== undefined);
  }
}

const away: RoleHealth = { ready: false, detail: 'the gateway is away' };

const healthOf = (client: CallClient, limitMs: number): Promise<RoleHealth> =>
  client.connected
    ? client.ask('health', {}, limitMs).then(
        (answer) => healthAnswerSchema.parse(answer),
        (error: unknown) => ({ ready: false, detail: error instanceof Error ? error.message : 'the gateway gave no answer' }),
      )
    : Promise.resolve(away);
