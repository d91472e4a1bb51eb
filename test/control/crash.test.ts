import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it, type TestContext } from 'node:test';
import { freePort } from '../../bench/free-port.ts';
import { bundleMediaType } from '../../src/build/bundle.ts';
import { answerKeys } from '../../src/cli/up/answer-keys.ts';
import { openRootKeys } from '../../src/cli/up/root-key-place.ts';
import { roleConfigVariable } from '../../src/role/role-config.ts';
import { eventually } from '../e2e/functions.ts';
import { bundleOf, call, configIn, sha256 } from './control-under-test.ts';
import { tempFolder } from './temp-folder.ts';

const main = new URL('../../src/control/main.ts', import.meta.url);

async function startProcess(t: TestContext, folder: string, port: number): Promise<ChildProcess> {
  const config = configIn(folder, { api: { host: '127.0.0.1', port } });
  for (const part of ['run/control', 'control']) mkdirSync(join(folder, part), { recursive: true });
  const child = fork(fileURLToPath(main), {
    cwd: join(folder, 'control'),
    env: { ...process.env, [roleConfigVariable]: JSON.stringify(config), SWIFTLET_LOG_LEVEL: 'silent' },
  });
  t.after(() => child.kill('SIGKILL'));
  const rootKeys = openRootKeys({ kind: 'file', path: join(folder, 'root-key') });
  child.on('message', (message) => void answerKeys(rootKeys, message, child));
  const news = await new Promise<{ news: string; message?: string }>((resolve) => {
    child.on('message', (message: { news: string }) => {
      if (message.news !== 'root keys') resolve(message);
    });
  });
  assert.equal(news.news, 'ready', news.message ?? 'it failed');
  return child;
}

describe('control that is killed', () => {
  it('has lost nothing that it had acknowledged, and has kept nothing half', { timeout: 120_000 }, async (t) => {
    const folder = tempFolder(t);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    /** The highest version of each function that a client was told of. */
    const acknowledged = new Map<string, number>();
    let serial = 0;

    const client = async (name: string, stopped: AbortSignal) => {
      while (!stopped.aborted) {
        serial += 1;
        const bytes = bundleOf({ 'index.js': `${serial};${'x'.repeat(serial * 100)}`, 'filler.js': sha256(String(serial)).repeat(20_000) });
        const digest = sha256(bytes);
        await call(url, `/v1/artifacts/${digest}`, { method: 'PUT', body: new Uint8Array(bytes), type: bundleMediaType });
        const { status, json } = await call(url, `/v1/functions/${name}`, { method: 'PUT', body: JSON.stringify({ digest }) });
        if (status < 300) acknowledged.set(name, (json['version'] as { number: number }).number);
      }
    };

    for (let round = 0; round < 8; round += 1) {
      const child = await startProcess(t, folder, port);
      assert.deepEqual(readdirSync(join(folder, 'control/blobs/staging')), []);
      for (const [name, number] of acknowledged) {
        const { json } = await call(url, `/v1/functions/${name}`);
        const serving = json['serving'] as { number: number; digest: string } | undefined;
        assert.ok(
          serving !== undefined && serving.number >= number,
          `${name} is at ${serving?.number ?? 'nothing'}, and ${number} was acknowledged`,
        );
        const content = readFileSync(join(folder, 'control/blobs', serving.digest.slice(0, 2), serving.digest));
        assert.equal(sha256(content), serving.digest, 'the artifact is whole');
      }
      const stopped = new AbortController();
      const clients = ['a', 'b', 'c'].map((name) => client(name, stopped.signal).catch(() => undefined));
      const tried = serial;
      await eventually(
        () => serial - tried,
        (more) => more > 1 + (round % 3),
      );
      stopped.abort();
      child.kill('SIGKILL');
      await once(child, 'exit');
      await Promise.all(clients);
      for (const shelf of readdirSync(join(folder, 'control/blobs')).filter((shelf) => shelf !== 'staging')) {
        for (const digest of readdirSync(join(folder, 'control/blobs', shelf))) {
          assert.equal(sha256(readFileSync(join(folder, 'control/blobs', shelf, digest))), digest, 'every artifact is whole');
        }
      }
    }
    assert.ok(acknowledged.size > 0 && serial > 20, `${serial} deploys were tried`);
  });

  it('refuses to start without its store when there are artifacts', async (t) => {
    const folder = tempFolder(t);
    mkdirSync(join(folder, 'control/blobs/aa'), { recursive: true });
    mkdirSync(join(folder, 'run/control'), { recursive: true });
    writeFileSync(join(folder, 'control/blobs/aa', 'a'.repeat(64)), 'x');
    await assert.rejects(startProcess(t, folder, await freePort()), { message: /the store is missing although there are artifacts/ });
  });
});
