import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { publishedFunction } from '../../src/control/routing.ts';
import {
  abortRollout,
  aliasesOf,
  type ChangeFacts,
  firstTraffic,
  moveRollout,
  neededVersions,
  removeAlias,
  rollBack,
  rolloutUnderWay,
  setAlias,
  startRollout,
  type Traffic,
} from '../../src/control/traffic.ts';
import { instancesFor, wantedWarm } from '../../src/control/warm-target.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import type { RolloutPlan } from '../../src/model/rollout.ts';
import { allTo, mainVersion, shareOf, splitSchema } from '../../src/model/traffic.ts';

const facts: ChangeFacts = { name: 'shop', kept: new Set([1, 2, 3]), nowMs: 1_000 };
const canary: RolloutPlan = { strategy: 'canary', steps: [{ weight: 5, forMs: 1_000 }], sticky: { cookie: 'session' } };
const first = firstTraffic(1, 0);
const moving = startRollout(first, 2, canary, facts);
const { rollout } = moving;
assert.ok(rollout !== undefined);

describe('a split', () => {
  const wrong: [what: string, split: unknown, message: RegExp][] = [
    [
      'weights that are 90 together',
      [
        { version: 1, weight: 60 },
        { version: 2, weight: 30 },
      ],
      /90 per cent together; they have to be 100/,
    ],
    [
      'weights that are 100.1 together',
      [
        { version: 1, weight: 50 },
        { version: 2, weight: 50.1 },
      ],
      /100\.1 per cent together/,
    ],
    [
      'two decimals',
      [
        { version: 1, weight: 99.95 },
        { version: 2, weight: 0.05 },
      ],
      /one decimal/,
    ],
    [
      'a weight of nothing',
      [
        { version: 1, weight: 100 },
        { version: 2, weight: 0 },
      ],
      /from 0\.1 to 100/,
    ],
    [
      'a version twice',
      [
        { version: 1, weight: 50 },
        { version: 1, weight: 50 },
      ],
      /named twice/,
    ],
    ['no version', [], /one version at least/],
  ];
  for (const [what, split, message] of wrong) {
    it(`is refused with ${what}`, () => {
      const { success, error } = splitSchema.safeParse(split);
      assert.equal(success, false);
      assert.match(String(error), message);
    });
  }
  it('may have weights that a computer adds up to a little less', () => {
    const parts = [...Array.from({ length: 9 }, (_, at) => ({ version: at + 1, weight: 0.1 })), { version: 10, weight: 99.1 }];
    assert.ok(splitSchema.safeParse(parts).success);
  });
  it('stands for the version that gets most, the newest of several', () => {
    assert.deepEqual([allTo(3), shareOf(2, 5, 1), shareOf(2, 50, 1)].map(mainVersion), [3, 1, 2]);
  });
});

describe('aliases', () => {
  it('are set, moved and removed; what they pointed to is the way back', () => {
    const set = setAlias(first, 'beta', allTo(2), { header: 'x-user' }, facts);
    assert.deepEqual(
      aliasesOf(set).map(([name, { versions }]) => [name, versions]),
      [
        ['live', allTo(1)],
        ['beta', allTo(2)],
      ],
    );
    const moved = setAlias(set, 'beta', allTo(3), undefined, facts);
    assert.deepEqual([moved.others['beta']?.previous, moved.others['beta']?.sticky], [allTo(2), undefined]);
    assert.deepEqual(removeAlias(moved, 'beta', facts).others, {});
    assert.deepEqual(set.others['beta']?.versions, allTo(2), 'nothing was changed in place');
  });
  const refused: [what: string, change: () => Traffic, error: object][] = [
    [
      'a version that is not kept',
      () => setAlias(first, 'beta', shareOf(9, 5, 1), undefined, facts),
      { code: 'VersionMissing', place: 'versions.0.version' },
    ],
    ['live while a rollout moves it', () => setAlias(moving, 'live', allTo(1), undefined, facts), { code: 'Conflict' }],
    ['to remove live', () => removeAlias(first, 'live', facts), { code: 'BadRequest', place: 'alias' }],
    ['to remove what is not there', () => removeAlias(first, 'beta', facts), { code: 'AliasNotFound' }],
  ];
  for (const [what, change, error] of refused) it(`refuse ${what}`, () => assert.throws(change, error));
});

describe('a rollout', () => {
  it('that is all at once is over when it begins, and leaves the way back', () => {
    const { live, rollout: done } = startRollout(first, 2, { strategy: 'all-at-once' }, facts);
    assert.deepEqual([live.versions, live.previous, done?.state.kind], [allTo(2), allTo(1), 'completed']);
  });
  it('that goes by steps begins without a request', () => {
    assert.deepEqual([moving.live, rollout.state.kind, rollout.from, rollout.to], [first.live, 'started', 1, 2]);
  });
  it('has sticky callers until it is over, and leaves the way back when it is completed', () => {
    const watching = { ...rollout, state: { kind: 'watching' as const, step: 0, sinceMs: 1 } };
    const stepped = moveRollout(moving, { rollout: watching, split: shareOf(2, 5, 1) }, facts);
    assert.deepEqual([stepped.live.sticky, stepped.live.previous], [{ cookie: 'session' }, undefined]);
    const completed = moveRollout(stepped, { rollout: { ...rollout, state: { kind: 'completed', atMs: 2 } }, split: allTo(2) }, facts);
    assert.deepEqual([completed.live.sticky, completed.live.previous], [undefined, allTo(1)]);
  });
  it('that is aborted gives everything back', () => {
    const aborted = abortRollout(moving, facts);
    assert.deepEqual(
      [aborted.live.versions, aborted.rollout?.state, rolloutUnderWay(aborted)],
      [allTo(1), { kind: 'aborted', atMs: 1_000 }, undefined],
    );
  });
  const refused: [what: string, change: () => Traffic, code: string][] = [
    ['while another is under way', () => startRollout(moving, 3, canary, facts), 'Conflict'],
    ['of what has everything', () => startRollout(first, 1, canary, facts), 'Conflict'],
    ['of a version that is not kept', () => startRollout(first, 9, canary, facts), 'VersionMissing'],
    [
      'while live is divided by hand',
      () => startRollout(setAlias(first, 'live', shareOf(2, 5, 1), undefined, facts), 3, canary, facts),
      'Conflict',
    ],
  ];
  for (const [what, change, code] of refused) it(`is refused ${what}`, () => assert.throws(change, { code }));
  it('cannot be aborted when none is under way', () => assert.throws(() => abortRollout(first, facts), { code: 'RolloutNotFound' }));
});

