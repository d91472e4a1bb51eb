/** Instances that a function always has: started, started again, and told of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Provisioned } from '../../src/agent/provisioned.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { version as plain } from '../gateway/starting-instance.ts';

const version = { ...plain, config: { ...plain.config, minimum: 3 } };

class UnderTest {
  now = 0;
  there = 0;
  starts = 0;
  room = Infinity;
  minimum = version.config.minimum;
  target = 0;
  /** Why starts fail. */
  fault: SwiftletError | undefined;
  readonly provisioned: Provisioned;

  constructor() {
    const startAhead = () => {
      this.starts += 1;
      if (this.fault !== undefined) return Promise.reject(this.fault);
      this.there += 1;
      return Promise.resolve();
    };
    const instances = { startAhead, count: () => ({ there: this.there, ready: this.there, room: this.room }) };
    const minimum = (asked: object) => (asked === version ? this.minimum : 0);
    this.provisioned = new Provisioned({
      instances,
      minimum,
      target: () => this.target,
      now: () => this.now,
      log: pino({ level: 'silent' }),
    });
  }

  async startsAfter(ms: number): Promise<number> {
    this.now += ms;
    const before = this.starts;
    await this.provisioned.keep(version);
    return this.starts - before;
  }

  get status() {
    const [{ requested, ready, failed } = { requested: 0, ready: 0, failed: undefined }] = this.provisioned.status([plain, version]);
    return { requested, ready, failed };
  }
}

test('what is lacking is started, once however often it is asked for', async () => {
  const tested = new UnderTest();
  assert.deepEqual(tested.status, { requested: 3, ready: 0, failed: undefined });
  await Promise.all([tested.provisioned.keep(version), tested.provisioned.keep(version)]);
  assert.equal(tested.starts, 3);
  assert.deepEqual(tested.status, { requested: 3, ready: 3, failed: undefined });
});

test('a start that fails is tried again ever more slowly, and the reason is told until it succeeds', async () => {
  const tested = new UnderTest();
  tested.fault = new SwiftletError('InitError', 'it threw');
  assert.equal(await tested.startsAfter(0), 1);
  assert.deepEqual(tested.status, { requested: 3, ready: 0, failed: { code: 'InitError', detail: 'it threw' } });
  assert.deepEqual([await tested.startsAfter(99), await tested.startsAfter(1)], [0, 1]);
  assert.deepEqual([await tested.startsAfter(199), await tested.startsAfter(1)], [0, 1]);
  tested.fault = undefined;
  assert.equal(await tested.startsAfter(400), 3);
  assert.equal(tested.status.failed, undefined);
});

test('an instance that crashes as soon as it is there is not started without a pause', async () => {
  const tested = new UnderTest();
  await tested.provisioned.keep(version);
  for (const pauseMs of [100, 200, 400]) {
    tested.there -= 1;
    tested.provisioned.crashed(version, { code: 'FunctionCrashed', detail: 'it exited' });
    assert.deepEqual([await tested.startsAfter(pauseMs - 1), tested.status.failed?.code], [0, 'FunctionCrashed']);
    assert.equal(await tested.startsAfter(1), 1);
  }
  tested.there -= 1;
  tested.now += 60_001;
  tested.provisioned.crashed(version, { code: 'FunctionCrashed', detail: 'it exited' });
  assert.equal(await tested.startsAfter(100), 1, 'after a quiet minute it counts from the beginning');
});

test('while its function runs its maximum nothing is started, and nothing has failed', async () => {
  const tested = new UnderTest();
  tested.room = 0;
  assert.deepEqual([await tested.startsAfter(0), tested.status.failed], [0, undefined]);
  tested.room = 5;
  assert.equal(await tested.startsAfter(0), 3);
});

test('a version that serves no more gets no instances, not even the rest of them', async () => {
  const tested = new UnderTest();
  const filling = tested.provisioned.keep(version);
  tested.minimum = 0;
  await filling;
  assert.equal(tested.starts, 1);
});
