/** What a folder means: by convention, and by its manifest. */
import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { nameOfFolder } from '../../src/build/conventions.ts';
import { planFolder } from '../../src/build/plan.ts';
import { type ErrorCode, SwiftletError } from '../../src/model/errors.ts';
import { folderOf } from './folder-of.ts';

async function plan(files: Readonly<Record<string, string>>, folderName?: string) {
  await using folder = await folderOf(files, folderName);
  return await planFolder(folder.path);
}

const refused = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SwiftletError, String(error));
  assert.match(error.message, message);
  assert.equal(error.code, code);
  return true;
};

for (const [folder, name] of [
  ['hello', 'hello'],
  ['My Shop_2', 'my-shop-2'],
  ['Übersicht', 'bersicht'],
  ['2-fast--cars-', 'fast-cars'],
] as const) {
  test(`the folder "${folder}" is the function "${name}"`, () => {
    assert.equal(nameOfFolder(`/somewhere/${folder}`), name);
  });
}
for (const folder of ['42', '__', '日本', 'x'.repeat(64)]) {
  test(`no function's name can be made of the folder "${folder}"`, () => {
    assert.throws(
      () => nameOfFolder(`/somewhere/${folder}`),
      refused('NameInvalid', /rename the folder, or name the function in swiftlet\.yaml$/),
    );
  });
}

const entries: readonly [what: string, files: Record<string, string>, handler: string][] = [
  ['index.ts', { 'index.ts': '' }, 'index'],
  ['index.cjs', { 'index.cjs': '' }, 'index'],
  ['main', { 'package.json': '{"main":"./lib/app.cjs"}', 'lib/app.cjs': '', 'index.js': '' }, 'lib/app'],
  ['main without an extension', { 'package.json': '{"main":"lib/app"}', 'lib/app.mjs': '' }, 'lib/app'],
  ['main as a folder', { 'package.json': '{"main":"./lib/"}', 'lib/index.js': '' }, 'lib/index'],
  ['main that is not there, but an index', { 'package.json': '{"main":"dist/app.js"}', 'index.mts': '' }, 'index'],
  ['exports', { 'package.json': '{"exports":"./app.mjs","main":"old.cjs"}', 'app.mjs': '', 'old.cjs': '' }, 'app'],
  ['exports by conditions', { 'package.json': '{"exports":{"types":"./a.d.ts","import":"./app.mjs"}}', 'app.mjs': '' }, 'app'],
  ['exports by subpath', { 'package.json': '{"exports":{".":{"default":"./app.js"},"./x":"./x.js"}}', 'app.js': '' }, 'app'],
  ['module', { 'package.json': '{"module":"app.mjs"}', 'app.mjs': '' }, 'app'],
];
for (const [what, files, handler] of entries) {
  test(`the entry of a folder: ${what}`, async () => {
    const [only, ...others] = await plan(files);
    assert.deepEqual([only?.config.handler, others.length], [handler, 0]);
  });
}

const withoutEntry: readonly [what: string, files: Record<string, string>, code: ErrorCode, message: RegExp][] = [
  ['nothing', { 'readme.md': '' }, 'HandlerNotFound', /looked for index\.ts, index\.mts, index\.js, index\.mjs, index\.cjs; name the file/],
  ['a main that is not there', { 'package.json': '{"main":"dist/app.js"}' }, 'HandlerNotFound', /looked for dist\/app\.js, index\.ts/],
  ['a main outside', { 'package.json': '{"main":"../other/app.js"}' }, 'HandlerNotFound', /looked for \.\.\/other\/app\.js/],
  [
    'a main with two dots',
    { 'package.json': '{"main":"app.v2.js"}', 'app.v2.js': '' },
    'HandlerNotFound',
    /app\.v2\.js in .* cannot be a handler/,
  ],
  ['a broken package.json', { 'package.json': '{', 'index.js': '' }, 'ManifestInvalid', /package\.json is not valid: .*JSON/],
  ['a list as package.json', { 'package.json': '[]', 'index.js': '' }, 'ManifestInvalid', /package\.json is not valid: it is no object$/],
];
for (const [what, files, code, message] of withoutEntry) {
  test(`a folder with ${what} is refused`, () => assert.rejects(plan(files), refused(code, message)));
}

