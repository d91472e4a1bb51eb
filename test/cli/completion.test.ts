import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { runSwiftlet } from './run-swiftlet.ts';

let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
  await mkdir(join(cli.folder, 'greet'));
  await writeFile(join(cli.folder, 'greet', 'index.mjs'), 'export const handler = () => 1;');
  await cli.swiftlet('deploy', 'greet');
});
after(() => cli[Symbol.asyncDispose]());

for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
  test(`the script for ${shell} asks swiftlet`, async () => {
    const { code, stdout } = await cli.swiftlet('completion', shell);
    assert.equal(code, 0);
    assert.match(stdout, /swiftlet complete|\bcomplete --/);
  });
}

const asked: readonly [words: string[], offered: RegExp][] = [
  [['inv'], /^invoke\t/m],
  [['invoke', ''], /^greet\b/m],
  [['logs', 'gr'], /^greet\b/m],
  [['trace', '--slow', ''], /^greet\b/m],
  [['init', '--template', 'm'], /^markdown\b/m],
  [['up', '--isolation', ''], /^bubblewrap\b/m],
  [['rollback', 'g'], /^greet\b/m],
  [['alias', 'set', ''], /^greet\b/m],
  [['rollout', 'status', ''], /^greet\b/m],
  [['rollout', ''], /^abort\t/m],
  [['deploy', '--rollout', 'b'], /^blue-green\b/m],
  [['deploy', '--'], /^--json\t/m],
];
for (const [words, offered] of asked) {
  test(`after "swiftlet ${words.join(' ')}"`, async () => {
    assert.match((await cli.swiftlet('complete', '--', ...words)).stdout, offered);
  });
}

test('without a platform nothing is offered, and nothing said', async () => {
  const { code, stdout, stderr } = await runSwiftlet(['complete', '--', 'invoke', ''], {
    ...cli.environment,
    SWIFTLET_API_URL: 'http://127.0.0.1:9',
  });
  assert.deepEqual([code, stderr], [0, '']);
  assert.doesNotMatch(stdout, /greet/);
});

test('help lists the commands, the exit codes and the environment', async () => {
  const { code, stdout } = await cli.swiftlet('--help');
  assert.equal(code, 0);
  for (const word of [
    'up',
    'init',
    'deploy',
    'invoke',
    'logs',
    'list',
    'describe',
    'versions',
    'remove',
    'doctor',
    'bench',
    'completion',
    'event',
    'dlq',
    'alias',
    'rollout',
    'rollback',
  ]) {
    assert.match(stdout, new RegExp(`^ {2}${word} `, 'm'));
  }
  assert.match(stdout, /^ {2}4 {2}Swiftlet does not answer$/m);
  assert.match((await cli.swiftlet('invoke', '--help')).stdout, /--data @event\.json/);
  assert.match((await cli.swiftlet('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});