describe('a way back', () => {
  const second = startRollout(first, 2, { strategy: 'all-at-once' }, facts);
  const cases: [what: string, before: Traffic, to: number | undefined, versions: object][] = [
    ['leads to where live was', second, undefined, allTo(1)],
    ['leads to a version', second, 3, allTo(3)],
    ['ends a rollout', moving, undefined, allTo(1)],
    ['ends a rollout, and leads to a version', moving, 3, allTo(3)],
    ['leads forth again', rollBack(second, undefined, facts), undefined, allTo(2)],
  ];
  for (const [what, before, to, versions] of cases) {
    it(what, () => {
      const after = rollBack(before, to, facts);
      assert.deepEqual(after.live.versions, versions);
      assert.equal(rolloutUnderWay(after), undefined);
    });
  }
  it('is not there for a first version', () => assert.throws(() => rollBack(first, undefined, facts), { code: 'RolloutNotFound' }));
  it('does not lead to what is not kept', () => assert.throws(() => rollBack(first, 9, facts), { code: 'VersionMissing' }));
});

const versionOf = (number: number, config = {}): Version => ({
  tenant: 'default',
  function: 'shop',
  number,
  digest: String(number).repeat(64),
  size: 1,
  config: functionConfigSchema.parse(config),
  createdAt: new Date(0).toISOString(),
});
const versions = (config = {}) => new Map([1, 2, 3].map((number) => [number, versionOf(number, config)]));

describe('what is published', () => {
  it('of a function with one version is nothing but that', () => {
    assert.deepEqual(publishedFunction(first, versions()).routing, {
      others: [],
      aliases: [{ name: 'live', versions: allTo(1), sticky: undefined }],
      minimums: [],
      standby: [],
      watch: undefined,
    });
  });
  it('keeps the code of the way back on the hosts', () => {
    const { serving, routing } = publishedFunction(startRollout(first, 2, { strategy: 'all-at-once' }, facts), versions());
    assert.deepEqual([serving.number, routing.others, routing.standby], [2, [], ['1'.repeat(64)]]);
  });
  it('of a rollout is what each version needs', () => {
    const warming = { ...rollout, held: 4, state: { kind: 'warming' as const, step: 0, sinceMs: 1 } };
    const { routing } = publishedFunction({ ...moving, rollout: warming }, versions());
    assert.deepEqual(
      routing.others.map(({ number }) => number),
      [2],
    );
    assert.deepEqual(routing.minimums, [
      { version: 1, instances: 4 },
      { version: 2, instances: 2 },
    ]);
    assert.equal(routing.watch, rollout.watch);
  });
  it('divides a minimum as requests are divided', () => {
    const { routing } = publishedFunction(setAlias(first, 'live', shareOf(2, 25, 1), undefined, facts), versions({ minimum: 10 }));
    assert.deepEqual(routing.minimums, [
      { version: 1, instances: 8 },
      { version: 2, instances: 3 },
    ]);
  });
});

const targets: [held: number, weight: number, concurrency: number, maximum: number, instances: number][] = [
  [0, 100, 1, 100, 0],
  [1, 5, 1, 100, 1],
  [10, 5, 1, 100, 3],
  [10, 100, 1, 100, 10],
  [40, 25, 1, 100, 20],
  [10, 100, 10, 100, 1],
  [8, 100, 1, 10, 2],
  [10, 100, 1, 10, 1],
];
for (const [held, weight, concurrency, maximum, instances] of targets) {
  test(`${weight} % of ${held} instances, on such that take ${concurrency} at once, at most ${maximum}`, () =>
    assert.equal(instancesFor(held, weight, { concurrency: 1 }, { concurrency, maximum }), instances));
}

const always: [minimum: number, held: number, weight: number, instances: number][] = [
  [4, 0, 100, 4],
  [4, 0, 5, 1],
  [4, 10, 100, 10],
  [4, 2, 50, 2],
  [8, 10, 100, 10],
  [8, 0, 0, 0],
  [20, 18, 100, 2],
];
for (const [minimum, held, weight, instances] of always)
  test(`${weight} % for a version that always has ${minimum}, beside ${held}, begin with ${instances}`, () => {
    const plan = { strategy: 'canary' as const, steps: [{ weight, forMs: 1 }] };
    const rollout = { held, plan, state: { kind: 'warming' as const, step: 0, sinceMs: 0 } };
    assert.equal(wantedWarm(rollout, { concurrency: 1 }, { concurrency: 1, maximum: 20, minimum }), instances);
  });

test('no version is forgotten that something leads to', () => {
  const traffic = setAlias(startRollout(first, 2, { strategy: 'all-at-once' }, facts), 'beta', allTo(3), undefined, facts);
  assert.deepEqual([...neededVersions(traffic)].sort(), [1, 2, 3]);
});