test('a main outside of the folder is not followed', async () => {
  await using outside = await folderOf({ 'app.js': '' });
  await assert.rejects(
    plan({ 'package.json': JSON.stringify({ main: `../../${basename(dirname(outside.path))}/shop/app.js` }) }),
    refused('HandlerNotFound', /app\.js in .* cannot be a handler/),
  );
});

test('a manifest: defaults, folders by name, what is merged', async () => {
  const manifest = `
service: shop
defaults: { memory: 256MiB, timeout: 2m, environment: { A: 1, B: one }, queue: { timeout: 1s }, async: { retries: 5, inFlight: 3 } }
functions:
  one: { environment: { B: true }, queue: { length: 5 }, async: { retries: 0, backoff: 30s, onFailure: discard } }
  two: { memory: 1GiB, handler: index.main, process: one-shot, freeze: 3s }
  three: { source: ./one }
  four:
`;
  const [one, two, three, four] = await plan({ 'swiftlet.yaml': manifest, 'one/index.mjs': '', 'two/index.mjs': '', 'index.mjs': '' });
  assert.deepEqual([one?.name, basename(one?.source ?? ''), one?.config.handler], ['one', 'one', 'index']);
  assert.deepEqual([one?.config.memoryMiB, one?.config.timeoutMs], [256, 120_000]);
  assert.deepEqual([one?.config.environment, one?.config.queueLength, one?.config.queueTimeoutMs], [{ A: '1', B: 'true' }, 5, 1_000]);
  assert.deepEqual(one?.config.async, {
    retries: 0,
    backoffMs: 30_000,
    maximumAgeMs: 21_600_000,
    inFlight: 3,
    onFailure: 'discard',
    idempotencyWindowMs: 86_400_000,
  });
  assert.deepEqual([two?.config.memoryMiB, two?.config.handler, two?.build.exclude], [1_024, 'index.main', []]);
  assert.deepEqual(
    [one, two].map((each) => [each?.config.process, each?.config.freezeMs]),
    [
      ['resident', 10_000],
      ['one-shot', 3_000],
    ],
  );
  assert.equal(basename(three?.source ?? ''), 'one');
  assert.deepEqual([basename(four?.source ?? ''), four?.build.exclude], ['shop', ['swiftlet.yaml']]);
});

test('a manifest: how versions take over', async () => {
  const manifest = `
defaults: { rollout: { strategy: blue-green, keep: 90s } }
functions:
  one: {}
  two: { versionHeader: anyone, rollout: { strategy: canary, steps: [{ weight: 2.5, for: 30s }], sticky: { header: X-User } } }
  three: { rollout: { strategy: canary } }
`;
  const planned = await plan({ 'swiftlet.yaml': manifest, 'index.mjs': '' });
  const [one, two, three] = planned.map(({ config }) => config);
  assert.deepEqual([one?.rollout, one?.versionHeader], [{ strategy: 'blue-green', keepMs: 90_000 }, 'token']);
  assert.deepEqual(two?.rollout, { strategy: 'canary', steps: [{ weight: 2.5, forMs: 30_000 }], sticky: { header: 'x-user' } });
  assert.equal(two.versionHeader, 'anyone');
  assert.equal(three?.rollout.strategy === 'canary' && three.rollout.steps.length, 2);
});

