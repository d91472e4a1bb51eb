/** Instances with a rotated secret are replaced, new ones first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Instance, InstanceState } from '../../src/agent/instance.ts';
import { Replacement } from '../../src/agent/replacement.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import type { FunctionConfig } from '../../src/model/function.ts';
import { version } from '../gateway/starting-instance.ts';

const settled = () => new Promise(setImmediate);
const leased: InstanceState = { kind: 'leased', leases: [] };

class UnderTest {
  now = 0;
  readonly did: string[] = [];
  readonly all: Instance[];
  stale = new Set<string>();
  isServed = true;
  start: () => Promise<void> = () => Promise.resolve();
  readonly replacement: Replacement;

  constructor(ids: readonly string[], config: Partial<FunctionConfig> = {}, state = leased) {
    const own = { ...version, config: { ...version.config, secrets: { A: { secret: 'db', as: 'environment' as const } }, ...config } };
    this.all = ids.map((id) => ({
      id,
      state,
      version: own,
      startedAt: '',
      secretStamp: '',
      farewellMs: 0,
      sandbox: {} as Instance['sandbox'],
    }));
    this.replacement = new Replacement({
      instances: {
        all: this.all,
        isStale: ({ id }) => this.stale.has(id),
        startAhead: async () => {
          this.did.push('start');
          await this.start();
        },
      },
      isServed: () => this.isServed,
      retire: ({ id }) => void this.did.push(`retire ${id}`),
      now: () => this.now,
      log: pino({ level: 'silent' }),
    });
  }
}

test('another one is started before the gateway is told to let go, two at a time; those that are fresh stay', async () => {
  const tested = new UnderTest(['a', 'b', 'c', 'd']);
  tested.stale = new Set(['a', 'b', 'c']);
  const started = Promise.withResolvers<undefined>();
  tested.start = async () => {
    await started.promise;
  };
  tested.replacement.look();
  tested.replacement.look();
  assert.deepEqual(tested.did, ['start', 'start'], 'nobody is let go of before a new one is there');
  assert.deepEqual(tested.replacement.use('default', 'db'), { current: 1, older: 3 });
  started.resolve(undefined);
  await settled();
  assert.deepEqual(tested.did.slice(2), ['retire a', 'retire b']);
  tested.replacement.look();
  await settled();
  assert.deepEqual(tested.did.slice(4), ['retire a', 'retire b', 'start', 'retire c'], 'what a gateway may have missed is said again');
});

test('when the new one does not start the old one stays, and it is tried again ever more slowly', async () => {
  const tested = new UnderTest(['a']);
  tested.stale = new Set(['a']);
  tested.start = () => Promise.reject(new SwiftletError('InitError', 'wrong password'));
  tested.replacement.look();
  await settled();
  tested.replacement.look();
  assert.deepEqual(tested.did, ['start']);
  assert.deepEqual(tested.replacement.use('default', 'db'), { current: 0, older: 1, failure: 'wrong password' });
  tested.now = 60_000;
  tested.start = () => Promise.resolve();
  tested.replacement.look();
  await settled();
  assert.deepEqual(tested.did, ['start', 'start', 'retire a']);
});

test('where there is no room for both, the old one goes first', async () => {
  const tested = new UnderTest(['a']);
  tested.stale = new Set(['a']);
  tested.start = () => Promise.reject(new SwiftletError('HostFull', 'no room'));
  tested.replacement.look();
  await settled();
  assert.deepEqual(tested.did, ['start', 'retire a']);
});

test('who takes a single request has had it, and who rests is given to nobody: neither is replaced', async () => {
  for (const tested of [
    new UnderTest(['a'], { process: 'one-shot' }),
    new UnderTest(['a'], {}, { kind: 'idle', since: 0, isQuiet: true }),
  ]) {
    tested.stale = new Set(['a']);
    tested.replacement.look();
    await settled();
    assert.deepEqual(tested.did, []);
  }
});

test('for a version that serves no more none is started', async () => {
  const tested = new UnderTest(['a']);
  tested.stale = new Set(['a']);
  tested.isServed = false;
  tested.replacement.look();
  await settled();
  assert.deepEqual(tested.did, []);
});

test('other tenants, and functions that do not refer to it, are not counted', () => {
  const tested = new UnderTest(['a']);
  assert.deepEqual(tested.replacement.use('default', 'other'), { current: 0, older: 0 });
  assert.deepEqual(tested.replacement.use('evil', 'db'), { current: 0, older: 0 });
});
