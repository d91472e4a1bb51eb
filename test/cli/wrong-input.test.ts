/** One wrong input at each step: the mistake, the remedy, the exit code; the same as problem details with --json. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { runSwiftlet } from './run-swiftlet.ts';

let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
  for (const folder of ['hello', 'empty', 'node24']) await mkdir(join(cli.folder, folder));
  await writeFile(join(cli.folder, 'hello', 'index.mjs'), 'export const handler = () => 1;');
  await writeFile(join(cli.folder, 'node24', 'swiftlet.yaml'), 'functions:\n  a:\n    runtime: node24\n');
  await cli.swiftlet('deploy', 'hello');
});
after(() => cli[Symbol.asyncDispose]());

const rows: readonly (readonly [args: string[], code: number, problem: string, message: RegExp])[] = [
  [[], 2, 'BadRequest', /no command was given/],
  [['deplyo'], 2, 'BadRequest', /unknown command 'deplyo'; did you mean "deploy"\?/],
  [['list', '--jsno'], 2, 'BadRequest', /unknown option '--jsno'; did you mean "--json"\?/],
  [['invoke'], 2, 'BadRequest', /missing required argument 'function'/],
  [['list', 'too', 'much'], 2, 'BadRequest', /too many arguments/],
  [['logs', 'hello', '-n', '1e9'], 2, 'BadRequest', /'1e9' is invalid\. It is a whole number from 0 to 10000/],
  [['init', 'x', '--template', 'helo'], 2, 'BadRequest', /unknown template "helo"; did you mean "hello"\?/],
  [['deploy', 'nowhere'], 3, 'NotFound', /there is no folder .*nowhere/],
  [['deploy', 'empty'], 2, 'HandlerNotFound', /looked for index\.ts, index\.mts/],
  [['deploy', 'node24'], 2, 'RuntimeUnknown', /swiftlet\.yaml:3:14: unknown runtime "node24"; did you mean "nodejs24"\?/],
  [['invoke', 'helo'], 3, 'FunctionNotFound', /there is no function "helo"; did you mean "hello"\?/],
  [['logs', 'helo'], 3, 'FunctionNotFound', /did you mean "hello"\?/],
  [['describe', 'zzzzzzzzz'], 3, 'FunctionNotFound', /there is no function "zzzzzzzzz"; "swiftlet list" shows those there are/],
  [['versions', 'helo'], 3, 'FunctionNotFound', /did you mean "hello"\?/],
  [['remove', 'helo'], 3, 'FunctionNotFound', /did you mean "hello"\?/],
  [['invoke', 'hello', '-d', '{oops'], 2, 'BadRequest', /--data is no JSON: .*quote it like '\{"name":"you"\}'/],
  [['invoke', 'hello', '-d', '@nowhere.json'], 2, 'BadRequest', /--data \(nowhere\.json\) cannot be read: ENOENT/],
  [['invoke', 'helo', '--async'], 3, 'FunctionNotFound', /there is no function "helo"; did you mean "hello"\?/],
  [['event', 'unknown'], 3, 'EventNotFound', /there is no event unknown/],
  [['dlq', 'show', 'unknown'], 3, 'EventNotFound', /there is no event unknown/],
  [['dlq', 'redrive'], 2, 'BadRequest', /say which dead letters: their ids, --function <name>, or --all/],
  [['dlq', 'purge', 'some', '--all'], 2, 'BadRequest', /say which dead letters: .*one of these/],
  [['dlq', 'lst'], 2, 'BadRequest', /unknown command 'lst'; did you mean "list"\?/],
  [
    ['alias', 'set', 'hello', 'live', '3=60', '4=30'],
    2,
    'BadRequest',
    /the alias: the weights are 90 per cent together; they have to be 100/,
  ],
  [['alias', 'set', 'hello', 'live', '3', '4'], 2, 'BadRequest', /"3" is no version with a weight; write 3, or 3=95 4=5/],
  [['alias', 'set', 'hello', 'live', '3', '--sticky-header', 'a', '--sticky-cookie', 'b'], 2, 'BadRequest', /not both/],
  [['alias', 'list', 'helo'], 3, 'FunctionNotFound', /did you mean "hello"\?/],
  [['rollout', 'start', 'hello', 'four'], 2, 'BadRequest', /"four" is no version/],
  [['rollout', 'start', 'hello', '4', '--strategy', 'rainbow'], 2, 'BadRequest', /the rollout: strategy/],
  [['rollout', 'start', 'hello', '4', '--steps', '25:5m,5:1m'], 2, 'BadRequest', /steps: weights rise from step to step/],
  [['rollout', 'start', 'hello', '4', '--steps', '5'], 2, 'BadRequest', /--steps: "5" is no step; write weight:time/],
  [['rollout', 'start', 'hello', '4', '--keep', '5 days'], 2, 'BadRequest', /--keep: "5 days" is no duration/],
  [['rollout', 'status', 'helo'], 3, 'FunctionNotFound', /did you mean "hello"\?/],
  [['deploy', 'hello', '--rollout', 'rainbow'], 2, 'BadRequest', /the rollout: strategy/],
  [['rollback', 'helo'], 3, 'FunctionNotFound', /did you mean "hello"\?/],
  [['up', '--isolation', 'magic'], 2, 'BadRequest', /isolation.*"auto"/i],
  [['up', '--gateway-port', '99999'], 2, 'BadRequest', /65535/],
  [['completion', 'tcsh'], 2, 'BadRequest', /zsh, bash, fish, powershell/],
];

describe('for people and for machines', { concurrency: 2 }, () => {
  for (const [args, code, problem, message] of rows) {
    test(`swiftlet ${args.join(' ')}`, async () => {
      const plain = await cli.swiftlet(...args);
      assert.equal(plain.code, code, plain.stderr);
      assert.match(plain.stderr, message);
      assert.equal(plain.stdout, '');
      if (args.length === 0 || args[0] === 'completion') return;
      const machine = await cli.swiftlet(...args, '--json');
      const details = JSON.parse(machine.stderr) as { code: string; detail: string; type: string };
      assert.equal(machine.code, code);
      assert.deepEqual([details.code, details.type], [problem, `https://swiftlet.dev/errors/${problem}`]);
      assert.match(details.detail, message);
      assert.equal(machine.stdout, '');
    });
  }
});

test('no platform: exit code 4, and how to start one', async () => {
  const nobody = { ...cli.environment, SWIFTLET_API_URL: 'http://127.0.0.1:9' };
  const { code, stderr } = await runSwiftlet(['list'], nobody);
  assert.equal(code, 4);
  assert.match(stderr, /Swiftlet does not answer at http:\/\/127\.0\.0\.1:9; start it with "swiftlet up"/);
  const withoutToken = await runSwiftlet(['list'], { ...nobody, SWIFTLET_TOKEN: undefined });
  assert.equal(withoutToken.code, 4);
  assert.match(withoutToken.stderr, /there is no token at .*home\/token; start Swiftlet with "swiftlet up"/);
});

test('a wrong token, and an address that is none', async () => {
  const denied = await runSwiftlet(['list'], { ...cli.environment, SWIFTLET_TOKEN: 'wrong' });
  assert.equal(denied.code, 1);
  assert.match(denied.stderr, /the token is not known \(Unauthorized/);
  const noAddress = await runSwiftlet(['list'], { ...cli.environment, SWIFTLET_API_URL: 'localhost:8081' });
  assert.equal(noAddress.code, 2);
  assert.match(noAddress.stderr, /SWIFTLET_API_URL: "localhost:8081" is no address/);
});

test('a deploy that is interrupted publishes nothing and leaves nothing', async () => {
  const project = join(cli.folder, 'slow');
  const temporary = join(cli.folder, 'tmp');
  const bin = join(cli.folder, 'bin');
  for (const folder of [project, temporary, bin]) await mkdir(folder);
  for (const name of ['index.mjs', 'package.json', 'package-lock.json']) await writeFile(join(project, name), '{}');
  await writeFile(join(bin, 'npm'), '#!/bin/sh\nkill -INT $PPID\nexec sleep 60\n', { mode: 0o755 });
  const environment = { ...cli.environment, TMPDIR: temporary, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const { code, stderr } = await runSwiftlet(['deploy', project], environment);
  assert.equal(code, 1);
  assert.match(stderr, /stopped by SIGINT; what was not published yet is not/);
  assert.deepEqual(await readdir(temporary), []);
  assert.deepEqual(await readdir(join(cli.folder, 'cache', 'swiftlet', 'dependencies')), []);
  assert.ok(!cli.platform.asked.includes('PUT /v1/functions/slow'));
});
