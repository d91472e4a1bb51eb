import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickInstance } from '../../src/gateway/instances/pick-instance.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import { fillMark } from '../../src/model/scale.ts';

const of = (...inFlight: number[]) => inFlight.map((count, index) => ({ index, inFlight: count, slots: 10 }));

const rows: readonly (readonly [what: string, free: ReturnType<typeof of>, mark: number, picked: number | undefined])[] = [
  ['none', [], 7, undefined],
  ['the last one, so that the others rest', of(0, 0, 6), 7, 2],
  ['the next one once the last has as many as it is to have', of(0, 0, 7), 7, 1],
  ['one behind full ones', of(3, 8, 9), 7, 0],
  ['the one with least when all have their share', of(8, 7, 9), 7, 1],
  ['where requests do not tell what one takes, the one with least', of(2, 1, 3), 1, 1],
  ['and of those with none the last one', of(0, 0, 1), 1, 1],
];
for (const [what, free, mark, picked] of rows) test(`taken: ${what}`, () => assert.equal(pickInstance(free, mark, 10)?.index, picked));

test('of an instance that several gateways share each fills its part', () => {
  const free = [
    { index: 0, inFlight: 0, slots: 5 },
    { index: 1, inFlight: 4, slots: 5 },
  ];
  assert.equal(pickInstance(free, 7, 10)?.index, 0);
  assert.equal(pickInstance([free[0] ?? assert.fail(), { index: 1, inFlight: 3, slots: 5 }], 7, 10)?.index, 1);
});

test('a hundred requests at once on ten instances: none has more than its share while another has less', () => {
  const all = of(...Array<number>(10).fill(0)).map((one) => ({ ...one, slots: 20 }));
  for (let request = 0; request < 100; request++) {
    const picked = pickInstance(all, 1, 20);
    assert.ok(picked !== undefined);
    picked.inFlight += 1;
  }
  assert.deepEqual([...new Set(all.map(({ inFlight }) => inFlight))], [10]);
});

test('the mark is what the autoscaler counts on', () => {
  const markOf = (config: object) => fillMark(functionConfigSchema.parse(config));
  assert.deepEqual(
    [
      markOf({}),
      markOf({ concurrency: 10 }),
      markOf({ concurrency: 10, scale: { outAtPercent: 50 } }),
      markOf({ concurrency: 10, scale: { thresholds: { concurrency: 4 } } }),
      markOf({ concurrency: 10, scale: { thresholds: { cpu: 60 } } }),
      markOf({ concurrency: 10, scale: { thresholds: { cpu: 60, concurrency: 100 } } }),
    ],
    [1, 7, 5, 3, 1, 7],
  );
});
