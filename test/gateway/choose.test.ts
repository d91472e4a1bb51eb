import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, divide, pointByChance, pointOf } from '../../src/gateway/routing/choose.ts';
import { stickyValue } from '../../src/gateway/routing/sticky-value.ts';
import { shareOf, type Split } from '../../src/model/traffic.ts';

const requests = 10_000;
/** So many standard deviations a share may be off: by chance once in 15,000, and a hundred are looked at, always with the same numbers. */
const deviations = 4;

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const divisionOf = (split: Split) => divide<number | undefined>(split, (version) => version, undefined);

/** Whether so many of all requests may be a share by chance. */
function assertWithin(count: number, weight: number, what: string): void {
  const [mean, spread] = [(requests * weight) / 100, Math.sqrt((requests * weight * (100 - weight)) / 10_000)];
  assert.ok(Math.abs(count - mean) <= deviations * spread + 1, `${what}: ${count} of ${requests} for ${weight} %`);
}

test('100 weights: the shares are what chance makes of them', () => {
  const chance = seeded(7);
  for (let at = 1; at <= 100; at++) {
    const weight = at === 1 ? 0.1 : at === 100 ? 99.9 : at - 0.5;
    const division = divisionOf(shareOf(2, weight, 1));
    let newer = 0;
    for (let request = 0; request < requests; request++) if (choose(division, pointByChance(chance())) === 2) newer += 1;
    assertWithin(newer, weight, 'by chance');
  }
});

test('100 weights: sticky callers are spread as the weights say', () => {
  for (let at = 1; at < 100; at++) {
    const division = divisionOf(shareOf(2, at, 1));
    let newer = 0;
    for (let caller = 0; caller < requests; caller++) if (choose(division, pointOf(`user-${caller}`, 'default/f')) === 2) newer += 1;
    assertWithin(newer, at, 'sticky');
  }
});

test('a sticky caller keeps the newer version while its share grows', () => {
  const versionAt = (split: Split, caller: string) => choose(divisionOf(split), pointOf(caller, 'default/f'));
  for (let caller = 0; caller < 1_000; caller++) {
    // Whichever of the two is named first.
    const splits = [0.1, 5, 25, 50, 99.9, 100].map((weight, at) =>
      at % 2 === 0 ? shareOf(2, weight, 1) : shareOf(2, weight, 1).reverse(),
    );
    const seen = splits.map((split) => versionAt(split, String(caller)));
    assert.deepEqual(seen, seen.toSorted(), `caller ${caller} went back`);
  }
});

test('callers meet other versions of another function', () => {
  const same = Array.from({ length: 1_000 }, (_, caller) => pointOf(String(caller), 'default/f') === pointOf(String(caller), 'default/g'));
  assert.ok(same.filter(Boolean).length < 20);
});

test('a division is of tenths of a per cent, whatever the number of versions', () => {
  const split = [
    { version: 1, weight: 33.3 },
    { version: 2, weight: 33.3 },
    { version: 3, weight: 33.4 },
  ];
  const counts = new Map<number | undefined, number>();
  for (let point = 0; point < 1_000; point++) {
    const version = choose(divisionOf(split), point);
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(counts), { 1: 333, 2: 333, 3: 334 });
});

test('a version that is not here leaves its share to the others, and none to what there is', () => {
  const split = shareOf(2, 5, 1);
  const without = (missing: number) => divide(split, (version) => (version === missing ? undefined : version), 9);
  assert.equal(choose(without(2), 0), 1);
  assert.equal(choose(without(1), 999), 2);
  assert.equal(
    choose(
      divide(split, () => undefined, 9),
      500,
    ),
    9,
  );
});

const values: [
  what: string,
  sticky: Parameters<typeof stickyValue>[0],
  headers: Parameters<typeof stickyValue>[1],
  value: string | undefined,
][] = [
  ['a header', { header: 'x-user' }, { 'x-user': 'ada' }, 'ada'],
  ['a header that is not there', { header: 'x-user' }, {}, undefined],
  ['one cookie of several', { cookie: 'session' }, { cookie: 'a=1; session=x=y ; b=2' }, 'x=y'],
  ['no cookie of that name', { cookie: 'session' }, { cookie: 'xsession=1; sessionx=2' }, undefined],
  ['no cookies', { cookie: 'session' }, {}, undefined],
];
for (const [what, sticky, headers, value] of values) {
  test(`what decides: ${what}`, () => assert.equal(stickyValue(sticky, headers), value));
}
