/** What control makes of what gateways and agents tell it, and what it tells agents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionConfigSchema } from '../../src/model/function.ts';
import { Autoscaler } from '../../src/control/autoscaler.ts';
import type { FunctionLag, Loads, VersionCapacity, VersionLoad, VersionTarget } from '../../src/wire/scale-calls.ts';
import { version as plain } from '../gateway/starting-instance.ts';

const bornMs = 1_000_000_000;
const names = { tenant: 'default', function: 'f', number: 1 };

class UnderTest {
  now = bornMs;
  loads: Loads | undefined = { process: 'one', loads: [] };
  capacity: VersionCapacity[] | undefined = [{ ...names, running: 10, cpuMs: 0, memory: 0 }];
  lags: FunctionLag[] | undefined = [];
  askedLags = 0;
  told: readonly VersionTarget[] | undefined;
  readonly autoscaler: Autoscaler;

  constructor(scale: object = {}, sources: object = {}) {
    const config = functionConfigSchema.parse({ concurrency: 1, scale, sources });
    const version = { ...plain, config, createdAt: new Date(bornMs - 3_600_000).toISOString() };
    this.autoscaler = new Autoscaler({
      state: () => ({ functions: new Map([['default/f', version]]), routings: new Map() }),
      roles: {
        loads: () => Promise.resolve(this.loads),
        capacity: () => Promise.resolve(this.capacity),
        lags: () => {
          this.askedLags += 1;
          return Promise.resolve(this.lags);
        },
        tellTargets: ({ targets }) => (this.told = targets),
      },
      now: () => this.now,
    });
  }

  /** A second later. */
  async told1s(load?: Partial<VersionLoad>, process = 'one'): Promise<number | undefined> {
    this.now += 1_000;
    this.told = undefined;
    this.loads = { process, loads: load === undefined ? [] : [{ ...names, busyMs: 0, requests: 0, inFlight: 0, ...load }] };
    await this.autoscaler.look();
    return this.target();
  }

  target(): number | undefined {
    return this.told?.[0]?.target;
  }
}

test('a version without requests is not told of', async () => {
  const tested = new UnderTest();
  await tested.told1s();
  assert.deepEqual([tested.told, tested.autoscaler.viewsOf('default', 'f')], [[], []]);
});

test('sums become a load, and the load a target that explains itself', async () => {
  const tested = new UnderTest();
  await tested.told1s();
  // Seven at once: over the six seconds of the burst window, then over all of it.
  const targets: (number | undefined)[] = [];
  for (let second = 1; second <= 6; second++)
    targets.push(await tested.told1s({ busyMs: second * 7_000, requests: second * 70, inFlight: 7 }));
  assert.deepEqual(targets, [7, 7, 7, 7, 9, 10]);
  assert.deepEqual(tested.autoscaler.viewsOf('default', 'f'), [
    {
      version: 1,
      target: 10,
      minimum: 0,
      maximum: 100,
      running: 10,
      inFlight: 7,
      wanted: 10,
      signal: 'concurrency',
      window: 'burst',
      load: 7,
      perInstance: 0.7,
    },
  ]);
});

test('a gateway that came in the place of another counts from 0; what one had counted before it was asked is no load of now', async () => {
  const tested = new UnderTest({ delayMs: 0, windowMs: 6_000 });
  await tested.told1s({ busyMs: 1_000_000, requests: 1, inFlight: 2 });
  assert.equal(tested.autoscaler.viewsOf('default', 'f')[0]?.load, 0);
  await tested.told1s({ busyMs: 1_002_000, requests: 2, inFlight: 2 });
  const [before] = tested.autoscaler.viewsOf('default', 'f');
  await tested.told1s({ busyMs: 2_000, requests: 1, inFlight: 2 }, 'two');
  const [after] = tested.autoscaler.viewsOf('default', 'f');
  assert.deepEqual([before?.load, after?.load.toFixed(2)], [1, (4 / 3).toFixed(2)]);
});

test('a version that was gone for a moment counts from 0 at the same gateway', async () => {
  const tested = new UnderTest({ delayMs: 0, windowMs: 6_000 });
  await tested.told1s({ busyMs: 0, requests: 0, inFlight: 2 });
  await tested.told1s({ busyMs: 2_000, requests: 9, inFlight: 2 });
  await tested.told1s({ busyMs: 2_000, requests: 1, inFlight: 2 });
  assert.equal(tested.autoscaler.viewsOf('default', 'f')[0]?.load.toFixed(2), (4 / 3).toFixed(2));
});

test('a version that is busy again has the load of now, and not what it had to do before', async () => {
  const tested = new UnderTest({ delayMs: 0, windowMs: 6_000 });
  await tested.told1s();
  await tested.told1s({ busyMs: 1_000, requests: 9, inFlight: 1 });
  await tested.told1s();
  // More requests than were told of before: they are all new, since the gateway began anew when it had nothing to tell.
  await tested.told1s({ busyMs: 2_000, requests: 20, inFlight: 2 });
  assert.equal(tested.autoscaler.viewsOf('default', 'f')[0]?.load.toFixed(2), (3 / 6).toFixed(2));
  for (let second = 0; (await tested.told1s()) !== undefined; second++) assert.ok(second < 100);
  assert.deepEqual(tested.autoscaler.viewsOf('default', 'f'), []);
  await tested.told1s({ busyMs: 600, requests: 1, inFlight: 1 });
  assert.equal(tested.autoscaler.viewsOf('default', 'f')[0]?.load.toFixed(2), '0.10');
});

test('while a role is away nothing is told, and what agents were told lapses', async () => {
  const tested = new UnderTest();
  tested.capacity = undefined;
  await tested.told1s({ busyMs: 7_000, requests: 1, inFlight: 7 });
  assert.equal(tested.told, undefined);
});

test('a version is told of after its last request until it is at rest', async () => {
  const tested = new UnderTest();
  await tested.told1s({ busyMs: 20_000, requests: 1, inFlight: 20 });
  await tested.told1s({ busyMs: 60_000, requests: 9, inFlight: 20 });
  let seconds = 0;
  for (; (await tested.told1s()) !== undefined; seconds++) assert.ok(seconds < 200);
  assert.ok(seconds >= 60, `${seconds} s`);
});

test('a clock asks for instances without any request', async () => {
  const tested = new UnderTest({ schedules: [{ expression: '* * * * *', forMs: 60_000, target: 3 }] });
  assert.equal(await tested.told1s(), 3);
});

const queue = { incoming: { origin: { kind: 'redis', address: 'redis://broker:6379', stream: 'orders' } } };

test('messages that wait ask for instances, for as long as somebody says so', async () => {
  const tested = new UnderTest({ thresholds: { lag: 10 }, delayMs: 0 }, queue);
  await tested.told1s();
  tested.lags = [{ tenant: 'default', function: 'f', messages: 35 }];
  await tested.autoscaler.learnLags();
  let target: number | undefined = 0;
  for (let second = 1; second <= 9; second++) target = await tested.told1s();
  const [view] = tested.autoscaler.viewsOf('default', 'f');
  assert.deepEqual([target, view?.signal, view?.perInstance], [5, 'lag', 7]);
  // The event log is away: what it said holds for ten seconds.
  tested.lags = undefined;
  await tested.autoscaler.learnLags();
  for (let second = 1; second <= 140; second++) target = await tested.told1s();
  assert.equal(target, undefined);
});

test('who scales by no messages has nobody asked about them', async () => {
  const tested = new UnderTest();
  await tested.autoscaler.learnLags();
  assert.equal(tested.askedLags, 0);
});
