/** The command line, as a user has it, against a real platform. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type E2e, openE2e } from './functions.ts';

const main = join(packageFolder, 'src', 'cli', 'main.ts');
let e2e: E2e;
let folder: string;
before(async () => {
  e2e = await openE2e();
  folder = mkdtempSync(join(tmpdir(), 'swiftlet-cli-'));
});
after(async () => {
  rmSync(folder, { recursive: true });
  await e2e[Symbol.asyncDispose]();
});

const environment = () => ({ ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' });
function swiftlet(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { env: environment(), encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('init, deploy, invoke, list, describe, versions, remove', () => {
  const hello = join(folder, 'hello');
  assert.equal(swiftlet('init', hello).status, 0);
  const deployed = swiftlet('deploy', hello);
  assert.equal(deployed.status, 0, deployed.stderr);
  assert.match(deployed.stdout, /hello\s+version 1\s/);
  assert.match(swiftlet('deploy', hello).stdout, /version 1 \(unchanged\)/);
  assert.match(swiftlet('invoke', 'hello', '--data', '{"name":"cli"}').stdout, /cli/);
  assert.match(swiftlet('list').stdout, /hello\s+1\s+nodejs26/);
  assert.match(swiftlet('describe', 'hello').stdout, /leased|idle/);
  const [version] = JSON.parse(swiftlet('versions', 'hello', '--json').stdout) as { number: number }[];
  assert.equal(version?.number, 1);
  assert.equal(swiftlet('remove', 'hello').status, 0);
  assert.equal(swiftlet('describe', 'hello').status, 3);
});

test('one wrong input at each step: the mistake, the remedy, the exit code', () => {
  const cases: [args: string[], status: number, message: RegExp][] = [
    [['deplyo'], 2, /did you mean "deploy"/],
    [['deploy', join(folder, 'nowhere')], 3, /there is no folder/],
    [['deploy', bad('empty', {})], 2, /looked for index\.ts/],
    [
      ['deploy', bad('node24', { 'swiftlet.yaml': 'functions:\n  a: { runtime: node24 }\n', 'index.mjs': '' })],
      2,
      /unknown runtime "node24"; did you mean "nodejs24"\?/,
    ],
    [['deploy', bad('nohandler', { 'swiftlet.yaml': 'functions:\n  a: { handler: nothing.run }\n', 'index.mjs': '' })], 2, /nothing/],
    [['invoke', 'nobody'], 3, /no function "nobody"/],
    [['invoke', 'nobody', '--data', '{oops'], 2, /--data is no JSON/],
    [['invoke', 'nobody', '--async'], 3, /there is no function "nobody"/],
    [['logs', 'nobody'], 3, /nobody/],
    [['remove', 'nobody'], 3, /nobody/],
    [['init', join(folder, 'x'), '--template', 'helo'], 2, /did you mean "hello"/],
  ];
  for (const [args, status, message] of cases) {
    const answer = swiftlet(...args);
    assert.equal(answer.status, status, `${args.join(' ')}: ${answer.stderr}`);
    assert.match(answer.stderr, message);
  }
});

test('--json gives errors as problem details', () => {
  const { status, stderr } = swiftlet('describe', 'nobody', '--json');
  assert.equal(status, 3);
  assert.equal((JSON.parse(stderr) as { code: string }).code, 'FunctionNotFound');
});

test('without a platform: exit code 4, and how to start one', () => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'list'], {
    env: { ...environment(), SWIFTLET_API_URL: 'http://127.0.0.1:9' },
    encoding: 'utf8',
  });
  assert.equal(status, 4);
  assert.match(stderr, /swiftlet up/);
});

test('logs -f follows', async () => {
  await e2e.publish('talker', 'export const handler = (e) => { console.log("said " + e.rawPath); return 1; };');
  await e2e.call('/talker/first');
  const follower = spawn(process.execPath, [main, 'logs', 'talker', '-f'], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let text = '';
    const heard = (what: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (text.includes(what)) resolve();
        };
        follower.stdout.on('data', look);
        look();
      });
    follower.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await heard('said /first');
    for (const line of ['second', 'third']) await Promise.all([e2e.call(`/talker/${line}`), heard(`said /${line}`)]);
  } finally {
    follower.kill('SIGINT');
    await once(follower, 'exit');
  }
});

test('completion is printed for shells', () => {
  for (const shell of ['bash', 'zsh', 'fish']) assert.match(swiftlet('completion', shell).stdout, /swiftlet/);
});

function bad(name: string, files: Record<string, string>): string {
  mkdirSync(join(folder, name));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, name, path), text);
  return join(folder, name);
}
