/** Sources as they are declared: what is refused, and where. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionConfigSchema } from '../../src/model/function.ts';

const origin = { kind: 'jetstream', servers: ['nats://broker:4222'], stream: 'ORDERS' };
const parse = (source: object, environment: Record<string, string> = {}) =>
  functionConfigSchema.safeParse({ environment, sources: { incoming: { origin, ...source } } });
const placeOf = (source: object): string => {
  const parsed = parse(source);
  assert.equal(parsed.success, false);
  return parsed.error.issues[0]?.path.slice(2).join('.') ?? '';
};

test('what is not said is the default', () => {
  const { batchSize, batchWindowMs, concurrency, order, start, filters, attempts, backoffMs, enabled } =
    functionConfigSchema.parse({
      sources: { incoming: { origin } },
    }).sources['incoming'] ?? {};
  assert.deepEqual(
    { batchSize, batchWindowMs, concurrency, order, start, filters, attempts, backoffMs, enabled },
    {
      batchSize: 10,
      batchWindowMs: 0,
      concurrency: 1,
      order: 'none',
      start: 'earliest',
      filters: [],
      attempts: 3,
      backoffMs: 1_000,
      enabled: true,
    },
  );
});

for (const [what, source, place] of [
  ['a kind that there is not', { origin: { ...origin, kind: 'pigeons' } }, 'origin.kind'],
  ['an address of another protocol', { origin: { ...origin, servers: ['http://broker'] } }, 'origin.servers.0'],
  ['an address with a password', { origin: { ...origin, servers: ['nats://me:secret@broker:4222'] } }, 'origin.servers.0'],
  ['a stream that cannot be', { origin: { ...origin, stream: 'a.b' } }, 'origin.stream'],
  ['several batches of a partition in its order', { order: 'partition', concurrency: 2 }, 'concurrency'],
  ['a filter that is none', { filters: [{ body: 'new' }] }, 'filters.0.body'],
  ['a start that is no time', { start: 'yesterday' }, 'start'],
  ['a variable that there is not', { origin: { ...origin, passwordVariable: 'NATS_PASSWORD' } }, ''],
] as const)
  test(`refused: ${what}`, () => assert.equal(placeOf(source), place));

test('a variable with a secret has to be there and not empty', () => {
  const source = { origin: { ...origin, passwordVariable: 'NATS_PASSWORD' } };
  assert.equal(parse(source, { NATS_PASSWORD: '' }).success, false);
  assert.equal(parse(source, { NATS_PASSWORD: 'secret' }).success, true);
});
