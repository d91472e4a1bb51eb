/** Limits of several gateways, and the agent that counts for them: both ends of the calls, without a process between. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { limitsDoor } from '../../src/agent/limits-door.ts';
import { SharedLimits as AgentsLimits } from '../../src/agent/shared-limits.ts';
import { SharedLimits } from '../../src/gateway/protection/shared-limits.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { SeenNonces } from '../../src/model/seen-nonces.ts';
import type { CallHandlers, Peer } from '../../src/wire/calls.ts';

const untilMs = Date.now() + 60_000;
const there = () => true;

/** An agent that may die and come again. */
class Agent {
  door: CallHandlers | undefined;
  limits: AgentsLimits | undefined;
  readonly #gateways: number;
  readonly #t: TestContext;

  constructor(t: TestContext, gateways: number) {
    this.#gateways = gateways;
    this.#t = t;
    this.comes();
  }

  comes(): void {
    // Nobody waits for gateways that never tell.
    this.#t.mock.timers.enable({ apis: ['setTimeout'] });
    this.limits = new AgentsLimits({ now: () => performance.now(), wallNow: () => Date.now(), gateways: this.#gateways });
    this.#t.mock.timers.reset();
    this.door = limitsDoor(this.limits, {});
  }

  dies(): void {
    this.door = undefined;
  }
}

class Gateway {
  inUse = 0;
  readonly limits: SharedLimits;
  readonly seen = new SeenNonces();
  readonly #agent: Agent;
  readonly #peer: Peer;
  /** What it has sent and the agent has not read yet; undefined: the agent reads at once. */
  #unread: (() => void)[] | undefined;

  constructor(agent: Agent, count: number) {
    this.#agent = agent;
    const nothing = () => undefined;
    const signal = new AbortController().signal;
    const notify = (method: string, body: unknown) => {
      if (method === 'recall') this.limits.recall(body);
    };
    this.#peer = { role: 'gateway', greeting: {}, signal, notify, notifyText: nothing, close: nothing };
    const gone = () => new SwiftletError('Unavailable', 'the agent is away');
    const client = {
      get connected() {
        return agent.door !== undefined;
      },
      ask: (method: string, body: unknown) => {
        const { door } = this.#agent;
        if (door?.ask === undefined) return Promise.reject(gone());
        const { promise, resolve } = Promise.withResolvers<unknown>();
        this.#send(() => resolve(door.ask?.(method, body, this.#peer)));
        return promise;
      },
      notify: (method: string, body: object) => this.#send(() => this.#agent.door?.notice?.(method, body, this.#peer)),
    };
    this.limits = new SharedLimits(client, count, this.seen);
    this.limits.tellHeld();
  }

  #send(read: () => void): void {
    if (this.#unread === undefined) read();
    else this.#unread.push(read);
  }

  /** What it sends is under way until it is read. */
  isFar(): void {
    this.#unread = [];
  }

  isRead(): void {
    const unread = this.#unread ?? [];
    this.#unread = undefined;
    for (const read of unread) read();
  }

  /** Takes a place, if it may. */
  async enters(key: string, limit: number): Promise<boolean> {
    const inUse = () => this.inUse;
    await this.limits.lacking(key, limit, inUse);
    const may = this.limits.mayHave(key, limit);
    if (may) this.inUse += 1;
    return may;
  }

  /** A signed request, as the door takes it. */
  async takes(nonce: string): Promise<boolean> {
    return this.seen.add('default/f', nonce, untilMs, Date.now()) && this.limits.isNewNonce('default/f', nonce, untilMs);
  }
}

function pair(t: TestContext): { agent: Agent; one: Gateway; other: Gateway } {
  const agent = new Agent(t, 2);
  return { agent, one: new Gateway(agent, 2), other: new Gateway(agent, 2) };
}

test('of places there are never more than the limit, and all of them can be had at either gateway', async (t) => {
  const { one, other } = pair(t);
  const limit = 10;
  let entered = 0;
  for (let round = 0; round < limit; round++) for (const gateway of [one, other]) if (await gateway.enters('tenant/a', limit)) entered += 1;
  assert.deepEqual([entered, one.inUse + other.inUse], [limit, limit]);
  one.inUse = 0;
  other.inUse = 0;
  for (let at = 0; at < limit; at++) assert.ok(await eventually(() => other.enters('tenant/a', limit)), `place ${at}`);
  assert.equal(await one.enters('tenant/a', limit), false);
});

test('a gateway that is asked to give back before it has heard that it got more has not less', async (t) => {
  const { one, other } = pair(t);
  for (const gateway of [one, other, other]) assert.ok(await gateway.enters('tenant/a', 4));
  await Promise.all([one.enters('tenant/a', 4), other.enters('tenant/a', 4)]);
  assert.equal(one.inUse + other.inUse, 4);
});

test('a gateway that gives back while it asks for more has what it got for that', async (t) => {
  const { one, other } = pair(t);
  for (let at = 0; at < 16; at++) assert.ok(await one.enters('tenant/a', 17));
  one.isFar();
  const entered = [one.enters('tenant/a', 17), other.enters('tenant/a', 17)];
  one.isRead();
  assert.equal((await Promise.all(entered)).filter(Boolean).length, 1);
});

/** After a no nothing is asked for some milliseconds. */
async function eventually(enter: () => Promise<boolean>): Promise<boolean> {
  for (let tried = 0; tried < 200; tried++) {
    if (await enter()) return true;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return false;
}

test('while the agent is away each goes by what it has or its share, at once', async (t) => {
  const { agent, one, other } = pair(t);
  agent.dies();
  for (let at = 0; at < 5; at++) assert.ok(await one.enters('tenant/a', 10));
  assert.equal(await one.enters('tenant/a', 10), false);
  assert.equal(await other.limits.take([{ key: 'b', perSecond: 1, burst: 1 }]), undefined);
  agent.comes();
  for (const gateway of [one, other]) gateway.limits.tellHeld();
  assert.equal(await other.limits.take([{ key: 'b', perSecond: 1, burst: 1 }]), 'taken');
  assert.notEqual(await one.limits.take([{ key: 'b', perSecond: 1, burst: 1 }]), 'taken');
});

test('what is gone is given back and forgotten, unless it is in use', async (t) => {
  const { one, other } = pair(t);
  for (let at = 0; at < 50; at++) {
    assert.ok(await one.enters(`reserved/default/f${at}`, 1_000));
    one.inUse = 0;
  }
  one.limits.forget(there);
  assert.equal(one.limits.size, 50);
  one.limits.forget((key) => key.endsWith('f7'));
  assert.equal(one.limits.size, 1);
  one.inUse = 1;
  one.limits.forget(() => false);
  assert.equal(one.limits.size, 1);
  one.inUse = 0;
  one.limits.forget(() => false);
  assert.equal(one.limits.size, 0);
  // Nobody holds any of it at the agent: the other one gets all without a recall.
  for (let at = 0; at < 4; at++) assert.ok(await eventually(() => other.enters('reserved/default/f7', 4)));
});

test('a nonce passes once: also when the agent comes anew, and when it comes in the middle', async (t) => {
  const { agent, one, other } = pair(t);
  assert.equal(await one.takes('first'), true);
  assert.equal(await other.takes('first'), false);
  agent.dies();
  await assert.rejects(one.takes('second'), { code: 'Unavailable' });
  agent.comes();
  // Until both have told what they took, nothing is said.
  const asked = other.takes('third');
  one.limits.tellHeld();
  const early = await Promise.race([asked, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
  assert.equal(early, 'waits');
  other.limits.tellHeld();
  // What it asks for itself it has not told.
  assert.equal(await asked, true);
  assert.equal(await other.takes('first'), false);
  const third = new Gateway(agent, 2);
  assert.equal(await third.takes('first'), false);
  assert.equal(await third.takes('fourth'), true);
});