const badPlans: readonly [what: string, manifest: string, message: RegExp][] = [
  ['no functions', 'functions: {}\n', /^swiftlet\.yaml:1:12: functions: names no functions/],
  [
    'a folder that is not there',
    'functions:\n  a: { source: ./nowhere }\n',
    /^swiftlet\.yaml:2:16: functions\.a\.source: there is no folder/,
  ],
  ['a file as the folder', 'functions:\n  a: { source: index.mjs }\n', /^swiftlet\.yaml:2:16: functions\.a\.source: there is no folder/],
  [
    'steps that fall',
    'functions:\n  a:\n    rollout: { strategy: canary, steps: [{ weight: 25, for: 1m }, { weight: 5, for: 1m }] }\n',
    /^swiftlet\.yaml:3:14: functions\.a\.rollout: weights rise from step to step/,
  ],
  [
    'steps of what has none',
    'functions:\n  a:\n    rollout: { strategy: blue-green, steps: [{ weight: 25, for: 1m }] }\n',
    /^swiftlet\.yaml:3:14: functions\.a\.rollout: Unrecognized key: "steps"/,
  ],
  [
    'several requests at once for a one-shot instance',
    'functions:\n  a: { process: one-shot, concurrency: 2 }\n',
    /^swiftlet\.yaml:2:40: functions\.a\.concurrency: a one-shot instance takes a single request, not 2 at once$/,
  ],
  [
    'a minimum above the defaults’ maximum',
    'defaults: { maximum: 2 }\nfunctions:\n  a: { minimum: 5 }\n',
    /^swiftlet\.yaml:3:17: functions\.a\.minimum: 5 instances at least are more than 2 at most$/,
  ],
];
for (const [what, manifest, message] of badPlans) {
  test(`a manifest with ${what} is refused at its place`, () =>
    assert.rejects(plan({ 'swiftlet.yaml': manifest, 'index.mjs': '' }), refused('ManifestInvalid', message)));
}

test('a folder that is not there, and one that is a file', async () => {
  await using folder = await folderOf({ file: '' });
  for (const path of [`${folder.path}/nowhere`, `${folder.path}/file`]) {
    await assert.rejects(planFolder(path), refused('NotFound', /^there is no folder/));
  }
});

test('timers and destinations of a manifest become those of the configuration', async () => {
  const manifest = `functions:
  one:
    environment: { SECRET: geheim }
    timers:
      nightly: { cron: '30 2 * * *', timeZone: Europe/Berlin, jitter: 5m, missed: all }
      often: { rate: 90, start: '2026-01-01T00:00:00' }
      launch: { at: 2026-03-01T09:00:00+01:00 }
    destinations:
      success: { function: other }
      failure: { webhook: 'https://hooks.test/x', secret: SECRET }
`;
  const [one] = await plan({ 'swiftlet.yaml': manifest, 'index.js': '' });
  const timers: unknown = JSON.parse(JSON.stringify(one?.config.timers));
  assert.deepEqual(timers, {
    nightly: { kind: 'cron', expression: '30 2 * * *', timeZone: 'Europe/Berlin', jitterMs: 300_000, missed: 'all' },
    often: { kind: 'rate', everyMs: 90_000, timeZone: 'UTC', jitterMs: 0, missed: 'skip', start: '2026-01-01T00:00:00' },
    launch: { kind: 'once', at: '2026-03-01T09:00:00+01:00', timeZone: 'UTC', jitterMs: 0, missed: 'once' },
  });
  assert.deepEqual(one?.config.destinations, {
    success: { kind: 'function', function: 'other' },
    failure: { kind: 'webhook', url: 'https://hooks.test/x', secretVariable: 'SECRET' },
  });
});

const wrongTriggers: readonly (readonly [what: string, lines: string, message: RegExp])[] = [
  [
    'a time with a timer that runs once, and an end',
    "timers: { a: { at: '2026-01-01T00:00:00', end: '2026-01-02T00:00:00' } }",
    /3:18: .*runs once/,
  ],
  ['a timer without a time', 'timers: { a: { jitter: 5s } }', /one of cron, rate and at/],
  ['a webhook without its secret', 'destinations: { success: { webhook: https://x.test } }', /function: name/],
  [
    'a secret that is not in the environment',
    'destinations: { success: { webhook: https://x.test, secret: NONE } }',
    /3:19: .*not in the environment/,
  ],
  ['an unknown key', 'destinations: { sucess: { function: x } }', /unknown key "sucess"; did you mean "success"/],
];
for (const [what, lines, message] of wrongTriggers) {
  test(`a manifest is refused: ${what}`, async () => {
    await assert.rejects(
      () => plan({ 'swiftlet.yaml': `functions:\n  one:\n    ${lines}\n`, 'index.js': '' }),
      (error) => {
        assert.ok(error instanceof SwiftletError && error.code === 'ManifestInvalid');
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
