/** Kills agents again and again, at any moment, and compares the host's network before and after. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { routerPath } from '../../src/agent/network/router.ts';
import { eventually } from '../e2e/functions.ts';
import { HostNetwork } from './host-network.ts';

/** Nobody has these, neither platforms nor other tests that run now. */
const firstUid = 1_700_000_000 + (process.pid % 100_000) * 100;
const lanes = 2;
const spareCables = 4;

/**
 * Each agent takes over what the killed one left, boots, binds and ends sandboxes, and is killed in the middle of it; the last one stops.
 * @param kills so many
 * @throws AssertionError with what is left, or was another program’s and is not as it was
 */
export async function killAgents(kills: number): Promise<void> {
  const id = process.pid.toString(16).padStart(8, '0');
  const run = `/run/swiftlet-test-${process.pid}/${id}`;
  const home = mkdtempSync(join(tmpdir(), 'swiftlet-kills-'));
  mkdirSync(join(run, 'agent'), { recursive: true });
  using host = new HostNetwork(`swt-kills-${process.pid}`);
  host.run('nft', others);
  const before = host.state(run);
  assert.match(before.ruleset.join(), /203\.0\.113\.99/);
  try {
    let running: unknown;
    for (let kill = 0; kill < kills; kill++) {
      const agent = await startAgent(host, run, home);
      running ??= host.state(run);
      assert.deepEqual(host.state(run), running, `after ${kill} kills`);
      await pause((kill * 37) % 200);
      agent.kill('SIGKILL');
      await once(agent, 'exit');
    }
    const last = await startAgent(host, run, home);
    await eventually(
      () => cablesIn(routerPath(join(run, 'agent'))),
      (cables) => cables <= lanes + spareCables,
    );
    last.send('stop');
    await once(last, 'exit');
    await eventually(
      () => host.state(run),
      (now) => isDeepStrictEqual(now, before),
    );
  } finally {
    rmSync(join(run, '..'), { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  }
}

/** Rules of somebody else, which are none of ours to touch. */
const others =
  'table inet others { chain forward { type filter hook forward priority filter; policy accept; ip daddr 203.0.113.99 drop; }; }';

async function startAgent(host: HostNetwork, run: string, home: string): Promise<ChildProcess> {
  const [nsenter = '', ...into] = host.entrance;
  const fixture = join(import.meta.dirname, 'fixtures', 'network-agent.ts');
  const agent = spawn(nsenter, [...into, process.execPath, '--disable-warning=ExperimentalWarning', fixture, run, home, String(firstUid)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [word] = (await Promise.race([once(agent, 'message'), once(agent, 'exit')])) as unknown[];
  assert.equal(word, 'ready', 'an agent ended instead of taking over');
  return agent;
}

/** Cables of sandboxes in a router. */
const cablesIn = (router: string): number =>
  execFileSync('nsenter', [`--net=${router}`, 'ip', '-o', 'link'], { encoding: 'utf8' }).match(/^\d+: s\d+@/gm)?.length ?? 0;
