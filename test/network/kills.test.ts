/** A kill -9 of the agent: what lives on keeps its way out, and nothing of the network stays behind. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, openE2e } from '../e2e/functions.ts';
import { needsRoot } from '../e2e/needs.ts';
import { killAgents } from './agent-kills.ts';
import { openOutside } from './outside.ts';

const skip = needsRoot;

test('20 kills at any moment leave nothing; `torture/network-kills.test.ts` has 100', { skip }, () => killAgents(20));

const caller = (target: string) => `import net from 'node:net';
export const handler = () => new Promise((resolve) => { const socket = net.connect(80, '${target}'); socket.on('error', (error) => resolve(error.code)); socket.on('data', (data) => { socket.destroy(); resolve(String(data)); }); socket.on('connect', () => socket.write('hello')); });`;

test('a function keeps its way out, and what is closed stays closed, without an agent and with the next', { skip }, async () => {
  await using _outside = await openOutside({ name: 'k', ranges: ['203.0.113.0/24'] });
  await using e2e = await openE2e({ poolSize: 2 });
  await e2e.publish('open', caller('203.0.113.1'), { network: { allow: ['203.0.113.1:80'] } });
  await e2e.publish('closed', caller('203.0.113.2'), { network: { allow: ['203.0.113.1:80'] } });
  const both = async () => [(await e2e.call('/open/')).text, (await e2e.call('/closed/')).text];
  assert.deepEqual(await both(), ['"hello"', '"ECONNREFUSED"']);
  for (let kill = 0; kill < 2; kill++) {
    const agent = await eventually(
      () => agentOf(e2e.platform.pid),
      (pid) => pid !== undefined,
    );
    process.kill(agent ?? 0, 'SIGKILL');
    assert.deepEqual(await both(), ['"hello"', '"ECONNREFUSED"']);
    await e2e.publish(`fresh-${kill}`, caller('203.0.113.1'));
    assert.equal((await e2e.call(`/fresh-${kill}/`)).text, '"hello"');
    assert.deepEqual(await both(), ['"hello"', '"ECONNREFUSED"']);
  }
});

/** Not there while it is started again. */
function agentOf(supervisor: number): number | undefined {
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.find((pid) => commandLine(pid).startsWith('swiftlet agent'));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
