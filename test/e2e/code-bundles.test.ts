/** Code that is made one file when it is published. Needs root, as full isolation does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inspectImages } from '../../src/agent/linux/images.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import type { SizeAdvice } from '../../src/model/size.ts';
import { needsRoot } from './needs.ts';
import { roleOf } from './role-processes.ts';
import { runSwiftlet } from '../cli/run-swiftlet.ts';

const skip = needsRoot;
const noImages =
  inspectImages().every(({ missing }) => missing !== undefined) && 'needs loop devices, and what makes images of file systems';
let e2e: E2e;
before(async () => {
  if (skip === false) e2e = await openE2e({ environment: { HUSH: 'do-not-tell' } });
});
after(async () => {
  if (skip === false) await e2e[Symbol.asyncDispose]();
});

/** What the platform says of a function. */
async function described(name: string): Promise<{ readonly bundle?: unknown; readonly sizeAdvice?: SizeAdvice }> {
  const response = await fetch(`${e2e.platform.apiUrl}/v1/functions/${name}`, {
    headers: { authorization: `Bearer ${e2e.platform.token}` },
  });
  return (await response.json()) as { bundle?: unknown; sizeAdvice?: SizeAdvice };
}

/** What became of its code. */
const bundleOf = async (name: string): Promise<unknown> => (await described(name)).bundle;

const dependency = { 'node_modules/dep/package.json': '{"name":"dep","main":"lib/index.js"}' };

test('code with dependencies starts as one file; its modules find themselves and their files where they lie', { skip }, async () => {
  await e2e.publish(
    'whole',
    {
      ...dependency,
      'node_modules/dep/lib/index.js':
        "const { readFileSync } = require('node:fs');\nconst name = ['./late', 'r'].join('');\nmodule.exports = { __esModule: false, here: __dirname, file: __filename, text: readFileSync(__dirname + '/text.txt', 'utf8'), later: () => require(require('node:path').join(__dirname, 'later.js')) };",
      'node_modules/dep/lib/later.js': 'module.exports = "later";',
      'node_modules/dep/lib/text.txt': 'its text',
      'sub/other.mjs': 'export class Own {}\nexport const url = import.meta.url;',
      'index.mjs': `import dep from 'dep';
import { Own, url } from './sub/other.mjs';
import { readdirSync } from 'node:fs';
const { here, file, text, later } = dep;
export const handler = () => ({ here, file, text, later: later(), url, own: new Own().constructor.name, main: import.meta.dirname, set: process.env.SET, hush: process.env.HUSH ?? null, made: readdirSync('/var/task/.swiftlet').length, stack: new Error().stack.split('\\n')[1] });`,
    },
    { environment: { SET: 'yes' } },
  );
  assert.deepEqual(await bundleOf('whole'), { kind: 'bundled' });
  const { json } = await e2e.call('/whole/');
  const { stack, ...found } = json;
  assert.deepEqual(found, {
    here: '/var/task/node_modules/dep/lib',
    file: '/var/task/node_modules/dep/lib/index.js',
    text: 'its text',
    later: 'later',
    url: 'file:///var/task/sub/other.mjs',
    own: 'Own',
    main: '/var/task',
    set: 'yes',
    hush: null,
    made: 1,
  });
  assert.match(String(stack), /at .*\/var\/task\/index\.mjs:5:/, 'its own line');
});

test('what goes wrong is told by the lines of the source', { skip }, async () => {
  await e2e.publish('wrong', {
    ...dependency,
    'node_modules/dep/lib/index.js': '\n\nexports.fail = () => {\n  throw new TypeError("it fails");\n};',
    'index.ts': "import dep from 'dep';\ninterface Unused {\n  a: string;\n}\nexport const handler = (event: Unused) => dep.fail(event);",
  });
  assert.deepEqual(await bundleOf('wrong'), { kind: 'bundled' });
  assert.equal((await e2e.call('/wrong/')).status, 502);
  const records = await eventually(
    () => e2e.log('wrong'),
    (seen) => seen.some(({ message }) => String(message).includes('it fails')),
  );
  const text = JSON.stringify(records);
  assert.match(text, /\/var\/task\/node_modules\/dep\/lib\/index\.js:4:/);
  assert.match(text, /\/var\/task\/index\.ts:5:/);
});

test('what cannot be bundled starts as it is, and says why', { skip }, async () => {
  const plain = 'export const handler = () => "answered";';
  const cases: readonly (readonly [name: string, files: Record<string, string>, why: RegExp])[] = [
    [
      'native',
      {
        'node_modules/dep/lib/index.js': "try { require('./addon.node'); } catch {}",
        'node_modules/dep/lib/addon.node': 'elf',
        'index.mjs': `import 'dep'; ${plain}`,
      },
      /addon\.node|\.node/,
    ],
    [
      'computed',
      { 'node_modules/dep/lib/index.js': '', 'index.cjs': "const name = 'dep'; require(name);\nexports.handler = () => 'answered';" },
      /require.*\(index\.cjs:1\)/,
    ],
    ['waiting', { 'node_modules/dep/lib/index.js': '', 'index.mjs': `await 1; ${plain}` }, /[Tt]op-level await/],
    [
      'ending',
      {
        'node_modules/dep/lib/index.js': '',
        'index.cjs':
          "if (new Error().stack.includes('bundle.cjs')) process.exit(0);\nif (require('node:path').basename(module.filename ?? 'none') === 'none') throw new Error('it looks');\nexports.handler = () => 'answered';",
      },
      /as one file it does not load: Error: it looks/,
    ],
  ];
  for (const [name, files, why] of cases) {
    await e2e.publish(name, { ...dependency, ...files });
    const bundle = (await bundleOf(name)) as { kind: string; why: string };
    assert.equal(bundle.kind, 'plain', name);
    assert.match(bundle.why, why, name);
    assert.equal((await e2e.call(`/${name}/`)).text, '"answered"', name);
    assert.ok(
      (await e2e.log(name)).some(({ message }) => String(message).includes('is not bundled and starts as it is')),
      name,
    );
  }
});

