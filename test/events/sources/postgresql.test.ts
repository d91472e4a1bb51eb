import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../bench/free-port.ts';
import type { Client } from 'pg';
import { sourceKind as notifyKind } from '../../../src/events/sources/postgresql-notify.ts';
import { sourceKind } from '../../../src/events/sources/postgresql.ts';
import type { Message } from '../../../src/events/sources/source.ts';
import { postgresqlNotifySourceSchema, postgresqlSourceSchema } from '../../../src/model/sources/postgresql.ts';
import { type Broker, brokerPassword } from '../../brokers/broker.ts';
import { postgresqlUser, startPostgresql, withPostgresql } from '../../brokers/postgresql.ts';
import { asSent } from './as-sent.ts';
import { meansOf, passwordVariable } from './means.ts';
import { type Place, sourceContract, take } from './source.contract.ts';

let postgresql: Broker;
before(async () => (postgresql = await startPostgresql()));
after(() => postgresql[Symbol.asyncDispose]());

const connection = (port: number, database = 'postgres') => ({
  address: `postgres://127.0.0.1:${port}/${database}`,
  user: postgresqlUser,
  passwordVariable,
});
const settings = (port: number, publication: string, database?: string) =>
  postgresqlSourceSchema.parse({ kind: 'postgresql', ...connection(port, database), publication });
const notifySettings = (port: number, channel: string) =>
  postgresqlNotifySourceSchema.parse({ kind: 'postgresql-notify', ...connection(port), channels: [channel] });

const withClient = (work: (client: Client) => Promise<unknown>): Promise<void> => withPostgresql(postgresql.port, work);

const changeOf = (message: Message): Record<string, unknown> =>
  JSON.parse((message.record() as { body: string }).body) as Record<string, unknown>;
const sentBytes = (message: Message): Buffer => Buffer.from((changeOf(message)['new'] as { body: string }).body.slice(2), 'hex');

async function placeAt(table: string): Promise<Place> {
  await withClient((client) =>
    client.query(`CREATE TABLE ${table} (id serial PRIMARY KEY, body bytea); CREATE PUBLICATION ${table} FOR TABLE ${table}`),
  );
  return {
    driver: (change) =>
      asSent(sourceKind.driver(settings(postgresql.port, table), meansOf(brokerPassword, { consumer: table, ...change })), sentBytes),
    send: (sent) =>
      withClient(async (client) => {
        for (const { body } of sent) await client.query(`INSERT INTO ${table} (body) VALUES ($1)`, [Buffer.from(body)]);
      }),
  };
}

const abilities = { isOrdered: true, hasPast: false, givesBackFirst: true, hasLag: false, hasStableIds: true, hasKeys: false };
const server = { kill: () => postgresql.kill(), start: () => postgresql.start(), [Symbol.asyncDispose]: () => Promise.resolve() };

sourceContract('postgresql', abilities, async () => {
  let places = 0;
  return {
    ...server,
    place: () => placeAt(`place_${places++}`),
    away: sourceKind.driver(settings(await freePort(), 'any'), meansOf(brokerPassword)),
    refused: sourceKind.driver(settings(postgresql.port, 'any'), meansOf('wrong')),
    missing: sourceKind.driver(settings(postgresql.port, 'nowhere'), meansOf(brokerPassword)),
  };
});

sourceContract('postgresql-notify', { ...abilities, hasStableIds: false, largeBytes: 3_000 }, async () => {
  let places = 0;
  return {
    ...server,
    place() {
      const channel = `Channel ${places++}`;
      return Promise.resolve({
        // A notification is text.
        driver: () =>
          asSent(notifyKind.driver(notifySettings(postgresql.port, channel), meansOf(brokerPassword)), ({ body }) =>
            Buffer.from(Buffer.from(body).toString(), 'base64'),
          ),
        send: (sent) =>
          withClient(async (client) => {
            for (const { body } of sent) await client.query('SELECT pg_notify($1, $2)', [channel, Buffer.from(body).toString('base64')]);
          }),
      });
    },
    away: notifyKind.driver(notifySettings(await freePort(), 'any'), meansOf(brokerPassword)),
    refused: notifyKind.driver(notifySettings(postgresql.port, 'any'), meansOf('wrong')),
  };
});

