/** Dependencies installed on the platform, by the command line, from a registry on a network of the test's own. Needs root, as full isolation does. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pagesOf, projectOf, type TestPackage } from '../build/npm-package.ts';
import { indexOf, writePackage } from '../build/python-package.ts';
import { type Ended, runSwiftlet } from '../cli/run-swiftlet.ts';
import { openOutside, type Outside } from '../network/outside.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsRoot } from './needs.ts';
import { childrenOf, roleOf } from './role-processes.ts';

const skip = needsRoot;
/** A mirror, and not at the root of its host. */
const registry = 'http://registry.test:8080/npm';
const publicRegistry = 'https://registry.npmjs.org';
const nameServer = '203.0.113.243';
/** What the script without an end says. */
const begun = 'it has begun';
const buildTimeoutMs = 8_000;
/** What other tests on this machine may make of a second. */
const backWithinMs = 20_000;

/** What an install script sees and reaches, for the function to tell. */
const looks = `const net = require('node:net'), dns = require('node:dns/promises'), fs = require('node:fs');
const connect = (host, port) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 3000 });
  const end = (what) => { socket.destroy(); resolve(what); };
  socket.on('connect', () => end('connected')); socket.on('error', (error) => end(error.code)); socket.on('timeout', () => end('timeout'));
});
(async () => fs.writeFileSync('seen.json', JSON.stringify({
  node: process.version, variables: Object.keys(process.env), environment: JSON.stringify(process.env),
  root: fs.readdirSync('/'), run: fs.existsSync('/run'), processes: fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length,
  registry: await connect('registry.test', 8080), otherPort: await connect('registry.test', 80), other: await connect('203.0.113.250', 80),
  otherName: await dns.lookup('other.test').then(() => 'found', (error) => error.code), own: await connect('192.0.2.217', 22),
})))();`;
/** An addon that tells which Node.js it was compiled for: the headers say it. */
const addon = `#include <node_api.h>
#include <node_version.h>
napi_value init(napi_env env, napi_value exports) {
  napi_value abi;
  napi_create_int32(env, NODE_MODULE_VERSION, &abi);
  napi_set_named_property(env, exports, "abi", abi);
  return exports;
}
NAPI_MODULE(addon, init)
`;
const packages = {
  plain: { name: 'plain-dependency', files: { 'index.js': "exports.word = 'installed';" } },
  looking: { name: 'looking', install: 'node look.js', files: { 'look.js': looks, 'index.js': "exports.seen = require('./seen.json');" } },
  addon: {
    name: 'native-addon',
    files: {
      'binding.gyp': JSON.stringify({ targets: [{ target_name: 'addon', sources: ['addon.c'] }] }),
      'addon.c': addon,
      'index.js': "module.exports = require('./build/Release/addon.node');",
    },
  },
  hungry: { name: 'hungry', install: 'node -e "for (const all = []; ; ) all.push(Buffer.alloc(2 ** 26, 1))"' },
  forking: { name: 'forking', install: 'while :; do sleep 60 & done' },
  filling: { name: 'filling', install: 'dd if=/dev/zero of=/tmp/all bs=16M' },
  endless: { name: 'endless', install: `echo ${begun}; while :; do sleep 1; done` },
  broken: { name: 'broken', install: 'echo these are its last words; exit 3' },
} satisfies Record<string, TestPackage>;

let outside: Outside;
let e2e: E2e;
let folder: string;
/** What is open when the platform does not start is closed all the same: the process would not end else. */
const opened = new AsyncDisposableStack();
before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'swiftlet-builds-'));
  opened.defer(() => rm(folder, { recursive: true }));
  outside = await openOutside({
    name: 'r',
    // Beside those of other tests, which may run meanwhile.
    ranges: ['198.51.100.240/28', '203.0.113.240/28'],
    nameServer,
    names: { 'registry.test': ['198.51.100.245'], 'other.test': ['198.51.100.246'] },
    pages: { ...pagesOf(Object.values(packages), '/npm'), ...indexOf({ tiny_thing: 'wheel', from_source: 'source' }, '/simple') },
  });
  opened.use(outside);
  e2e = await openE2e({
    environment: {
      SWIFTLET_DNS: nameServer,
      SWIFTLET_REGISTRIES: registry,
      SWIFTLET_PYTHON_REGISTRIES: 'http://registry.test:8080/simple',
      SWIFTLET_BUILD_TIMEOUT_MS: String(buildTimeoutMs),
    },
  });
  opened.use(e2e);
});
after(() => opened.disposeAsync());

const environment = () => ({ SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl });

interface Project {
  readonly needs: readonly TestPackage[];
  readonly code?: string;
  /** More of the function's lines in the manifest. */
  readonly manifest?: string;
  readonly registry?: string;
}

async function project(
  name: string,
  { needs, code = 'export const handler = () => 1;', manifest = '', registry: from = registry }: Project,
): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  const files = {
    'index.mjs': code,
    'swiftlet.yaml': `functions:\n  ${name}:\n    handler: index.handler\n${manifest}`,
    ...projectOf(needs, from),
  };
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}
const allowed = '    build: { scripts: allow }\n';

