/** Instances that are leased, given back, frozen and thawed, in sandboxes that only pretend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { EndFacts } from '../../src/agent/end-reason.ts';
import { Instances } from '../../src/agent/instances.ts';
import { PageOuts } from '../../src/agent/page-outs.ts';
import { PlaceSharing } from '../../src/agent/place-sharing.ts';
import type { Sandbox } from '../../src/agent/sandbox/sandbox.ts';
import { Uses } from '../../src/agent/uses.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import type { Version } from '../../src/model/function.ts';
import { noTimes } from '../../src/model/phases.ts';
import { leaseMs, renewEveryMs } from '../../src/wire/agent-calls.ts';
import type { Peer } from '../../src/wire/calls.ts';
import type { VersionTarget } from '../../src/wire/scale-calls.ts';
import { version as plain } from '../gateway/starting-instance.ts';

const ended: EndFacts = { exit: { code: null, signal: 'SIGKILL' }, oomKills: 0, pidsRefused: 0, tail: '' };
const settled = () => new Promise(setImmediate);

/** A sandbox whose runtime is quiet when the test says so. */
class FakeSandbox {
  readonly did: string[] = [];
  /** Questions that the runtime has not answered. */
  readonly asked: (() => void)[] = [];
  readonly #end = Promise.withResolvers<EndFacts>();
  readonly ended = this.#end.promise;
  readonly connection = { rest: () => new Promise<void>((resolve) => this.asked.push(resolve)) };

  /** Ends the move to swap that is under way. */
  beInSwap: (() => void) | undefined;

  hibernate = () => {
    this.did.push('hibernate');
    return new Promise<void>((resolve) => {
      this.beInSwap = resolve;
    });
  };
  freeze = () => void this.did.push('freeze');
  thaw = () => void this.did.push('thaw');
  kill = () => {
    this.did.push('kill');
    this.#end.resolve(ended);
  };

  async beQuiet(): Promise<void> {
    for (const answer of this.asked.splice(0)) answer();
    await settled();
  }
}

const targetOf = (target: number, maximum = 100): VersionTarget => ({
  tenant: plain.tenant,
  function: plain.function,
  number: plain.number,
  target,
  minimum: 0,
  maximum,
});

