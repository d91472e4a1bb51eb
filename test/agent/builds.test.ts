/** What is decided about a build's sandbox. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { brokenOff } from '../../src/agent/builds/build-end.ts';
import { BuildWatch } from '../../src/agent/builds/build-watch.ts';
import { inspectCompilers } from '../../src/agent/builds/compilers.ts';
import { npmCommand, npmEnvironment } from '../../src/agent/builds/npm-command.ts';
import { pipCommand, pipEnvironment } from '../../src/agent/builds/pip-command.ts';
import { lacksForPython } from '../../src/agent/builds/recipe.ts';
import type { InstalledRuntime } from '../../src/agent/runtimes/installed-runtime.ts';
import { policyText } from '../../src/model/network-policy.ts';
import { registryPolicy, registrySchema } from '../../src/model/registry.ts';

const quiet = { oomKills: 0, pidsRefused: 0, tail: '' };

test('a build that broke off says which limit it met, and what to do', () => {
  const why = (facts: object, exceeded?: 'time' | 'processes') =>
    brokenOff({ facts: { ...quiet, ...facts }, exceeded, timeoutMs: 2_000 }).message;
  assert.match(why({}, 'time'), /^it took over 2 s; install less, or raise SWIFTLET_BUILD_TIMEOUT_MS/);
  assert.match(why({}, 'processes'), /^it had over 128 processes and threads/);
  assert.match(why({ pidsRefused: 1 }), /^it had over 128 processes/);
  assert.match(why({ oomKills: 1 }), /^it took over 1536 MiB of memory, files among them/);
  assert.match(why({ tail: 'no such file\n' }), /^its sandbox ended: no such file; deploy again/);
  assert.match(why({ oomKills: 1 }, 'time'), /^it took over 2 s/, 'what it was ended for comes first');
});

test('a sandbox is ended when its time is over, or its processes are too many, and not before', async () => {
  const sandbox = (pidsRefused: number) => ({ ended: 0, pidsRefused: () => pidsRefused, kill: () => undefined });
  {
    using calm = new BuildWatch(sandbox(0), 10_000);
    assert.equal(calm.exceeded, undefined);
  }
  const killed = Promise.withResolvers<undefined>();
  using slow = new BuildWatch({ ...sandbox(0), kill: () => killed.resolve(undefined) }, 1);
  await killed.promise;
  assert.equal(slow.exceeded, 'time');
  const bombed = Promise.withResolvers<undefined>();
  using many = new BuildWatch({ ...sandbox(1), kill: () => bombed.resolve(undefined) }, 10_000);
  await Promise.race([bombed.promise, pause(2_000)]);
  assert.equal(many.exceeded, 'processes');
});

test('npm runs no script unless told, asks the registry given, and knows nothing of the platform', () => {
  const registry = 'https://r.test/';
  assert.ok(npmCommand({ scripts: false, registry }).includes('--ignore-scripts'));
  assert.ok(!npmCommand({ scripts: true, registry }).includes('--ignore-scripts'));
  assert.ok(npmCommand({ scripts: true, registry }).includes('--registry=https://r.test/'));
  assert.deepEqual(Object.keys(npmEnvironment('nodejs24')).toSorted(), [
    'CI',
    'HOME',
    'LANG',
    'NODE_EXTRA_CA_CERTS',
    'NO_COLOR',
    'PATH',
    'TMPDIR',
    'TZ',
    'npm_config_nodedir',
  ]);
});

test('pip takes wheels alone unless told, asks the index given, and knows nothing of the platform', () => {
  assert.ok(pipCommand({ interpreter: '/usr/bin/python3', scripts: false }).includes('--only-binary'));
  assert.ok(!pipCommand({ interpreter: '/usr/bin/python3', scripts: true }).includes('--only-binary'));
  const {
    PIP_INDEX_URL: index,
    PIP_TRUSTED_HOST: trusted,
    PIP_CONFIG_FILE: config,
  } = pipEnvironment({ registry: 'https://r.test/simple/' });
  assert.deepEqual([index, trusted, config], ['https://r.test/simple/', undefined, '/dev/null']);
  assert.equal(pipEnvironment({ registry: 'http://r.test:8080/simple/' })['PIP_TRUSTED_HOST'], 'r.test:8080');
});

test('packages for Python are installed where sandboxes have the host’s Python, with its pip', () => {
  const files = { language: 'python', interpreter: '/usr/bin/python3', folder: '/x', hasPip: true } as const;
  const lacks = (found?: Partial<InstalledRuntime>) =>
    lacksForPython(new Map(found === undefined ? [] : [['python3', { ...files, ...found }]])) ?? '';
  assert.equal(lacks({}), '');
  assert.match(lacks(), /has no Python/);
  assert.match(lacks({ hasPip: false }), /has no pip: apt-get install python3-pip/);
  assert.match(lacks({ shown: { source: '/opt/python', target: '/opt/python' } }), /not in \/usr; .*--build local/);
});

test('the programs that addons are compiled with are looked for where builds find them, and what is missing has its remedy', () => {
  assert.deepEqual(inspectCompilers(() => true).missing, []);
  const { missing, remedy } = inspectCompilers((path) => path === '/usr/local/bin/python3' || path === '/usr/bin/make');
  assert.deepEqual(missing, ['cc', 'g++']);
  assert.equal(remedy, 'as root: apt-get install -y gcc g++');
});

describe('registries', () => {
  test('are addresses without secrets', () => {
    assert.equal(registrySchema.parse('https://r.test/npm'), 'https://r.test/npm/');
    for (const wrong of ['r.test', 'ftp://r.test/', 'https://user:password@r.test/', 'https://r.test/?a=b']) {
      assert.equal(registrySchema.safeParse(wrong).success, false, wrong);
    }
  });

  test('are all that a build may reach, each at its port', () => {
    const policy = registryPolicy(['https://r.test/', 'http://other.test/', 'http://192.0.2.1:4873/npm/', 'https://r.test/again/']);
    assert.equal(policyText(policy), 'allow r.test:443, other.test:80, 192.0.2.1:4873');
  });
});
