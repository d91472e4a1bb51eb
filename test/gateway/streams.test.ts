import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Roster } from '../../src/gateway/request/roster.ts';
import { Streams } from '../../src/gateway/http/streams.ts';

const exchange = () => ({ stream: 0, place: 0 });

test('a stream’s number is found while it is open, and never given again', () => {
  const streams = new Streams<ReturnType<typeof exchange>>(3);
  const given = new Set<number>();
  for (let round = 0; round < 100; round++) {
    const open = [exchange(), exchange(), exchange()];
    for (const one of open) one.stream = streams.enter(one);
    assert.throws(() => streams.enter(exchange()), RangeError);
    for (const one of open) {
      assert.equal(streams.get(one.stream), one);
      assert.ok(!given.has(one.stream));
      given.add(one.stream);
      streams.delete(one.stream);
      streams.delete(one.stream);
      assert.equal(streams.get(one.stream), undefined);
    }
    assert.equal(streams.size, 0);
  }
  for (const never of [0, -1, 2 ** 32 - 1, NaN]) assert.equal(streams.get(never), undefined);
});

test('numbers begin again before they leave 32 bits', () => {
  const streams = new Streams<ReturnType<typeof exchange>>(2 ** 20);
  const one = exchange();
  for (let round = 0; round < 5_000; round++) {
    one.stream = streams.enter(one);
    assert.ok(one.stream > 0 && one.stream <= 0xffff_ffff);
    streams.delete(one.stream);
  }
});

test('the roster holds who came and did not go, in any order', () => {
  const roster = new Roster<ReturnType<typeof exchange>>();
  const all = Array.from({ length: 50 }, exchange);
  for (const one of all) roster.add(one);
  for (const one of all.filter((_, index) => index % 3 === 0)) roster.delete(one);
  const left = all.filter((_, index) => index % 3 !== 0);
  assert.deepEqual(new Set(roster.all()), new Set(left));
  for (const one of left) roster.delete(one);
  assert.equal(roster.size, 0);
});