class UnderTest {
  now = 0;
  hibernateMs = Infinity;
  readonly gone: string[] = [];
  /** Those that a gateway was told to give back. */
  readonly retired: string[] = [];
  readonly sandboxes: FakeSandbox[] = [];
  serving: Version | undefined;
  /** Which values of its secrets the version has. */
  stamp = 'db=1';
  memoryQuotaMiB: number | undefined;
  target: VersionTarget | undefined;
  readonly instances: Instances;
  readonly #alive = new AbortController();
  readonly gateway = { role: 'gateway', signal: this.#alive.signal } as Peer;

  constructor(config: Partial<Version['config']> = {}, capacity = 100) {
    this.serving = { ...plain, config: { ...plain.config, freezeMs: 1_000, idleMs: 5_000, timeoutMs: 3_000, ...config } };
    this.instances = new Instances({
      places: new PlaceSharing({
        capacity,
        tenants: () => ['default', 'other'],
        retire: ({ id }) => this.retired.push(id),
        now: () => this.now,
      }),
      start: () => {
        if ([...this.instances.all].length === capacity) return Promise.reject(new SwiftletError('HostFull', 'no room'));
        const sandbox = new FakeSandbox();
        this.sandboxes.push(sandbox);
        return Promise.resolve({ sandbox: sandbox as unknown as Sandbox, times: noTimes, secretStamp: this.stamp, farewellMs: 0 });
      },
      isServed: ({ number }) => this.serving?.number === number,
      minimum: ({ config }) => config.minimum,
      secretStamp: () => this.stamp,
      target: () => this.target,
      announceEnd: ({ id }) => void this.gone.push(id),
      memoryQuotaMiB: () => this.memoryQuotaMiB,
      canFreeze: true,
      uses: new Uses(),
      pageOuts: new PageOuts(pino({ level: 'silent' })),
      hibernateMs: () => this.hibernateMs,
      now: () => this.now,
      log: pino({ level: 'silent' }),
    });
  }

  get version(): Version {
    assert.ok(this.serving !== undefined);
    return this.serving;
  }

  get states(): string[] {
    return [...this.instances.all].map(({ state }) => state.kind);
  }

  async acquire(id: string, tenant = 'default'): Promise<string> {
    const { instance, start } = await this.instances.acquire({ ...this.version, tenant }, this.gateway, id, () => undefined);
    return `${instance.id} ${start}`;
  }

  /** An instance that was used and given back, and is quiet. */
  async rested(id: string): Promise<FakeSandbox> {
    await this.acquire(id);
    this.instances.release(id, this.gateway, 0);
    const sandbox = this.sandboxes.at(-1);
    assert.ok(sandbox !== undefined);
    await sandbox.beQuiet();
    return sandbox;
  }

  after(ms: number): void {
    this.now += ms;
    this.instances.tidy();
  }

  loseGateway(): void {
    this.#alive.abort();
    this.after(0);
  }
}

test('idle, frozen, thawed for a request, and gone in the end', async () => {
  const tested = new UnderTest();
  const sandbox = await tested.rested('a');
  tested.after(999);
  assert.deepEqual(tested.states, ['idle']);
  tested.after(1);
  assert.deepEqual([tested.states, sandbox.did], [['frozen'], ['freeze']]);
  assert.equal(await tested.acquire('b'), 'a thawed');
  assert.deepEqual([tested.states, sandbox.did], [['leased'], ['freeze', 'thaw']]);
  tested.instances.release('a', tested.gateway, 0);
  await sandbox.beQuiet();
  assert.equal(await tested.acquire('b'), 'a warm');
  tested.instances.release('a', tested.gateway, 0);
  await sandbox.beQuiet();
  tested.after(1_000);
  tested.after(4_000);
  await settled();
  assert.deepEqual([sandbox.did.at(-1), tested.gone, tested.states], ['kill', ['a'], []]);
});

test('hibernated after it was frozen, and awakened for a request', async () => {
  const tested = new UnderTest();
  tested.hibernateMs = 2_000;
  const sandbox = await tested.rested('a');
  tested.after(1_000);
  tested.after(1_000);
  tested.after(1);
  assert.deepEqual([tested.states, sandbox.did], [['frozen'], ['freeze', 'hibernate']], 'asked for once, and frozen until it is done');
  sandbox.beInSwap?.();
  await settled();
  assert.deepEqual(tested.states, ['hibernated']);
  assert.equal(await tested.acquire('b'), 'a awakened');
  assert.deepEqual([tested.states, sandbox.did.at(-1)], [['leased'], 'thaw']);
  tested.instances.release('a', tested.gateway, 0);
  await sandbox.beQuiet();
  tested.after(1_000);
  tested.after(1_000);
  sandbox.beInSwap?.();
  await settled();
  tested.after(3_000);
  await settled();
  assert.deepEqual([sandbox.did.at(-1), tested.gone], ['kill', ['a']]);
});

test('a request that comes while the memory goes to swap finds a frozen one', async () => {
  const tested = new UnderTest();
  tested.hibernateMs = 1_000;
  const sandbox = await tested.rested('a');
  tested.after(1_000);
  tested.after(0);
  assert.deepEqual(sandbox.did, ['freeze', 'hibernate']);
  assert.equal(await tested.acquire('b'), 'a thawed');
  sandbox.beInSwap?.();
  await settled();
  assert.deepEqual(tested.states, ['leased']);
});

test('nothing is frozen, nor ended, before its runtime says that it is quiet', async () => {
  const tested = new UnderTest();
  const sandbox = await tested.rested('a');
  assert.equal(await tested.acquire('b'), 'a warm');
  tested.instances.release('a', tested.gateway, 0);
  tested.after(2_000);
  assert.deepEqual(tested.states, ['idle']);
  await sandbox.beQuiet();
  assert.deepEqual(tested.states, ['frozen'], 'it is frozen at once then');
});

test('a word of the time before a lease does not count after it', async () => {
  const tested = new UnderTest();
  await tested.acquire('a');
  const [sandbox] = tested.sandboxes;
  tested.instances.release('a', tested.gateway, 0);
  const early = sandbox?.asked.splice(0) ?? [];
  await tested.acquire('b');
  tested.instances.release('a', tested.gateway, 0);
  tested.after(2_000);
  assert.equal(sandbox?.asked.length, 0, 'one question at a time');
  for (const answer of early) answer();
  await settled();
  assert.deepEqual([tested.states, sandbox.asked.length], [['idle'], 1], 'it is asked anew');
  await sandbox.beQuiet();
  assert.deepEqual(tested.states, ['frozen']);
});

test('a lease that lapses may still be used by whoever had it: frozen it is only when it is quiet', async () => {
  const lapses = [(tested: UnderTest) => tested.after(leaseMs), (tested: UnderTest) => tested.loseGateway()];
  for (const lapse of lapses) {
    const tested = new UnderTest({ idleMs: 60_000 });
    await tested.acquire('a');
    const [sandbox] = tested.sandboxes;
    lapse(tested);
    tested.after(1);
    tested.after(renewEveryMs - 2);
    assert.deepEqual([tested.states, sandbox?.asked.length], [['idle'], 0], 'whoever has it may be about to say so, and to connect');
    tested.after(1);
    assert.deepEqual([tested.states, sandbox?.asked.length], [['idle'], 1]);
    await sandbox?.beQuiet();
    assert.deepEqual(tested.states, ['frozen']);
  }
});

test('a gateway that says it still has a frozen one gets it thawed', async () => {
  const tested = new UnderTest();
  const sandbox = await tested.rested('a');
  tested.after(1_000);
  tested.instances.renew(['a'], tested.gateway);
  assert.deepEqual([tested.states, sandbox.did], [['leased'], ['freeze', 'thaw']]);
});

test('an adopted one is asked before it is frozen, when its gateway has had the time to say that it holds it', async () => {
  const tested = new UnderTest({ idleMs: 60_000 });
  const sandbox = new FakeSandbox();
  tested.instances.adopt(sandbox as unknown as Sandbox, {
    id: 'a',
    version: tested.version,
    startedAt: '',
    secretStamp: 'db=1',
  });
  tested.after(renewEveryMs - 1);
  assert.deepEqual([tested.states, sandbox.asked.length], [['idle'], 0]);
  tested.after(1);
  assert.deepEqual([tested.states, sandbox.asked.length], [['idle'], 1]);
  await sandbox.beQuiet();
  assert.deepEqual(tested.states, ['frozen']);
});

test('a one-shot instance is given to one only, and ended as soon as it is quiet', async () => {
  const tested = new UnderTest({ process: 'one-shot' });
  assert.equal(await tested.acquire('a'), 'a cold');
  tested.instances.release('a', tested.gateway, 0);
  assert.deepEqual(tested.states, ['spent']);
  assert.equal(await tested.acquire('b'), 'b cold');
  await tested.sandboxes[0]?.beQuiet();
  assert.deepEqual([tested.gone, tested.states], [['a'], ['leased']]);
});

test('the first so many are provisioned: never frozen, and another one is when one is gone', async () => {
  const tested = new UnderTest({ minimum: 1 });
  await tested.instances.startAhead(tested.version);
  await tested.acquire('held');
  const second = await tested.rested('b');
  tested.instances.release([...tested.instances.all][0]?.id ?? '', tested.gateway, 0);
  for (const sandbox of tested.sandboxes) await sandbox.beQuiet();
  tested.after(1_000);
  assert.deepEqual(tested.states, ['idle', 'frozen']);
  tested.instances.end([...tested.instances.all][0]?.id ?? '');
  await settled();
  tested.after(1);
  assert.deepEqual([tested.states, second.did], [['idle'], ['freeze', 'thaw']]);
});

test('a host that needs room takes the one that has rested longest, but none that is provisioned or not quiet', async () => {
  const tested = new UnderTest({ minimum: 1 });
  await tested.instances.startAhead(tested.version);
  for (const id of ['first', 'second', 'third']) await tested.acquire(id);
  const [first, second, third] = tested.sandboxes;
  for (const id of ['second', 'third']) tested.instances.release(id, tested.gateway, 0);
  await second?.beQuiet();
  await third?.beQuiet();
  assert.equal(await tested.acquire('again'), 'second warm');
  tested.instances.release('second', tested.gateway, 100);
  tested.instances.release([...tested.instances.all][0]?.id ?? '', tested.gateway, 1_000);
  await first?.beQuiet();
  const other = { ...tested.version, function: 'other' };
  await tested.instances.endOldestIdle(tested.version);
  assert.equal(tested.states.length, 3, 'those of the version that needs the room would be as good as the new one');
  await tested.instances.endOldestIdle(other);
  assert.deepEqual([first?.did, second?.did, third?.did], [[], [], ['kill']]);
  await tested.instances.endOldestIdle(other);
  assert.equal(tested.states.length, 2);
});

test('one with a rotated secret is given to nobody, counts for nothing, and goes as soon as it is quiet', async () => {
  const tested = new UnderTest({ maximum: 1 });
  const sandbox = await tested.rested('a');
  tested.stamp = 'db=2';
  assert.deepEqual(tested.instances.count(tested.version), { there: 0, ready: 0, room: 1 });
  assert.equal(await tested.acquire('b'), 'b cold');
  tested.after(0);
  assert.deepEqual(sandbox.did, ['kill']);
  assert.deepEqual(tested.states, ['ending', 'leased']);
});

test('of provisioned ones the old stay until the new are there', async () => {
  const tested = new UnderTest({ minimum: 1 });
  await tested.instances.startAhead(tested.version);
  tested.stamp = 'db=2';
  tested.after(0);
  assert.deepEqual(tested.states, ['idle']);
  await tested.instances.startAhead(tested.version);
  tested.after(0);
  assert.deepEqual(tested.states, ['ending', 'idle']);
});

test('a tenant’s instances have no more of the host’s memory together than its quota, until one is gone', async () => {
  const tested = new UnderTest();
  tested.memoryQuotaMiB = 2 * tested.version.config.memoryMiB;
  await tested.acquire('a');
  await tested.acquire('b');
  await assert.rejects(tested.acquire('c'), {
    code: 'QuotaExceeded',
    place: 'memoryMiB',
    message: /quota "memoryMiB" of 256 full: its instances have 256 MiB/,
  });
  tested.memoryQuotaMiB = undefined;
  assert.equal(await tested.acquire('c'), 'c cold');
});

test('what the autoscaler wants is not ended for being idle, what is too many sooner than usual, and the last one as usual', async () => {
  const tested = new UnderTest({ scale: { ...plain.config.scale, delayMs: 2_000 } });
  for (const id of ['a', 'b', 'c']) await tested.acquire(id);
  for (const [at, id] of ['a', 'b', 'c'].entries()) {
    tested.instances.release(id, tested.gateway, 0);
    await tested.sandboxes[at]?.beQuiet();
  }
  tested.target = targetOf(2);
  tested.after(1_999);
  assert.equal(tested.states.length, 3);
  tested.after(1);
  await settled();
  assert.deepEqual([tested.gone.length, tested.states.length], [1, 2]);
  tested.after(60_000);
  await settled();
  assert.equal(tested.states.length, 2);
  tested.target = targetOf(0);
  tested.now -= 58_000;
  tested.after(0);
  await settled();
  assert.equal(tested.states.length, 1, 'the last one has its idle time');
  tested.after(58_000);
  await settled();
  assert.deepEqual(tested.states, []);
});

test('of many that are too many as many go at once as are too many', async () => {
  const tested = new UnderTest({ scale: { ...plain.config.scale, delayMs: 2_000 } });
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const id of ids) await tested.acquire(id);
  for (const id of ids) tested.instances.release(id, tested.gateway, 0);
  for (const sandbox of tested.sandboxes) await sandbox.beQuiet();
  tested.target = targetOf(2);
  tested.after(2_000);
  await settled();
  assert.deepEqual([tested.gone, tested.states.length], [['a', 'b', 'c', 'd'], 2]);
});

