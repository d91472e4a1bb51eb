/** What a wait looks like: a spinner on a terminal that has a size, nothing in a pipe. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { sendJson } from './fake-platform.ts';

const main = join(packageFolder, 'src', 'cli', 'main.ts');
const invoked = 'POST /_/invoke/slow';
const longMs = 1_200;
let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
});
after(() => cli[Symbol.asyncDispose]());

/** Resolves with the next call's response, which waits to be answered. */
const held = (): Promise<ServerResponse> => new Promise((resolve) => cli.platform.answer(invoked, resolve));

test('on a terminal a spinner turns until the answer is there', async (t) => {
  const response = held();
  const command = `stty cols 80 rows 24; exec ${process.execPath} --disable-warning=ExperimentalWarning ${main} invoke slow`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...cli.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  const turns = Promise.withResolvers<undefined>();
  terminal.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    // Two pictures of it: it moves.
    if (new Set(shown.match(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g)).size >= 2) turns.resolve(undefined);
  });
  const closed = once(terminal, 'close');
  await turns.promise;
  assert.match(shown, /slow/);
  sendJson(await response, { came: 'late' });
  await closed;
  assert.match(shown, /"came"/);
});

test('in a pipe there is the answer alone, however long it takes', async () => {
  const response = held();
  const ended = cli.swiftlet('invoke', 'slow');
  const waiting = await response;
  await pause(longMs);
  sendJson(waiting, { came: 'late' });
  const { code, stdout, stderr } = await ended;
  assert.deepEqual([code, JSON.parse(stdout), stderr], [0, { came: 'late' }, '']);
});
