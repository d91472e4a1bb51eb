import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Publisher } from '../../src/control/publisher.ts';
import { SqliteStore } from '../../src/control/sqlite-store.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import { functionsAtOnce, type PublishedState } from '../../src/wire/published-state.ts';
import { type StateSubscriber, subscribeState } from '../../src/wire/state-subscriber.ts';
import { artifactOf, deploymentOf } from './store-suite.ts';
import { tempFolder } from './temp-folder.ts';

async function published(t: TestContext, folder = tempFolder(t)) {
  const store = new SqliteStore(join(folder, 'store.sqlite'));
  const socket = join(folder, `state-${Math.random()}.sock`);
  await store.addArtifact(artifactOf('a'), 0);
  const publisher = await Publisher.open(store, ['hash'], socket, ['gateway', 'agent']);
  const close = async () => {
    await publisher[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  t.after(close);
  const subscribe = (applied: (state: PublishedState) => Promise<void> | void = () => undefined, role = 'gateway') => {
    const subscriber = subscribeState(socket, role, applied);
    t.after(() => subscriber[Symbol.asyncDispose]());
    return subscriber;
  };
  const revisionOf = async (change = {}) => {
    const outcome = await store.deploy(deploymentOf(change));
    assert.ok(outcome.kind === 'created');
    return outcome.revision;
  };
  return { folder, store, publisher, subscribe, revisionOf, close };
}

/** A subscriber's first state, as soon as it is there. */
async function stateOf(subscriber: StateSubscriber): Promise<PublishedState> {
  while (subscriber.state === undefined) await sleep(5);
  return subscriber.state;
}

describe('the publisher', () => {
  it('gives those who come everything, and then each change', async (t) => {
    const { store, publisher, subscribe, revisionOf } = await published(t);
    await revisionOf({ function: 'a' });
    subscribe(undefined, 'agent');
    const early = subscribe();
    const first = await stateOf(early);
    assert.deepEqual([...first.functions.keys()], ['default/a']);
    assert.deepEqual(first.tokenHashes, ['hash']);
    await publisher.placed(await revisionOf({ function: 'b' }), 1_000);
    const revision = await store.remove('default', 'a');
    assert.ok(await publisher.placed(revision ?? assert.fail(), 1_000));
    assert.deepEqual([...(early.state?.functions.keys() ?? [])], ['default/b']);
    const late = await stateOf(subscribe());
    assert.deepEqual(late.functions, early.state?.functions);
    assert.equal(late.revision, early.state?.revision);
  });

  it('waits for the slowest, but for nobody who went, and not for ever', async (t) => {
    const { publisher, subscribe, revisionOf } = await published(t);
    assert.equal(await publisher.placed(await revisionOf(), 1_000), false);
    let slow = 0;
    const stuck = subscribe(() => sleep(slow, undefined, { ref: false }));
    await Promise.all([subscribe(undefined, 'agent'), subscribe(), stuck].map(stateOf));
    slow = 100;
    const started = performance.now();
    assert.equal(await publisher.placed(await revisionOf({ function: 'b' }), 1_000), true);
    assert.ok(performance.now() - started > 90);
    slow = 60_000;
    assert.equal(await publisher.placed(await revisionOf({ function: 'c' }), 50), false);
    const waiting = publisher.placed(await revisionOf({ function: 'd' }), 5_000);
    await stuck[Symbol.asyncDispose]();
    assert.equal(await waiting, true);
    slow = 0;
  });

  it('has placed nothing while a role that is needed is not there', async (t) => {
    const { publisher, subscribe, revisionOf } = await published(t);
    await stateOf(subscribe());
    assert.equal(await publisher.placed(await revisionOf(), 1_000), false);
  });

  it('goes on with its revisions after a restart', async (t) => {
    const first = await published(t);
    const revision = await first.revisionOf();
    await first.close();
    const second = await published(t, first.folder);
    assert.equal(await second.revisionOf({ function: 'b' }), revision + 1);
  });

  it('publishes more functions than one frame of an instance holds', async (t) => {
    const { subscribe, revisionOf } = await published(t);
    const config = functionConfigSchema.parse({ environment: { FILL: 'x'.repeat(30_000) } });
    for (let i = 0; i < 60; i += 1) await revisionOf({ function: `f${i}`, config });
    const subscriber = subscribe();
    assert.equal((await stateOf(subscriber)).functions.size, 60);
  });

  it('publishes many functions in parts, and what changes meanwhile after them', async (t) => {
    const { store, subscribe, revisionOf } = await published(t);
    for (let i = 0; i < 2 * functionsAtOnce + 1; i += 1) await revisionOf({ function: `f${i}` });
    const subscriber = subscribe();
    const gone = await store.remove('default', 'f0');
    const last = await revisionOf({ function: 'last' });
    while (subscriber.state?.revision !== last) await sleep(5);
    assert.equal(gone, last - 1);
    assert.equal(subscriber.state.functions.size, 2 * functionsAtOnce + 1);
    assert.ok(subscriber.state.functions.has('default/last') && !subscriber.state.functions.has('default/f0'));
  });
});
