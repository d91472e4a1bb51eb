/** Order keys and idempotency keys, as callers write them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventKeysOf } from '../../src/gateway/doors/event-keys.ts';
import { SwiftletError } from '../../src/model/errors.ts';

const rows: readonly (readonly [headers: Record<string, string>, keys: object])[] = [
  [{}, {}],
  [{ 'idempotency-key': 'a-1' }, { idempotencyKey: 'a-1' }],
  [{ 'idempotency-key': '"a \\"quoted\\" one"' }, { idempotencyKey: 'a "quoted" one' }],
  [
    { 'x-swiftlet-order-key': 'customer 4711', 'idempotency-key': 'x' },
    { orderKey: 'customer 4711', idempotencyKey: 'x' },
  ],
  [{ 'x-swiftlet-order-key': 'k'.repeat(255) }, { orderKey: 'k'.repeat(255) }],
];
for (const [headers, keys] of rows) test(JSON.stringify(headers).slice(0, 80), () => assert.deepEqual(eventKeysOf(headers), keys));

for (const wrong of ['', '""', 'k'.repeat(256), 'tab\there', 'ü', ' '])
  for (const name of ['idempotency-key', 'x-swiftlet-order-key'])
    test(`${name}: ${JSON.stringify(wrong).slice(0, 20)} is no key`, () =>
      assert.throws(
        () => eventKeysOf({ [name]: wrong }),
        (error) => error instanceof SwiftletError && error.code === 'BadRequest' && error.place === name,
      ));
