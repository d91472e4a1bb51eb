/** What a folder means: by convention, and by its manifest. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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
for (const folder of ['42', '__', '日本', 'x'.repeat(65)]) {
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

test('a folder with nothing but Python in it is a function in Python; what Node.js would run comes first', async () => {
  for (const [files, handler, runtime] of [
    [{ 'main.py': '' }, 'main', 'python3'],
    [{ 'lambda_function.py': '', 'app.py': '' }, 'app', 'python3'],
    [{ 'main.py': '', 'index.ts': '' }, 'index', 'nodejs26'],
    [{ 'main.py': '', 'index.ts': '', 'swiftlet.yaml': 'functions: { a: { runtime: python3 } }' }, 'main', 'python3'],
    [{ 'main.py': '', 'swiftlet.yaml': 'functions: { a: }' }, 'main', 'python3'],
  ] as const) {
    const [planned] = await plan(files);
    assert.deepEqual([planned?.config.handler, planned?.config.runtime], [handler, runtime], JSON.stringify(files));
  }
  await assert.rejects(
    plan({ 'index.ts': '', 'swiftlet.yaml': 'functions: { a: { runtime: python3 } }' }),
    /looked for index\.py, main\.py, app\.py, lambda_function\.py; name the handler in swiftlet\.yaml/,
  );
  await assert.rejects(plan({ 'main.py': '', 'swiftlet.yaml': 'functions: { a: { runtime: nodejs26 } }' }), /looked for index\.ts, /);
});

const withoutEntry: readonly [what: string, files: Record<string, string>, code: ErrorCode, message: RegExp][] = [
  [
    'nothing',
    { 'readme.md': '' },
    'HandlerNotFound',
    /looked for index\.ts, index\.mts, index\.js, index\.mjs, index\.cjs, index\.py, main\.py, app\.py, lambda_function\.py; name the file/,
  ],
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

test('a manifest: install scripts run where it says so, and nowhere else', async () => {
  const manifest = `
functions:
  one: {}
  two: { build: { scripts: allow } }
  three: { build: { scripts: never } }
`;
  const planned = await plan({ 'swiftlet.yaml': manifest, 'index.mjs': '' });
  assert.deepEqual(
    planned.map(({ build }) => build.scripts),
    [false, true, false],
  );
});

test('a manifest: where functions may connect to', async () => {
  const manifest = `
defaults: { network: none }
functions:
  one: {}
  two: { network: { allow: ['api.example.com:443', '203.0.113.0/24'], deny: ['*:25'] } }
`;
  const planned = await plan({ 'swiftlet.yaml': manifest, 'index.mjs': '' });
  assert.deepEqual(
    planned.map(({ config }) => config.network),
    ['none', { allow: ['api.example.com:443', '203.0.113.0/24'], deny: ['*:25'] }],
  );
});

const badPlans: readonly [what: string, manifest: string, message: RegExp][] = [
  [
    'a range with bits behind its prefix',
    "functions:\n  a: { network: { allow: ['10.0.0.1/8'] } }\n",
    /^swiftlet\.yaml:2:27: functions\.a\.network\.allow\.0: "10\.0\.0\.1\/8" has bits behind its prefix; the range is 10\.0\.0\.0\/8$/,
  ],
  [
    'a network that there is none of',
    'functions:\n  a: { network: open }\n',
    /^swiftlet\.yaml:2:17: functions\.a\.network: it is none, internet, or \{ allow/,
  ],
  [
    'a word about install scripts that means nothing',
    'functions:\n  a: { build: { scripts: yes } }\n',
    /^swiftlet\.yaml:2:26: functions\.a\.build\.scripts: it is never or allow$/,
  ],
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

test('sources and queues of a manifest become those of the configuration', async () => {
  const manifest = `functions:
  one:
    environment: { NATS_PASSWORD: geheim }
    sources:
      incoming:
        jetstream: { servers: [nats://broker:4222], user: me, passwordVariable: NATS_PASSWORD, stream: ORDERS }
        batch: { size: 100, window: 500ms }
        concurrency: 4
        order: key
        start: 2026-03-01T09:00:00Z
        filters: [{ body: { kind: [order] } }]
        attempts: 5
        backoff: 2s
    destinations:
      success: { queue: { nats: { servers: [nats://broker:4222], subject: done } } }
`;
  const [one] = await plan({ 'swiftlet.yaml': manifest, 'index.js': '' });
  assert.deepEqual(JSON.parse(JSON.stringify(one?.config.sources)), {
    incoming: {
      origin: { kind: 'jetstream', servers: ['nats://broker:4222'], user: 'me', passwordVariable: 'NATS_PASSWORD', stream: 'ORDERS' },
      batchSize: 100,
      batchWindowMs: 500,
      concurrency: 4,
      order: 'key',
      start: '2026-03-01T09:00:00Z',
      filters: [{ body: { kind: ['order'] } }],
      attempts: 5,
      backoffMs: 2_000,
      enabled: true,
    },
  });
  assert.deepEqual(one?.config.destinations.success, {
    kind: 'queue',
    to: { kind: 'nats', servers: ['nats://broker:4222'], subject: 'done' },
  });
});

const jetStream = 'jetstream: { servers: [nats://b], stream: A }';
const wrongTriggers: readonly (readonly [what: string, lines: string, message: RegExp])[] = [
  [
    'a time with a timer that runs once, and an end',
    "timers: { a: { at: '2026-01-01T00:00:00', end: '2026-01-02T00:00:00' } }",
    /3:18: .*runs once/,
  ],
  ['a timer without a time', 'timers: { a: { jitter: 5s } }', /one of cron, rate and at/],
  ['a webhook without its secret', 'destinations: { success: { webhook: https://x.test } }', /function: name/],
  [
    'a webhook’s secret that is nowhere',
    'destinations: { success: { webhook: https://x.test, secret: NONE } }',
    /3:19: .*has no value: put it into "secrets"/,
  ],
  ['a source without a kind', 'sources: { a: { attempts: 2 } }', /3:19: .*it has one of nats, jetstream/],
  ['a source of two kinds', `sources: { a: { ${jetStream}, nats: { servers: [nats://b], subject: a } } }`, /it has one of nats, jetstream/],
  ['a source’s unknown key', `sources: { a: { ${jetStream}, atempts: 2 } }`, /unknown key "atempts"; did you mean "attempts"/],
  [
    'a kind’s unknown key',
    'sources: { a: { jetstream: { servers: [nats://b], straem: A } } }',
    /unknown key "straem"; did you mean "stream"/,
  ],
  ['a source without what its kind needs', 'sources: { a: { jetstream: { servers: [nats://b] } } }', /stream: it is the name of a stream/],
  ['a filter that is none', `sources: { a: { ${jetStream}, filters: [{ body: [{ prefx: x }] }] } }`, /filters.0.body.0/],
  ['an order with batches beside each other', `sources: { a: { ${jetStream}, order: partition, concurrency: 2 } }`, /one batch at a time/],
  ['a source’s secret that is nowhere', 'sources: { a: { nats: { servers: [nats://b], subject: a, tokenVariable: T } } }', /variable T/],
  ['an address with a password', 'sources: { a: { nats: { servers: [nats://u:p@b], subject: a } } }', /no user and no password/],
  ['a queue of no kind', 'destinations: { success: { queue: {} } }', /one of nats, jetstream/],
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

test('how a function scales, and what protects it', async () => {
  const [a, b] = await plan({
    'index.js': '',
    'swiftlet.yaml': `
defaults: { scale: { delay: 30s, qps: 50 } }
functions:
  a:
    scale:
      delay: 5s
      schedules: [{ cron: '0 9 * * *', timeZone: Europe/Berlin, for: 8h, minimum: 2 }]
    protect:
      rates: [{ perSecond: 2.5 }, { perSecond: 1, burst: 9, key: { header: X-Key } }, { perSecond: 3, key: source }]
      reserved: 7
      breaker: { errors: 20 }
      fallback: { on: [open], answer: { status: 203, headers: { X-A: b }, body: later } }
  b: { protect: { fallback: { lastGood: 1m }, outliers: keep } }
`,
  });
  assert.deepEqual([a?.config.scale.thresholds.qps, a?.config.scale.delayMs, b?.config.scale.delayMs], [50, 5_000, 30_000]);
  assert.deepEqual(a?.config.scale.schedules, [{ expression: '0 9 * * *', timeZone: 'Europe/Berlin', forMs: 28_800_000, minimum: 2 }]);
  assert.deepEqual(a.config.protect, {
    rates: [
      { perSecond: 2.5, burst: 3 },
      { perSecond: 1, burst: 9, key: { header: 'x-key' } },
      { perSecond: 3, burst: 3, key: { source: true } },
    ],
    reservedConcurrency: 7,
    breaker: { errorPercent: 20, leastRequests: 20, windowMs: 10_000, openMs: 5_000 },
    fallback: { kind: 'answer', on: ['open'], status: 203, headers: { 'x-a': 'b' }, body: 'later' },
    outliers: 'replace',
  });
  assert.deepEqual(b?.config.protect.fallback, { kind: 'last-good', on: ['error', 'timeout', 'open', 'overload'], maximumAgeMs: 60_000 });
});

for (const header of ['Content-Length', 'transfer-encoding', 'connection', 'x-swiftlet-version']) {
  test(`a fallback cannot say what the platform says: ${header}`, async () => {
    const protect = `protect: { fallback: { answer: { headers: { ${header}: '5' } } } }`;
    const files = { 'index.js': '', 'swiftlet.yaml': `functions:\n  a: { ${protect} }\n` };
    await assert.rejects(plan(files), refused('ManifestInvalid', /functions\.a\.protect\.fallback: how an answer is framed/));
  });
}

const wrongScales: readonly [scale: string, message: RegExp][] = [
  [
    "schedules: [{ cron: '0 0 30 2 *', for: 1h, target: 1 }]",
    /^swiftlet\.yaml:\d+:\d+: functions\.a\.scale\.schedules\.0\.cron: .*never comes/,
  ],
  [
    "schedules: [{ cron: '0 0 * * *', timeZone: Mars, for: 1h, target: 1 }]",
    /functions\.a\.scale\.schedules\.0\.timeZone: there is no time zone "Mars"/,
  ],
  ["schedules: [{ cron: '0 0 * * *', for: 1h }]", /functions\.a\.scale\.schedules\.0: it has one of minimum, maximum and target/],
  [
    "schedules: [{ cron: '0 0 * * *', for: 1h, minimum: 3, maximum: 2 }]",
    /functions\.a\.scale\.schedules\.0: its minimum is above its maximum/,
  ],
  ['lag: 100', /functions\.a\.scale\.lag: messages can only wait where there are sources/],
];
for (const [scale, message] of wrongScales) {
  test(`what makes no sense is refused: scale: { ${scale} }`, async () => {
    const files = { 'index.js': '', 'swiftlet.yaml': `functions:\n  a:\n    scale: { ${scale} }\n` };
    await assert.rejects(plan(files), refused('ManifestInvalid', message));
  });
}

test('routes of a manifest: a line, or what a route limits', async () => {
  const yaml = `functions:
  shop:
    source: .
    handler: index
    routes:
      - /orders
      - GET api.example.com/orders/{id}
      - { path: '/files/{path+}', host: '*.example.com', methods: [GET, PUT], alias: beta, body: 64KiB, headers: 4096, timeout: 2s, rates: [{ perSecond: 2 }] }
`;
  const [shop] = await plan({ 'swiftlet.yaml': yaml, 'index.js': '' });
  assert.deepEqual(JSON.parse(JSON.stringify(shop?.config.routes)), [
    { path: '/orders', rates: [] },
    { path: '/orders/{id}', host: 'api.example.com', methods: ['GET'], rates: [] },
    {
      path: '/files/{path+}',
      host: '*.example.com',
      methods: ['GET', 'PUT'],
      alias: 'beta',
      maxBodyBytes: 65_536,
      maxHeaderBytes: 4_096,
      timeoutMs: 2_000,
      rates: [{ perSecond: 2, burst: 2 }],
    },
  ]);
});

for (const [line, message] of [
  ['get /x', /swiftlet\.yaml:5:9: functions\.shop\.routes\.0: (it is like "GET|a route is a line)/],
  ['FETCH /x', /swiftlet\.yaml:5:9: functions\.shop\.routes\.0: "FETCH" is no method here/],
  ['{ path: /x, body: 7MiB }', /swiftlet\.yaml:5:9: functions\.shop\.routes\.0: body: "7MiB" is out of range/],
  ['/x/{a}/{a}', /swiftlet\.yaml:5:9: functions\.shop\.routes\.0: two of its parameters/],
] as const)
  test(`the route ${line} is refused with its place`, async () => {
    const yaml = `functions:\n  shop:\n    handler: index\n    routes:\n      - ${line}\n`;
    await assert.rejects(plan({ 'swiftlet.yaml': yaml, 'index.js': '' }), refused('ManifestInvalid', message));
  });
for (const [what, entry, message] of [
  ['a handler outside of the folder', 'handler: ../../x', /3:14: functions\.a\.handler: a handler is/],
  ['a command of two lines', 'handler: "a\\nb"\n    runtime: http', /3:14: functions\.a\.handler: what is started is one line/],
] as const) {
  test(`${what} is refused with its place`, async () => {
    await assert.rejects(plan({ 'swiftlet.yaml': `functions:\n  a:\n    ${entry}\n` }), refused('ManifestInvalid', message));
  });
}

for (const [what, files, handler, runtime] of [
  ['a file "bootstrap"', { bootstrap: '#!/bin/sh' }, 'bootstrap', 'provided'],
  ['a server that package.json starts', { 'package.json': '{"scripts":{"start":"node a.js"}}' }, 'node a.js', 'http'],
  ['a command', {}, './server --port $PORT', 'http'],
] as const) {
  test(`${what} is a program`, async () => {
    const said =
      runtime === 'provided'
        ? {}
        : { 'swiftlet.yaml': `functions: { a: { runtime: http${what === 'a command' ? `, handler: "${handler}"` : ''} } }` };
    await using folder = await folderOf({ ...files, ...said });
    if (runtime === 'provided') {
      await assert.rejects(planFolder(folder.path), refused('HandlerNotFound', /bootstrap may not be executed; run "chmod \+x/));
      chmodSync(join(folder.path, 'bootstrap'), 0o755);
    }
    const [planned] = await planFolder(folder.path);
    assert.deepEqual([planned?.config.handler, planned?.config.runtime], [handler, runtime]);
  });
}

test('a server that nothing starts is refused with the remedy', async () => {
  const files = { 'server.js': '', 'swiftlet.yaml': 'functions: { a: { runtime: http } }' };
  await assert.rejects(plan(files), refused('HandlerNotFound', /name the command in swiftlet\.yaml, such as "handler: node server\.js"/));
});

test('the form of handlers: as the manifest says, else Google’s when its framework is a dependency', async () => {
  const framework = '{"dependencies":{"@google-cloud/functions-framework":"^5.0.0"}}';
  const formOf = async (files: Readonly<Record<string, string>>) => (await plan({ 'index.js': '', ...files }))[0]?.config.form;
  assert.equal(await formOf({}), undefined);
  assert.equal(await formOf({ 'package.json': framework }), 'google-cloud-http');
  const said = 'functions: { one: { form: tencent-scf } }';
  assert.equal(await formOf({ 'package.json': framework, 'swiftlet.yaml': said }), 'tencent-scf');
  assert.equal(
    await formOf({ 'package.json': framework, 'swiftlet.yaml': 'functions: { one: { runtime: http, handler: x } }' }),
    undefined,
  );
  await assert.rejects(
    formOf({ 'swiftlet.yaml': 'functions: { one: { runtime: http, handler: x, form: lambda } }' }),
    refused('ManifestInvalid', /functions\.one\.form: a form is said of handlers in Node\.js/),
  );
  await assert.rejects(
    formOf({ 'swiftlet.yaml': 'functions: { one: { form: azure } }' }),
    refused('ManifestInvalid', /it is lambda, alibaba-fc/),
  );
});

test('groups: a name or a list, a header as it is sent; what is none is refused with its place', async () => {
  const groupsOf = async (lines: string) => {
    const [one] = await plan({ 'index.mjs': '', 'swiftlet.yaml': `functions:\n  f:\n    groups: ${lines}\n` });
    return one?.config.groups;
  };
  assert.deepEqual(await groupsOf('{ only: { cell: a, region: [eu, us] }, by: { cell: { header: X-Cell, among: [a, b] } } }'), {
    only: { cell: ['a'], region: ['eu', 'us'] },
    by: { cell: { header: 'x-cell', among: ['a', 'b'] } },
    missing: 'any',
  });
  await assert.rejects(groupsOf('{ only: { zone: a } }'), refused('ManifestInvalid', /swiftlet\.yaml:3:\d+: unknown key "zone"/));
  await assert.rejects(
    groupsOf('{ only: { cell: a.b } }'),
    refused('ManifestInvalid', /swiftlet\.yaml:3:\d+: .*it is a name, or a list of names/),
  );
  await assert.rejects(groupsOf('{ by: { cell: { among: [a] } } }'), refused('ManifestInvalid', /one of header and cookie/));
});