test('it is not tried where there is nothing to gain, or the function does not want it; types are taken out ahead', { skip }, async () => {
  const index = { 'index.mjs': 'export const handler = () => "answered";' };
  await e2e.publish('small', index);
  assert.deepEqual(await bundleOf('small'), { kind: 'plain', why: '' });
  const files = { ...dependency, 'node_modules/dep/lib/index.js': '', ...index };
  await e2e.publish('wanted', files);
  assert.deepEqual(await bundleOf('wanted'), { kind: 'bundled' });
  await e2e.publish('unwanted', files, { bundle: 'never' });
  assert.deepEqual(await bundleOf('unwanted'), { kind: 'plain', why: '' }, 'although another version of the same code is');
  await e2e.publish('typed', { 'index.ts': 'export const handler = (event: unknown): string => typeof event;' });
  assert.deepEqual(await bundleOf('typed'), { kind: 'bundled' });
  assert.equal((await e2e.call('/typed/')).text, '"object"');
});

test('what is large, what nothing imports, and what other functions have, too, is told where it is worth a word', { skip }, async () => {
  const large = 'x'.repeat(2 * 1024 * 1024);
  const files = {
    ...dependency,
    'node_modules/dep/lib/index.js': `module.exports = 'dep'; //${large}`,
    'node_modules/left/index.js': `//${large}`,
    'node_modules/left/index.js.map': 'x'.repeat(20_000),
    'index.mjs': "import dep from 'dep'; export const handler = () => dep;",
  };
  await e2e.publish('first', files);
  await e2e.publish('second', { ...files, 'more.txt': '' });
  const { sizeAdvice } = await described('second');
  assert.ok(sizeAdvice);
  const isOfBoth = { functions: ['first', 'second'], copies: 2 };
  assert.deepEqual(
    sizeAdvice.largest.map(({ path }) => path),
    ['node_modules/left', 'node_modules/dep'],
  );
  assert.deepEqual(
    sizeAdvice.unused.map(({ why, paths }) => [why, paths]),
    [
      ['not imported', ['node_modules/left']],
      ['source maps', ['node_modules/left']],
    ],
  );
  assert.deepEqual(
    sizeAdvice.shared.map(({ path, functions, copies }) => ({ path, functions, copies })),
    [
      { path: 'node_modules/left', ...isOfBoth },
      { path: 'node_modules/dep', ...isOfBoth },
    ],
  );
  const { apiUrl, token, home } = e2e.platform;
  const { stdout } = await runSwiftlet(['describe', 'second'], { SWIFTLET_API_URL: apiUrl, SWIFTLET_TOKEN: token, SWIFTLET_HOME: home });
  assert.match(stdout, /size +2\.0 MiB of it seems unused: 2\.0 MiB not imported \(left\)/);
  assert.match(stdout, /size +the same 4\.0 MiB \(left, dep\) are in 2 functions: a layer would have them once; code on layers/);
  await e2e.publish('hello', 'export const handler = () => "hello";');
  assert.deepEqual((await described('hello')).sizeAdvice, { bytes: 37, files: 1, largest: [], unused: [], shared: [] });
});

test('code that is an image on its host is read from there, bundled and after a kill of the agent too, and leaves nothing', {
  skip: skip || noImages,
}, async () => {
  const files = {
    ...dependency,
    'node_modules/dep/lib/index.js': 'module.exports = __dirname;',
    'index.mjs':
      "import dep from 'dep';\nimport { readFileSync } from 'node:fs';\nexport const handler = () => ({ dep, text: readFileSync(import.meta.dirname + '/text.txt', 'utf8'), kind: /\\/var\\/task [^\\n]* - (\\w+)/.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1] });",
    'text.txt': 'its text',
  };
  const code = join(e2e.platform.home, 'agent', 'code', 'default');
  const mounts = () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(` ${code}/`)).length;
  await e2e.publish('imaged', files, { format: 'squashfs', process: 'one-shot' });
  assert.deepEqual(await bundleOf('imaged'), { kind: 'bundled' });
  const found = { dep: '/var/task/node_modules/dep/lib', text: 'its text', kind: 'squashfs' };
  assert.deepEqual((await e2e.call('/imaged/')).json, found);
  assert.equal(mounts(), 2, 'the image, and what was made of it');
  process.kill(roleOf(e2e.platform.pid, 'agent'), 'SIGKILL');
  assert.deepEqual((await e2e.call('/imaged/')).json, found);
  assert.equal(mounts(), 2);
  await e2e.platform.api.remove('imaged');
  // What is needed no more is looked for when something else changes.
  const lookAgain = async () => {
    await e2e.publish('other', `export const handler = () => ${Math.random()};`);
    return mounts();
  };
  await eventually(lookAgain, (left) => left === 0);
});

test('Google’s functions framework is the platform’s own in one file, too', { skip }, async () => {
  const code = `import { http, type Request } from '@google-cloud/functions-framework';
import dep from 'dep';
http('greet', (req: { query: { name: string } }, res: { send(text: string): void }) => res.send(\`\${dep} \${req.query.name}\`));`;
  const files = { ...dependency, 'node_modules/dep/lib/index.js': "module.exports = 'Hello';", 'index.ts': code };
  await e2e.publish('framework', files, { handler: 'index.greet', form: 'google-cloud-http' });
  assert.deepEqual(await bundleOf('framework'), { kind: 'bundled' });
  assert.equal((await e2e.call('/framework/?name=Ada')).text, 'Hello Ada');
});
