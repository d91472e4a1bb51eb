/** Packages for Python: what asks for them, and what a deploy makes of it with the system's pip, from wheels that lie beside the code. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { buildFunction } from '../../src/build/build.ts';
import { findPython } from '../../src/build/find-python.ts';
import { planFolder } from '../../src/build/plan.ts';
import { projectRequirements } from '../../src/build/project-requirements.ts';
import { lineOf, readRequirements } from '../../src/build/requirements.ts';
import { folderOf } from './folder-of.ts';
import { writePackage } from './python-package.ts';

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-pip-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function build(folder: string, cache: string) {
  const [planned] = await planFolder(folder);
  assert.ok(planned);
  assert.equal(planned.config.runtime, 'python3');
  return buildFunction(planned, { cache, signal: new AbortController().signal });
}

test('packages are installed once, compiled, from wheels beside the code and from nowhere else', async (t) => {
  const cache = temporary(t);
  await using folder = await folderOf({
    'main.py': 'import tiny_thing\n',
    '__pycache__/main.cpython-311.pyc': 'somebody’s own',
    '.venv/pyvenv.cfg': '',
    'site-packages/old/__init__.py': '',
    'requirements.txt': '-r more/needs.txt\n',
    'more/needs.txt': 'tiny_thing==1.0\n',
  });
  mkdirSync(join(folder.path, 'wheels'));
  writePackage('wheel', 'tiny_thing', join(folder.path, 'wheels'));
  const first = await build(folder.path, cache);
  const compiled = first.files.filter((name) => name.endsWith('.pyc'));
  assert.equal(compiled.length, 1, first.files.join(' '));
  assert.match(compiled[0] ?? '', /^site-packages\/tiny_thing\/__pycache__\/__init__\.cpython-\d+\.pyc$/);
  assert.deepEqual(
    first.files.filter((name) => !name.startsWith('site-packages/tiny_thing')),
    ['main.py', 'more/needs.txt', 'requirements.txt'],
  );
  assert.equal(readdirSync(cache).length, 1);
  // Kept, and made anew: the same bundle, to the byte.
  assert.equal((await build(folder.path, cache)).digest, first.digest);
  assert.equal((await build(folder.path, temporary(t))).digest, first.digest);
});

test('a package that is not there is refused with its place', async (t) => {
  await using folder = await folderOf({ 'app.py': '', 'requirements.txt': '# none\nNo_Such.Thing>=1\n', 'wheels/none.txt': '' });
  await assert.rejects(build(folder.path, temporary(t)), {
    code: 'ManifestInvalid',
    place: join(folder.path, 'requirements.txt:2'),
    message: /No matching distribution found for No_Such\.Thing>=1.* a package that has none is built with a line "--no-binary NAME"/,
  });
});

test('without requirements, or told to install nothing, the folder goes as it is', async (t) => {
  const cache = temporary(t);
  for (const files of [
    { 'index.py': '', 'site-packages/own.py': '', 'pyproject.toml': '[tool.black]\nline-length = 100\n' },
    {
      'index.py': '',
      'site-packages/own.py': '',
      'requirements.txt': 'x',
      'swiftlet.yaml': 'functions: { a: { build: { install: never } } }',
    },
  ]) {
    await using folder = await folderOf(files);
    assert.ok((await build(folder.path, cache)).files.includes('site-packages/own.py'));
  }
});

test('a project’s dependencies are its requirements; a mistake is told with its place', async () => {
  await using folder = await folderOf({
    'good.toml': '[project]\nname = "a"\ndependencies = ["flask>=3", "tiny"]\n',
    'none.toml': '[project]\nname = "a"\n',
    'wrong.toml': '[project]\ndependencies = "flask"\n',
    'torn.toml': '[project]\ndependencies = no\n',
  });
  const read = (name: string) => projectRequirements('/usr/bin/python3', join(folder.path, name), new AbortController().signal);
  assert.deepEqual(await read('good.toml'), ['flask>=3', 'tiny']);
  assert.deepEqual(await read('none.toml'), []);
  await assert.rejects(read('wrong.toml'), { message: /wrong\.toml: project\.dependencies: .*list of texts/ });
  await assert.rejects(read('torn.toml'), { message: /torn\.toml:2:\d+: Invalid value$/ });
});

test('requirements are read with what they refer to, and found by any spelling of a name', async () => {
  await using folder = await folderOf({ 'requirements.txt': 'a\n-c pins.txt\n', 'pins.txt': 'a==1\n-r requirements.txt\n' });
  assert.match(await readRequirements(folder.path, 'requirements.txt'), /^a\n-c pins\.txt\n\na==1\n/);
  assert.equal(lineOf('# x\nFlask_Login[a]>=1\n', 'flask-login'), 2);
  assert.equal(lineOf('flask\n', 'flask-login'), undefined);
});

test('the interpreter is the host’s, unless another one is named', () => {
  assert.equal(findPython({ SWIFTLET_PYTHON: '/opt/python' }), '/opt/python');
  assert.match(findPython({}) ?? '', /^\/usr\/(?:local\/)?bin\/python3$/);
});