describe('PostgreSQL', () => {
  const opened = (publication: string) =>
    sourceKind
      .driver(settings(postgresql.port, publication), meansOf(brokerPassword, { consumer: publication }))
      .open(AbortSignal.timeout(5_000));

  it('tells inserts, updates, deletes and truncations, with their transaction and the row’s key', async () => {
    await withClient((client) =>
      client.query(
        `CREATE TABLE orders (id int PRIMARY KEY, paid boolean, total numeric, at timestamptz, more jsonb); CREATE PUBLICATION orders FOR TABLE orders`,
      ),
    );
    await using source = await opened('orders');
    await withClient(async (client) => {
      await client.query(
        `BEGIN; INSERT INTO orders VALUES (1, false, 12.50, '2026-01-01T00:00:00Z', '{"a":[1]}'); UPDATE orders SET paid = true; UPDATE orders SET id = 2; COMMIT`,
      );
      await client.query('DELETE FROM orders');
      await client.query('TRUNCATE orders');
    });
    const messages = await take(source, 5);
    const row = { paid: false, total: '12.50', at: '2026-01-01T00:00:00.000Z', more: { a: [1] } };
    const table = { schema: 'public', table: 'orders' };
    const changes = messages.map(changeOf);
    assert.deepEqual(changes.slice(0, 3), [
      { operation: 'insert', ...table, new: { id: 1, ...row } },
      { operation: 'update', ...table, new: { id: 1, ...row, paid: true } },
      { operation: 'update', ...table, new: { id: 2, ...row, paid: true }, old: { ...(changes[2]?.['old'] as object), id: 1 } },
    ]);
    assert.deepEqual(changes[3], { operation: 'delete', ...table, old: { ...(changes[3]?.['old'] as object), id: 2 } });
    assert.deepEqual(changes[4], { operation: 'truncate', tables: ['public.orders'] });
    assert.deepEqual(
      messages.map(({ key }) => key),
      ['public.orders {"id":1}', 'public.orders {"id":1}', 'public.orders {"id":2}', 'public.orders {"id":2}', undefined],
    );
    const transactions = messages.map((message) => (message.record() as { attributes: { transaction: string } }).attributes.transaction);
    assert.equal(new Set(transactions).size, 3);
  });

  it('brings a transaction again whole while a change of it is not acknowledged, and moves the slot behind those that are', async () => {
    const place = await placeAt('whole');
    const driver = place.driver();
    const send = (from: number) =>
      withClient((client) =>
        client.query(`INSERT INTO whole (body) SELECT n::text::bytea FROM generate_series($1::int, $1 + 2) n`, [from]),
      );
    {
      await using source = await driver.open(AbortSignal.timeout(5_000));
      await send(1);
      await send(4);
      const taken = await take(source, 6);
      await source.acknowledge(taken.slice(1));
      await source.acknowledge(taken.slice(0, 1));
      await send(7);
      const last = await take(source, 3);
      await source.acknowledge(last.slice(0, 2));
    }
    await using source = await driver.open(AbortSignal.timeout(5_000));
    assert.deepEqual(
      (await take(source, 3)).map(({ body }) => Buffer.from(body).toString()),
      ['7', '8', '9'],
    );
    assert.deepEqual(await take(source, 1, {}, 200), []);
  });

  it('holds PostgreSQL up instead of growing', async () => {
    const place = await placeAt('much');
    await using source = await place.driver({ most: { messages: 10, bytes: 100_000 } }).open(AbortSignal.timeout(5_000));
    await withClient((client) => client.query(`INSERT INTO much (body) SELECT repeat('x', 20000)::bytea FROM generate_series(1, 500)`));
    await take(source, 1);
    const before = process.memoryUsage().arrayBuffers;
    const taken = await take(source, 499);
    assert.equal(taken.length, 499);
    assert.ok(process.memoryUsage().arrayBuffers - before < 64_000_000);
  });

  it('lets the log go when nothing of it is for the source', async () => {
    await placeAt('idle');
    await using source = await opened('idle');
    await placeAt('busy');
    const slotMoved = async (): Promise<boolean> => {
      let isBehind = false;
      await withClient(async (client) => {
        await client.query(`INSERT INTO busy (body) VALUES ('x')`);
        const { rows } = await client.query<{ moved: boolean }>(
          `SELECT bool_and(confirmed_flush_lsn > (SELECT min(confirmed_flush_lsn) FROM pg_replication_slots)) AS moved FROM pg_replication_slots WHERE slot_name LIKE 'swiftlet_idle%'`,
        );
        isBehind = rows[0]?.moved === true;
      });
      return isBehind;
    };
    const until = performance.now() + 5_000;
    while (!(await slotMoved()) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(await slotMoved());
    assert.equal(source.dropped, 0);
  });

  it('says which database, and that the log has to have rows', async () => {
    const elsewhere = sourceKind.driver(settings(postgresql.port, 'any', 'elsewhere'), meansOf(brokerPassword));
    await assert.rejects(elsewhere.open(AbortSignal.timeout(5_000)), { code: 'SourceMissing', message: /no such database/ });
  });
});
