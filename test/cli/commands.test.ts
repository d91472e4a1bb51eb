/** A function's life by the command line, against a platform that only pretends. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { fakeEventId, fakeRequestId, sendJson, sendProblem } from './fake-platform.ts';
import { runSwiftlet } from './run-swiftlet.ts';
import { unplaced } from './fake-platform.ts';

let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
});
after(() => cli[Symbol.asyncDispose]());

const record = (message: string): string =>
  `${JSON.stringify({ time: '2026-01-01T00:00:00.000Z', level: 'info', tenant: 'default', function: 'hello', message })}\n`;

test('init makes a folder from a template, with what was asked for in it', async () => {
  const { code, stdout } = await cli.swiftlet('init', 'hello');
  assert.equal(code, 0);
  assert.match(stdout, /Made .*hello from the template "hello"\.\nPublish it: {2}swiftlet deploy hello\n/);
  assert.ok((await readdir(join(cli.folder, 'hello'))).includes('index.ts'));
  assert.equal((await cli.swiftlet('init', 'other', '--template', 'markdown', '--json')).code, 0);
  assert.ok(!(await readdir(join(cli.folder, 'other'))).includes('node_modules'));
});

test('init touches nothing that is there', async () => {
  await mkdir(join(cli.folder, 'mine'));
  await writeFile(join(cli.folder, 'mine', 'index.ts'), 'mine');
  const { code, stderr } = await cli.swiftlet('init', 'mine');
  assert.equal(code, 2);
  assert.match(stderr, /mine is there already and is not empty/);
  assert.equal(await readFile(join(cli.folder, 'mine', 'index.ts'), 'utf8'), 'mine');
  assert.equal((await cli.swiftlet('init', 'mine/index.ts')).code, 2);
});

test('deploy uploads a bundle once, and prints where the function is', async () => {
  const first = await cli.swiftlet('deploy', 'hello');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /FUNCTION +VERSION +SIZE +URL/);
  assert.match(first.stdout, /hello +version 1 +\d+ KiB +http:\/\/127\.0\.0\.1:\d+\/hello\//);
  assert.match(first.stdout, /try it: curl http:\/\/127\.0\.0\.1:\d+\/hello\/$/m);
  const second = await cli.swiftlet('deploy', 'hello', '--json');
  assert.equal((JSON.parse(second.stdout) as { created: boolean }[])[0]?.created, false);
  assert.equal(cli.platform.asked.filter((asked) => asked.startsWith('PUT /v1/artifacts/')).length, 1);
});

test('deploy says when what it published is not served yet', async () => {
  const folder = join(cli.folder, unplaced);
  await mkdir(folder);
  await writeFile(join(folder, 'index.mjs'), 'export const handler = () => 1;');
  const { code, stderr } = await cli.swiftlet('deploy', unplaced);
  assert.equal(code, 0);
  assert.match(stderr, /unplaced is published and not served yet/);
});

test('deploy of a function that asks for a token shows how to send one', async () => {
  const folder = join(cli.folder, 'closed');
  await mkdir(folder);
  await writeFile(join(folder, 'index.mjs'), 'export const handler = () => 1;');
  await writeFile(join(folder, 'swiftlet.yaml'), 'functions: { closed: { url: token } }');
  const { stdout, stderr } = await cli.swiftlet('deploy', 'closed');
  assert.match(stdout, /try it: curl -H "authorization: Bearer \$(?:SWIFTLET_TOKEN|\(cat .*\))" http/, stderr);
});

test('deploy reads serverless.yml, and says on stderr what it does not take over, to machines as well', async () => {
  const folder = join(cli.folder, 'foreign');
  await mkdir(folder);
  await writeFile(join(folder, 'a.js'), 'exports.f = async () => 1;');
  await writeFile(
    join(folder, 'serverless.yml'),
    'service: foreign\nprovider: { name: aws }\nfunctions: { f: { handler: a.f, layers: [a], events: [{ sqs: b }] } }\n',
  );
  const { code, stdout, stderr } = await cli.swiftlet('deploy', 'foreign', '--stage', 'prod', '--json');
  assert.deepEqual([code, (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)], [0, ['foreign-prod-f']]);
  assert.match(stderr, /^not taken over: serverless\.yml:3:\d+: functions\.f\.layers\.0: it names no version of a layer/m);
  assert.match(stderr, /^not taken over: .*functions\.f\.events\.0\.sqs: /m);
  const wrong = await cli.swiftlet('deploy', 'foreign', '--json', '--stage', '');
  assert.equal(wrong.code, 2);
});

test('deploy, list and invoke work on a whole service', async () => {
  const shop = join(cli.folder, 'shop');
  await mkdir(join(shop, 'one'), { recursive: true });
  await writeFile(join(shop, 'index.mjs'), 'export const handler = () => 1;');
  await writeFile(join(shop, 'one', 'index.mjs'), 'export const handler = () => 2;');
  await writeFile(join(shop, 'swiftlet.yaml'), 'functions:\n  two: { memory: 256 }\n  one:\n  three:\n  four:\n  five:\n');
  const { code, stdout, stderr } = await cli.swiftlet('deploy', 'shop', '--json');
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name),
    ['five', 'four', 'one', 'three', 'two'],
  );
  const listed = await cli.swiftlet('list');
  assert.match(listed.stdout, /two +1 +nodejs26 +256 MiB/);
  assert.match((await cli.swiftlet('list', '--json')).stdout, /^\[/);
});

test('a function that fails keeps no other back, and is told', async () => {
  cli.platform.answer('PUT /v1/functions/one', (response) => sendProblem(response, 'StorageFull', 'the disk is full'));
  await writeFile(join(cli.folder, 'shop', 'one', 'index.mjs'), 'export const handler = () => 3;');
  const { code, stdout, stderr } = await cli.swiftlet('deploy', 'shop');
  assert.equal(code, 1);
  assert.match(stdout, /five +version 2 [^]*two +version 2 /);
  assert.doesNotMatch(stdout, /\bone\b/);
  assert.match(stderr, /^error one: the disk is full \(StorageFull/);
});

test('invoke prints the answer; --verbose the facts of the request on standard error', async () => {
  const plain = await cli.swiftlet('invoke', 'hello', '--data', '{"name":"Ada"}');
  assert.deepEqual(plain, { code: 0, stdout: '{"event":{"name":"Ada"}}\n', stderr: '' });
  await writeFile(join(cli.folder, 'event.json'), '{"from":"a file"}');
  assert.equal((await cli.swiftlet('invoke', 'hello', '-d', '@event.json')).stdout, '{"event":{"from":"a file"}}\n');
  const piped = await runSwiftlet(['invoke', 'hello', '-d', '-', '-v', '--json'], cli.environment, { input: '[1]' });
  assert.equal(piped.stdout, '{"event":[1]}\n');
  assert.match(
    piped.stderr,
    new RegExp(`^x-swiftlet-request-id: ${fakeRequestId}\nx-swiftlet-version: 1\nx-swiftlet-start: cold\nserver-timing: handler;dur=1\n$`),
  );
});

test('invoke --async prints the id of the event, and event what became of it', async () => {
  assert.deepEqual(await cli.swiftlet('invoke', 'hello', '--async'), { code: 0, stdout: `${fakeEventId}\n`, stderr: '' });
  const asJson = await cli.swiftlet('invoke', 'hello', '--async', '--json');
  assert.deepEqual(JSON.parse(asJson.stdout), { id: fakeEventId, statusUrl: `/_/events/${fakeEventId}` });
  const { code, stdout } = await cli.swiftlet('event', fakeEventId);
  assert.equal(code, 0);
  assert.match(stdout, /state +dead-lettered \(no attempt is left\)[^]*attempts +3[^]*error +HandlerError: Error: \\e\[2Jboom/);
});

test('dlq: list, show without secrets and control characters, redrive, purge', async () => {
  assert.match((await cli.swiftlet('dlq', 'list')).stdout, new RegExp(`${fakeEventId} +hello +2026-01-01T00:03:00.000Z +3 +HandlerError`));
  const shown = await cli.swiftlet('dlq', 'show', fakeEventId);
  assert.match(shown.stdout, /POST \/orders\?x=1\nhost: x\nauthorization: \*\*\*\n\n\{"n":1\}\n$/);
  assert.equal((await cli.swiftlet('dlq', 'redrive', fakeEventId)).stdout, '1 dead letter is delivered anew.\n');
  assert.equal((await cli.swiftlet('dlq', 'redrive', '--function', 'hello')).stdout, '2 dead letters are delivered anew.\n');
  assert.equal((await cli.swiftlet('dlq', 'purge', '--all')).stdout, '5 dead letters are removed.\n');
});

test('a function that throws: exit code 1, with the request to look for in the log', async () => {
  cli.platform.answer('POST /_/invoke/hello', (response) => sendProblem(response, 'HandlerError', 'TypeError: x is not a function'));
  const { code, stdout, stderr } = await cli.swiftlet('invoke', 'hello');
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.equal(stderr, `error TypeError: x is not a function (HandlerError, request ${fakeRequestId})\n`);
});

test('describe and versions', async () => {
  assert.match((await cli.swiftlet('describe', 'hello')).stdout, /memoryMiB +128[^]*No instances: the next request starts one\./);
  assert.match((await cli.swiftlet('versions', 'hello')).stdout, /^1 +serves +[0-9a-f]{12} /m);
  const [newest] = JSON.parse((await cli.swiftlet('versions', 'hello', '--json')).stdout) as { number: number }[];
  assert.equal(newest?.number, 1);
});

test('logs: control characters are shown, not sent; with --json records go as they are', async () => {
  const message = '\u001b[2J\u001b]0;owned\u0007ok\u2028';
  const answer = () =>
    cli.platform.answer('GET /v1/functions/hello/logs', (response) => response.end(`${record('first')}\n${record(message)}`));
  answer();
  const { code, stdout, stderr } = await cli.swiftlet('logs', 'hello', '-n', '5');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^2026-01-01T00:00:00\.000Z info +- +first\n/);
  assert.match(stdout, /\\e\[2J\\e\]0;owned\\u0007ok\\u2028\n$/);
  assert.ok(!stdout.includes('\u001b'));
  answer();
  assert.equal((await cli.swiftlet('logs', 'hello', '--json')).stdout, record('first') + record(message));
});

test('logs -f goes on until Ctrl-C, which is no failure; a platform that goes away is one', async () => {
  cli.platform.answer('GET /v1/functions/hello/logs', (response) => response.write(record('followed')));
  const followed = await runSwiftlet(['logs', 'hello', '-f'], cli.environment, {
    started: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
  });
  assert.equal(followed.code, 0);
  assert.match(followed.stdout, /followed\n$/);
  cli.platform.answer('GET /v1/functions/hello/logs', (response) => response.write(record('last words'), () => response.destroy()));
  const broken = await cli.swiftlet('logs', 'hello', '-f');
  assert.equal(broken.code, 4);
  assert.match(broken.stderr, /the log broke off/);
});

test('an answer that this version does not know is told as such', async () => {
  cli.platform.answer('GET /v1/functions', (response) => sendJson(response, { something: 'else' }));
  const { code, stderr } = await cli.swiftlet('list');
  assert.equal(code, 1);
  assert.match(stderr, /answers GET \/v1\/functions.* otherwise than this version knows/);
  cli.platform.answer('GET /v1/functions', (response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
  assert.match((await cli.swiftlet('list')).stderr, /answered 502: <h1>Bad Gateway<\/h1>/);
});

test('remove', async () => {
  assert.match((await cli.swiftlet('remove', 'five')).stdout, /^five is removed/);
  assert.equal((await cli.swiftlet('describe', 'five')).code, 3);
});