const deploy = (path: string, started?: (child: ChildProcess) => void, ...more: string[]): Promise<Ended> =>
  runSwiftlet(['deploy', path, ...more], environment(), started === undefined ? {} : { started });

async function serves(name: string): Promise<boolean> {
  return (await e2e.platform.api.functions()).includes(name);
}

test('dependencies are installed on the platform; install scripts are not run unless the manifest allows it, which is told', {
  skip,
}, async () => {
  const code = `import { word } from 'plain-dependency'; import { existsSync } from 'node:fs';
export const handler = () => ({ word, ran: existsSync(new URL('./node_modules/looking/seen.json', import.meta.url)) });`;
  const path = await project('careful', { needs: [packages.plain, packages.looking], code, registry: publicRegistry });
  const { code: exit, stderr } = await deploy(path);
  assert.equal(exit, 0, stderr);
  assert.match(stderr, /careful: installing by nodejs26/);
  assert.match(stderr, /careful: install scripts are not run: those of looking; "build: \{ scripts: allow \}" in the manifest allows them/);
  assert.deepEqual((await e2e.call('/careful/')).json, { word: 'installed', ran: false });
});

test('the same lockfile is installed once, whatever the code; another runtime installs anew', { skip }, async () => {
  const asked = () => outside.heard.filter(({ what }) => what.startsWith('/npm/plain-dependency/')).length;
  const path = await project('again', { needs: [packages.plain] });
  const first = await deploy(path);
  assert.equal(first.code, 0, first.stderr);
  const before = asked();
  await writeFile(join(path, 'index.mjs'), "import { word } from 'plain-dependency'; export const handler = () => ({ changed: word });");
  const second = await deploy(path);
  assert.match(second.stderr, /what it asks for is installed already/);
  assert.deepEqual((await e2e.call('/again/')).json, { changed: 'installed' });
  assert.equal(asked(), before);
  const third = await deploy(await project('again', { needs: [packages.plain], manifest: '    runtime: nodejs22\n' }));
  assert.match(third.stderr, /installing by nodejs22/);
  assert.equal(asked(), before + 1);
});

test('an install script runs by the target runtime, and sees and reaches nothing but its package and the registry', { skip }, async () => {
  const code = "import looking from 'looking'; export const handler = () => looking.seen;";
  const manifest = `    runtime: nodejs24\n    environment: { HUSH: do-not-tell }\n${allowed}`;
  const { code: exit, stderr } = await deploy(await project('curious', { needs: [packages.looking], code, manifest }));
  assert.equal(exit, 0, stderr);
  const { json: seen } = await e2e.call('/curious/');
  assert.match(String(seen['node']), /^v24\./);
  assert.deepEqual(
    [seen['registry'], seen['otherPort'], seen['other'], seen['own']],
    ['connected', 'ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'],
  );
  assert.notEqual(seen['otherName'], 'found');
  assert.doesNotMatch(String(seen['environment']), /SWIFTLET|HUSH|do-not-tell/);
  assert.equal(seen['run'], false);
  assert.ok(Number(seen['processes']) < 10, `it sees ${String(seen['processes'])} processes`);
  assert.match(stderr, /network: .*203\.0\.113\.250/, 'what was refused is told');
});

test('a native addon is compiled for the target runtime, by the headers that came with it', { skip }, async () => {
  const code =
    "import addon from 'native-addon'; export const handler = () => ({ abi: addon.abi, own: Number(process.versions.modules) });";
  const { code: exit, stderr } = await deploy(
    await project('native', { needs: [packages.addon], code, manifest: `    runtime: nodejs24\n${allowed}` }),
  );
  assert.equal(exit, 0, stderr);
  const { json, text } = await e2e.call('/native/');
  assert.equal(json['abi'], json['own'], text);
  assert.notEqual(json['own'], Number(process.versions.modules));
});

