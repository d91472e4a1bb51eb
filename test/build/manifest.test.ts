/** `swiftlet.yaml`: what it may say, and that each mistake is told with its place and its remedy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseManifest } from '../../src/build/manifest.ts';
import { type ErrorCode, SwiftletError } from '../../src/model/errors.ts';
import { packageFolder } from '../../src/role/package-folder.ts';

type Row = readonly [what: string, text: string, code: ErrorCode, message: RegExp];

const ofA = (setting: string): string => `functions:\n  a:\n    ${setting}\n`;
const aliasBomb = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefg'.charAt(i)},`.repeat(9)}]`),
];

const bad: readonly Row[] = [
  [
    'an unknown runtime',
    ofA('runtime: node24'),
    'RuntimeUnknown',
    /^swiftlet\.yaml:3:14: unknown runtime "node24"; did you mean "nodejs24"\?$/,
  ],
  [
    'a runtime that is like none',
    ofA('runtime: cobol'),
    'RuntimeUnknown',
    /3:14: unknown runtime "cobol"; known are nodejs22, nodejs24, nodejs26, python3, provided, http, java$/,
  ],
  ['a misspelt strategy', ofA('rollout: { strategy: canari }'), 'ManifestInvalid', /3:26: .*it is all-at-once, canary, blue-green/],
  [
    'a misspelt key of a rollout',
    ofA('rollout: { strategy: canary, step: [] }'),
    'ManifestInvalid',
    /3:34: unknown key "step"; did you mean "steps"\?$/,
  ],
  ['a misspelt setting', ofA('memroy: 1'), 'ManifestInvalid', /^swiftlet\.yaml:3:5: unknown key "memroy"; did you mean "memory"\?$/],
  [
    'a misspelt top key',
    'function: {}\nfunctions: {}\n',
    'ManifestInvalid',
    /^swiftlet\.yaml:1:1: unknown key "function"; did you mean "functions"\?$/,
  ],
  [
    'a misspelt key of the build',
    ofA('build: { instal: never }'),
    'ManifestInvalid',
    /3:14: unknown key "instal"; did you mean "install"\?$/,
  ],
  ['a handler among the defaults', 'defaults: { handler: x }\nfunctions: { a: {} }\n', 'ManifestInvalid', /1:13: unknown key "handler"/],
  [
    'a name that leaves its folder',
    'functions:\n  ../x: {}\n',
    'NameInvalid',
    /^swiftlet\.yaml:2:3: "\.\.\/x" is no name for a function: .*letters, digits/,
  ],
  ['a name of JavaScript’s own', 'functions:\n  __proto__: {}\n', 'NameInvalid', /^swiftlet\.yaml:2:3: "__proto__" is no name$/],
  ['a bad name for the service', 'service: A__B\nfunctions: {}\n', 'NameInvalid', /^swiftlet\.yaml:1:10: service: a name is/],
  [
    'a duration in words',
    ofA('timeout: soon'),
    'ManifestInvalid',
    /^swiftlet\.yaml:3:14: functions\.a\.timeout: "soon" is no duration: .*500ms, 3s, 2m, 1h$/,
  ],
  [
    'a duration over the limit',
    ofA('timeout: 25h'),
    'ManifestInvalid',
    /3:14: functions\.a\.timeout: 25h is out of range: it is from 100ms to 24h$/,
  ],
  ['a negative duration', ofA('idle: -1'), 'ManifestInvalid', /3:11: functions\.a\.idle: -1s is out of range: it is from 0ms to 24h$/],
  [
    'too little memory',
    ofA('memory: 8'),
    'ManifestInvalid',
    /^swiftlet\.yaml:3:13: functions\.a\.memory: 8 MiB is out of range: it is from 64 to 10240 MiB$/,
  ],
  ['half a mebibyte', ofA('memory: 128.5'), 'ManifestInvalid', /3:13: functions\.a\.memory: 128\.5 is no size of memory/],
  ['memory without an end', ofA('memory: .inf'), 'ManifestInvalid', /3:13: functions\.a\.memory: Infinity is no size of memory/],
  [
    'too much concurrency',
    ofA('concurrency: 5000'),
    'ManifestInvalid',
    /3:18: functions\.a\.concurrency: it is a whole number from 1 to 1000$/,
  ],
  ['a misspelt key of async', ofA('async: { retry: 1 }'), 'ManifestInvalid', /3:14: unknown key "retry"; did you mean "retries"\?$/],
  [
    'an age over the limit',
    ofA('async: { maximumAge: 200h }'),
    'ManifestInvalid',
    /3:26: functions\.a\.async\.maximumAge: 200h is out of range: it is from 1s to 168h$/,
  ],
  [
    'an end of events that there is not',
    ofA('async: { onFailure: forget }'),
    'ManifestInvalid',
    /3:25: functions\.a\.async\.onFailure: it is dead-letter or discard$/,
  ],
  ['a secret of no name', ofA('secrets: { A: not a name }'), 'ManifestInvalid', /secrets\.A: it is the name of a secret/],
  ['a secret in a form that there is not', ofA('secrets: { A: { secret: db, as: pipe } }'), 'ManifestInvalid', /secrets\.A/],
  ['a secret for a variable that no shell would take', ofA('secrets: { 1A: db }'), 'ManifestInvalid', /"1A" is no name for a variable/],
  ['a misspelt key of scale', ofA('scale: { dely: 1s }'), 'ManifestInvalid', /3:14: unknown key "dely"; did you mean "delay"\?$/],
  [
    'a share that is none',
    ofA('scale: { outAt: 0.7 }'),
    'ManifestInvalid',
    /3:21: functions\.a\.scale\.outAt: it is a number from 10 to 100$/,
  ],
  [
    'a rate without a rate',
    ofA('protect: { rates: [{ burst: 5 }] }'),
    'ManifestInvalid',
    /3:\d+: functions\.a\.protect\.rates\.0\.perSecond: it is a number from/,
  ],
  [
    'two fallbacks',
    ofA('protect: { fallback: { lastGood: 1m, function: b } }'),
    'ManifestInvalid',
    /functions\.a\.protect\.fallback: it has one of answer, function and lastGood$/,
  ],
  ['a variable that no shell would take', ofA('environment: { 1A: x }'), 'ManifestInvalid', /3:20: "1A" is no name for a variable/],
  [
    'a variable of the platform’s',
    ofA('environment: { SWIFTLET_X: x }'),
    'ManifestInvalid',
    /3:18: functions\.a\.environment: names that start with SWIFTLET_/,
  ],
  [
    'a list as a variable’s value',
    ofA('environment: { runtime: [1] }'),
    'ManifestInvalid',
    /3:29: functions\.a\.environment\.runtime: a value is text/,
  ],
  ['a number as a function', 'functions:\n  a: 5\n', 'ManifestInvalid', /^swiftlet\.yaml:2:6: functions\.a: a function has settings/],
  ['no functions’ key', 'service: shop\n', 'ManifestInvalid', /^swiftlet\.yaml:1:1: functions: it has the functions by name/],
  ['nothing in it', '', 'ManifestInvalid', /^swiftlet\.yaml:1:1: the manifest: it has the key "functions"/],
  ['a list', '- a\n', 'ManifestInvalid', /^swiftlet\.yaml:1:1: the manifest: it has the key "functions"/],
  ['the same function twice', 'functions:\n  a: {}\n  a: {}\n', 'ManifestInvalid', /^swiftlet\.yaml:3:3: Map keys must be unique$/],
  ['broken YAML', 'functions: [\n', 'ManifestInvalid', /^swiftlet\.yaml:2:1: /],
  ['two documents', 'functions: {}\n---\nfunctions: {}\n', 'ManifestInvalid', /^swiftlet\.yaml:2:1: /],
  ['a tag that is code elsewhere', 'functions: { a: !!js/function "x" }\n', 'ManifestInvalid', /^swiftlet\.yaml:1:17: Unresolved tag/],
  [
    'a bomb of aliases',
    `${aliasBomb.join('\n')}\n`,
    'ManifestInvalid',
    /^swiftlet\.yaml: Excessive alias count.*; write out what its aliases stand for$/,
  ],
  ['a megabyte', `# ${'x'.repeat(1024 * 1024)}\n`, 'ManifestInvalid', /^swiftlet\.yaml: it is over 262144 bytes$/],
];

for (const [what, text, code, message] of bad) {
  test(`a manifest with ${what} is refused`, () => {
    assert.throws(
      () => parseManifest(text, 'swiftlet.yaml'),
      (error) => {
        assert.ok(error instanceof SwiftletError, String(error));
        assert.match(error.message, message);
        assert.equal(error.code, code);
        assert.ok(error.place !== undefined && error.message.startsWith(error.place), 'its place is its message’s');
        return true;
      },
    );
  });
}

const good: readonly [setting: string, parsed: Record<string, unknown>][] = [
  ['timeout: 3', { timeout: 3_000 }],
  ['timeout: 0.5', { timeout: 500 }],
  ['timeout: 500ms', { timeout: 500 }],
  ['timeout: 1.5 s', { timeout: 1_500 }],
  ['idle: 24h', { idle: 86_400_000 }],
  ['idle: 0', { idle: 0 }],
  ['memory: 256', { memory: 256 }],
  ['memory: "256"', { memory: 256 }],
  ['memory: 256MiB', { memory: 256 }],
  ['memory: 512 mb', { memory: 512 }],
  ['memory: 1GiB', { memory: 1_024 }],
  ['memory: 2g', { memory: 2_048 }],
  [
    'secrets: { A: db, B: { secret: tls, as: file } }',
    { secrets: { A: { secret: 'db', as: 'environment' }, B: { secret: 'tls', as: 'file' } } },
  ],
  ['environment: { A: 1, B: true, C: text, D: "" }', { environment: { A: '1', B: 'true', C: 'text', D: '' } }],
  [
    'async: { retries: 0, backoff: 10ms, maximumAge: 168h, inFlight: 1, onFailure: discard }',
    { async: { retries: 0, backoff: 10, maximumAge: 604_800_000, inFlight: 1, onFailure: 'discard' } },
  ],
  ['queue: { length: 1, timeout: 100ms }', { queue: { length: 1, timeout: 100 } }],
];
for (const [setting, parsed] of good) {
  test(`a manifest may say ${setting}`, () => {
    assert.deepEqual(parseManifest(ofA(setting), 'swiftlet.yaml').manifest.functions['a'], parsed);
  });
}

test('settings can be shared by an alias', () => {
  const text = 'functions:\n  a: &small { memory: 64 }\n  b: *small\n  c:\n';
  assert.deepEqual({ ...parseManifest(text, 'swiftlet.yaml').manifest.functions }, { a: { memory: 64 }, b: { memory: 64 }, c: null });
});

test('the published JSON Schema is up to date', () => {
  execFileSync(process.execPath, [join(packageFolder, 'scripts', 'schema.ts'), '--check']);
});
