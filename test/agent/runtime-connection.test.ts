/** The agent's connection to a runtime, when the process at its other end is already gone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RuntimeConnection } from '../../src/agent/runtime-connection.ts';
import { encodeFrame } from '../../src/wire/frames.ts';
import { frame } from '../../src/wire/instance-protocol.ts';

async function connected() {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-runtime-'));
  const path = join(folder, 'socket');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const connection = new RuntimeConnection(path);
  const [runtime] = (await once(server, 'connection')) as [Socket];
  const end = () => {
    runtime.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  };
  return { connection, runtime, end };
}

test('what a runtime said before its process ended counts, also when the end was heard of first', async () => {
  const { connection, runtime, end } = await connected();
  const loading = connection.load('/var/task');
  await once(runtime, 'data');
  runtime.end(encodeFrame(frame.initialised, 0, JSON.stringify({ environmentMs: 0, runtimeMs: 0, initMs: 1 })));
  // Nothing of it is read yet: this turn has not ended.
  await connection.finish();
  assert.equal((await loading).kind, 'initialised');
  end();
});

test('a connection that somebody holds open is closed all the same', async () => {
  const { connection, end } = await connected();
  const booted = connection.booted();
  await Promise.all([assert.rejects(booted, { code: 'FunctionCrashed' }), connection.finish()]);
  end();
});

test('a runtime that is busy answers what it was asked in turn: its state, and when it rests', async () => {
  const { connection, runtime, end } = await connected();
  const [booted, rest] = [connection.booted(), connection.rest()];
  await once(runtime, 'data');
  runtime.write(encodeFrame(frame.state, 0, JSON.stringify({ protocol: 1, state: 'initialised', runtime: 'v26' })));
  assert.equal((await booted).state, 'initialised');
  runtime.write(encodeFrame(frame.resting, 0));
  await rest;
  end();
});

test('an answer out of turn ends the connection, and all that was asked on it', async () => {
  const { connection, runtime, end } = await connected();
  const [booted, rest] = [connection.booted(), connection.rest()];
  await once(runtime, 'data');
  runtime.write(encodeFrame(frame.resting, 0));
  await Promise.all([assert.rejects(booted, { code: 'FunctionCrashed' }), assert.rejects(rest, { code: 'FunctionCrashed' })]);
  end();
});