test('what goes wrong is told with its reason and the last words, and makes no version', { skip }, async () => {
  const cases: readonly (readonly [name: string, options: Project, said: RegExp])[] = [
    ['broken', { needs: [packages.broken], manifest: allowed }, /an install script failed[^]*these are its last words/],
    ['forking', { needs: [packages.forking], manifest: allowed }, /it had over 128 processes and threads; look at/],
    ['hungry', { needs: [packages.hungry], manifest: allowed }, /it took over 1536 MiB of memory, files among them; install less/],
    ['filling', { needs: [packages.filling], manifest: allowed }, /its disk of 512 MiB is full/],
    [
      'elsewhere',
      { needs: [packages.plain], registry: 'http://other.test' },
      /npm could not reach something; a build reaches http:\/\/registry\.test:8080\/npm\/ and nothing else/,
    ],
  ];
  for (const [name, options, said] of cases) {
    const { code, stderr } = await deploy(await project(name, options));
    assert.equal(code, 2, `${name}: ${stderr}`);
    assert.match(stderr, said, name);
    assert.match(stderr, /\(BuildFailed, request /);
    assert.equal(await serves(name), false, name);
  }
});

test('a script without an end is ended at the limit of time, and nothing of it is left', { skip }, async () => {
  const began = performance.now();
  const { code, stderr } = await deploy(await project('endless', { needs: [packages.endless], manifest: allowed }));
  assert.equal(code, 2, stderr);
  assert.match(stderr, /it took over 8 s; install less/);
  assert.ok(performance.now() - began < buildTimeoutMs + 5_000);
  assert.equal(await serves('endless'), false);
  await noBuildRuns();
});

for (const victim of ['control', 'agent', 'the command'] as const) {
  test(`a build in whose middle ${victim} is killed leaves nothing and makes no version`, { skip }, async () => {
    const path = await project('cut', { needs: [packages.endless], manifest: allowed });
    const ended = await deploy(path, (child) => {
      // Once: the error at the end has the script's last words, too.
      const look = (chunk: Buffer) => {
        if (!chunk.includes(begun)) return;
        child.stderr?.off('data', look);
        if (victim === 'the command') child.kill('SIGKILL');
        else process.kill(roleOf(e2e.platform.pid, victim), 'SIGKILL');
      };
      child.stderr?.on('data', look);
    });
    assert.notEqual(ended.code, 0);
    if (victim !== 'the command') assert.match(ended.stderr, /deploy again[^]*\(Unavailable/);
    await eventually(
      () =>
        fetch(`${e2e.platform.apiUrl}/healthz`).then(
          ({ status }) => status,
          () => 0,
        ),
      (status) => status === 200,
      backWithinMs,
    );
    await noBuildRuns();
    assert.equal(await serves('cut'), false);
  });
}

test('local builds stay possible, without install scripts', { skip }, async () => {
  const path = await project('local', { needs: [packages.looking], manifest: allowed });
  const { code, stderr } = await deploy(path, undefined, '--build', 'local');
  assert.equal(code, 2);
  assert.match(stderr, /install scripts are run in a sandbox of the platform and nowhere else; leave --build local away/);
});

/** Waits until no program of a build runs on this platform. */
async function noBuildRuns(): Promise<void> {
  const isBuild = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(begun) || childrenOf(pid).some(isBuild);
    } catch {
      return false;
    }
  };
  await eventually(
    () => isBuild(e2e.platform.pid),
    (runs) => !runs,
  );
}

/** A function in Python that tells what its packages say. */
async function pythonProject(name: string, module: string, files: Record<string, string>, manifest = ''): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, 'wheels'), { recursive: true });
  const all = {
    'main.py': `import os, ${module}\ndef handler(event, context):\n    cached = os.path.exists(os.path.dirname(${module}.__file__) + "/__pycache__")\n    return [${module}.answer(), cached, os.path.exists("wheels")]\n`,
    'swiftlet.yaml': `functions:\n  ${name}:\n    runtime: python3\n    handler: main.handler\n${manifest}`,
    ...files,
  };
  for (const [file, text] of Object.entries(all)) await writeFile(join(path, file), text);
  return path;
}

test('packages for Python are installed on the platform by requirements or a project, compiled; again they are there already', {
  skip,
}, async () => {
  const requirements = await pythonProject('py-requirements', 'tiny_thing', {
    'requirements.txt': '-r more.in\n',
    'more.in': 'tiny_thing==1.0',
  });
  await rm(join(requirements, 'wheels'), { recursive: true });
  const first = await deploy(requirements);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /installing by python3/);
  assert.deepEqual((await e2e.call('/py-requirements/')).json, ['from a wheel', true, false]);
  const second = await deploy(requirements);
  assert.match(second.stderr, /what it asks for is installed already/);
  // Offline: from the wheels beside the code, and from nowhere else.
  const before = outside.heard.length;
  const offline = await pythonProject('py-offline', 'only_here', { 'pyproject.toml': '[project]\ndependencies = ["only-here>=1"]\n' });
  writePackage('wheel', 'only_here', join(offline, 'wheels'));
  const third = await deploy(offline);
  assert.equal(third.code, 0, third.stderr);
  assert.deepEqual((await e2e.call('/py-offline/')).json, ['from a wheel', true, false]);
  assert.equal(outside.heard.length, before);
});

test('a package for Python without a wheel is built on the platform if the manifest allows it, and else refused with that remedy', {
  skip,
}, async () => {
  const asks = { 'requirements.txt': 'from_source\n' };
  const path = await pythonProject('py-source', 'from_source', asks);
  await rm(join(path, 'wheels'), { recursive: true });
  const refused = await deploy(path);
  assert.notEqual(refused.code, 0);
  assert.match(
    refused.stderr,
    /pip ended with 1: the index has no such version for this Python, or has no wheel of it; "build: \{ scripts: allow \}"/,
  );
  assert.equal(await serves('py-source'), false);
  await pythonProject('py-source', 'from_source', asks, allowed);
  await rm(join(path, 'wheels'), { recursive: true });
  const built = await deploy(path);
  assert.equal(built.code, 0, built.stderr);
  assert.deepEqual((await e2e.call('/py-source/')).json, ['from a source', true, false]);
});
