/** The event log on a real NATS server: the contract of every log, and what is its own. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { openNatsEventLog } from '../../src/events/nats-event-log.ts';
import type { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { type NatsServer, startNats } from '../brokers/nats.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventLogContract, eventOf, idOf } from './event-log.contract.ts';

let nats: NatsServer;
before(async () => {
  nats = await startNats();
});
after(() => nats[Symbol.asyncDispose]());

interface Where {
  readonly stream: string;
  readonly folder: string;
  readonly servers?: string;
  readonly growthBytes?: number;
}
let streams = 0;
const newPlace = (t: TestContext): Where => ({ stream: `log-${(streams += 1)}`, folder: tempFolder(t) });

async function openAt(t: TestContext, { stream, folder, servers = nats.url, growthBytes }: Where): Promise<SqliteEventLog> {
  const log = await openNatsEventLog(join(folder, 'index.sqlite'), {
    nats: { servers, stream, replicas: 1 },
    maxBytes: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
    committed: () => undefined,
    log: { error: (problem: unknown) => assert.ifError(problem) },
    ...(growthBytes === undefined ? {} : { growthBytes }),
  });
  t.after(() => log[Symbol.asyncDispose]());
  return log;
}

eventLogContract('NATS JetStream', async (t) => {
  const place = newPlace(t);
  return {
    log: await openAt(t, place),
    // Another host: all it has is the stream.
    reopen: () => openAt(t, { ...place, folder: tempFolder(t) }),
  };
});

const order = { tenant: 'default', function: 'hello', way: 'gateway', limit: 100, nowMs: 10_000, untilMs: 20_000 } as const;

describe('the event log on NATS', () => {
  it('goes on with the index that it has, and reads what is missing in it', async (t) => {
    const place = newPlace(t);
    const first = await openAt(t, place);
    await first.accept(eventOf(0));
    await first[Symbol.asyncDispose]();
    const elsewhere = await openAt(t, { ...place, folder: tempFolder(t) });
    await elsewhere.accept(eventOf(1));
    await elsewhere[Symbol.asyncDispose]();
    const again = await openAt(t, place);
    assert.deepEqual(
      (await again.lease(order)).map(({ id }) => id),
      [idOf(0), idOf(1)],
    );
  });

  it('has one history, whoever writes: an event is leased once', async (t) => {
    const place = newPlace(t);
    const [one, other] = [await openAt(t, place), await openAt(t, { ...place, folder: tempFolder(t) })];
    await one.accept(eventOf(0));
    const leased = [...(await other.lease(order)), ...(await one.lease(order))];
    assert.deepEqual(
      leased.map(({ id }) => id),
      [idOf(0)],
    );
    await Promise.all([one.accept(eventOf(1)), other.accept(eventOf(2))]);
    assert.equal((await one.lease(order)).length, 2);
    assert.deepEqual(await other.lease(order), []);
  });

  it('is larger than a message may be', async (t) => {
    const place = newPlace(t);
    const log = await openAt(t, place);
    const body = Buffer.alloc(900_000, 7);
    await Promise.all([log.accept(eventOf(0, { body })), log.accept(eventOf(1, { body })), log.accept(eventOf(2, { body }))]);
    const other = await openAt(t, { ...place, folder: tempFolder(t) });
    assert.deepEqual(Buffer.from((await other.payload('default', idOf(2)))?.body ?? []), body);
  });

  it('a snapshot takes the place of what went before it', async (t) => {
    const place = { ...newPlace(t), growthBytes: 1 };
    const log = await openAt(t, place);
    const body = Buffer.alloc(100_000, 1);
    for (let at = 0; at < 12; at++) {
      await log.accept(eventOf(at, { body }));
      const [event] = await log.lease(order);
      if (event !== undefined && at % 4 !== 0)
        await log.settle(event.id, event.token, {
          kind: 'succeeded',
          attempts: 1,
          atMs: 1,
          result: { status: 200, body: '', encoding: 'utf8', isTruncated: false },
        });
    }
    const states = await log.counts();
    await log[Symbol.asyncDispose]();
    const connection = await connect({ servers: nats.url });
    const { state } = await (await jetstreamManager(connection)).streams.info(place.stream);
    await connection.close();
    assert.ok(state.first_seq > 1, 'nothing was let go of');
    const other = await openAt(t, { ...place, folder: tempFolder(t) });
    assert.deepEqual(await other.counts(), states);
    // Its own index, too, is as good as before.
    assert.deepEqual(await (await openAt(t, place)).counts(), states);
  });

  it('refuses what it cannot store, never acknowledges it, and goes on when NATS is back', async (t) => {
    await using own = await startNats();
    const place = { ...newPlace(t), servers: own.url };
    const log = await openAt(t, place);
    await log.accept(eventOf(0));
    await own.kill();
    await assert.rejects(log.accept(eventOf(1)), { code: 'Unavailable', message: /NATS did not store it/ });
    assert.equal(await log.find('default', idOf(1)), undefined);
    await own.start();
    await assertSoon(() => log.accept(eventOf(1)));
    assert.deepEqual(await log.counts(), [{ tenant: 'default', function: 'hello', state: 'waiting', count: 2 }]);
  });

  it('a store that is full is said to be', async (t) => {
    await using own = await startNats({ maxStoreBytes: 2_000_000 });
    const log = await openAt(t, { ...newPlace(t), servers: own.url });
    const fill = async () => {
      for (let at = 0; at < 20; at++) await log.accept(eventOf(at, { body: Buffer.alloc(200_000) }));
    };
    await assert.rejects(fill(), { code: 'StorageFull' });
  });

  it('is not begun anew when its stream is another one', async (t) => {
    const place = newPlace(t);
    const log = await openAt(t, place);
    await log.accept(eventOf(0));
    await log[Symbol.asyncDispose]();
    const connection = await connect({ servers: nats.url });
    await (await jetstreamManager(connection)).streams.delete(place.stream);
    await connection.close();
    await assert.rejects(openAt(t, place), /index of another journal/);
    rmSync(join(place.folder, 'index.sqlite'));
    assert.deepEqual(await (await openAt(t, place)).counts(), []);
  });

  it('says what is wrong when it cannot connect: nobody there, a wrong password; and not what opens it', async (t) => {
    await using own = await startNats({ user: 'swift', password: 'right' });
    const at = (servers: string) => openAt(t, { ...newPlace(t), servers });
    await assert.rejects(at('nats://127.0.0.1:1'), { code: 'Unavailable', message: /at nats:\/\/127\.0\.0\.1:1 cannot be used/ });
    const { host } = new URL(own.url);
    await assert.rejects(
      at(`nats://swift:wrong@${host}`),
      (error: Error) => /uthoriz/.test(error.message) && !error.message.includes('wrong'),
    );
    await (await at(`nats://swift:right@${host}`)).accept(eventOf(0));
  });
});

/** NATS takes a moment until its clients are back. */
async function assertSoon(work: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