test('a maximum that is lower for a while holds for starts', async () => {
  const tested = new UnderTest();
  tested.target = targetOf(0, 1);
  await tested.acquire('a');
  await assert.rejects(tested.acquire('b'), /runs its maximum of 1 instances/);
  tested.target = undefined;
  assert.equal(await tested.acquire('b'), 'b cold');
});

test('the last place is for a tenant that has none; of a host that is full all the same the one with most gives an instance up', async () => {
  const tested = new UnderTest({}, 4);
  for (const id of ['a', 'b', 'c']) await tested.acquire(id);
  await assert.rejects(tested.acquire('d'), { code: 'HostFull', message: /for tenants that have none/ });
  assert.equal(await tested.acquire('e', 'other'), 'e cold');
  await assert.rejects(tested.acquire('f', 'late'), { code: 'HostFull' });
  assert.deepEqual(tested.retired, ['c']);
  await assert.rejects(tested.acquire('f', 'late'), { code: 'HostFull' });
  assert.deepEqual(tested.retired, ['c'], 'one at a time');
  tested.instances.release('c', tested.gateway, 0);
  await assert.rejects(tested.acquire('g'), { code: 'HostFull' }, 'it is not given back to whom it was taken from');
  await tested.sandboxes[2]?.beQuiet();
  await settled();
  assert.equal(await tested.acquire('f', 'late'), 'f cold');
  assert.deepEqual(tested.retired, ['c']);
});
