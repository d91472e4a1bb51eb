/** What a sandbox inherits when the platform leaks: nothing but what it was given, whichever driver starts it. */
import assert from 'node:assert/strict';
import { openSync, closeSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import koffi from 'koffi';
import { findBwrap, hasSysAdmin } from '../../src/agent/isolation.ts';
import { closeFd } from '../../src/agent/linux/libc.ts';
import { Mounter } from '../../src/agent/linux/mount-namespace.ts';
import { RuntimeConnection } from '../../src/agent/runtime-connection.ts';
import { prepareRuntimes, runtimeFiles } from '../../src/agent/runtimes.ts';
import { BubblewrapDriver } from '../../src/agent/sandbox/bubblewrap.ts';
import { ProcessDriver } from '../../src/agent/sandbox/process.ts';
import { killAll } from '../../src/agent/sandbox/remains.ts';
import { writeEtc } from '../../src/agent/sandbox/root-folder.ts';
import { controlDescriptor, type Exit, type SandboxDriver, socketName } from '../../src/agent/sandbox/sandbox-driver.ts';

const duplicate = koffi.load('libc.so.6').func('int dup(int fd)') as (fd: number) => number;
/** No distribution and no other test gives it out. */
const firstUid = 2_050_000_000;

const drivers: [name: string, skip: string | false, open: (folder: string) => SandboxDriver][] = [
  ['process', false, () => new ProcessDriver()],
  [
    'bubblewrap',
    hasSysAdmin() ? false : 'needs root',
    (folder) =>
      new BubblewrapDriver({
        bwrap: findBwrap() ?? 'bwrap',
        mounter: new Mounter(),
        cgroups: undefined,
        seccomp: undefined,
        firstUid,
        group: undefined,
        etc: writeEtc(join(folder, 'etc')),
      }),
  ],
];

for (const [name, skip, open] of drivers) {
  test(`${name}: a descriptor that the platform leaked is not handed on`, { skip }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'swiftlet-fd-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const secret = openSync(join(folder, 'secret'), 'w');
    // A duplicate is open to children, as what careless code opens is.
    const leaked = duplicate(secret);
    assert.ok(leaked > controlDescriptor);
    const driver = open(folder);
    const slot = join(folder, 'slot');
    mkdirSync(slot);
    const node = runtimeFiles(prepareRuntimes(join(folder, 'runtimes')), 'nodejs26');
    const ended = new Promise<Exit>((resolve) => (driver.onExit = (_slot, exit) => resolve(exit)));
    try {
      const { inner } = await driver.boot({ slot: 0, folder: slot, node, memoryMiB: 128 });
      const connection = new RuntimeConnection(join(slot, socketName));
      await connection.booted();
      const processes = [inner, ...readdirSync('/proc').filter((pid) => isBelow(pid, inner))].map(String);
      for (const pid of processes) {
        const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
        assert.ok(targets.length > 0);
        assert.ok(!targets.some((target) => target.includes('secret')), `${pid}: ${targets.join()}`);
      }
      connection.close();
      killAll([inner]);
      await ended;
    } finally {
      closeSync(secret);
      closeFd(leaked);
      await driver.free(0, slot);
      await driver[Symbol.asyncDispose]();
    }
  });
}

/** Whether a process is in the same namespace of processes, and that one is not ours. */
function isBelow(pid: string, inner: number): boolean {
  try {
    const [own, its, ours] = [pid, String(inner), 'self'].map((id) => readlinkSync(`/proc/${id}/ns/pid`));
    return own === its && its !== ours;
  } catch {
    return false;
  }
}
