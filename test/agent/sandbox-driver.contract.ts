/** What every sandbox driver promises, shown with real sandboxes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import koffi from 'koffi';
import { closeFd } from '../../src/agent/linux/libc.ts';
import { runtimeFiles } from '../../src/agent/runtimes/runtimes.ts';
import { processesOfSlots, removeRemains } from '../../src/agent/sandbox/remains.ts';
import {
  type Exit,
  fifoName,
  inside,
  type RuntimeFiles,
  type SandboxProcesses,
  shownFoldersOf,
  socketName,
} from '../../src/agent/sandbox/sandbox-driver.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { eventually } from '../e2e/functions.ts';
import { type DriverKind, type DriverUnderTest, openUnderTest } from './driver-under-test.ts';

const kind = { runtime: 'nodejs26', memoryMiB: 128 } as const;

/** @param isolates whether a sandbox must be unable to change its code */
export function sandboxDriverContract(name: string, driverKind: DriverKind, { isolates }: { isolates: boolean }): void {
  /** A driver whose end must leave nothing. */
  const open = (t: TestContext): DriverUnderTest & { readonly folder: string } => {
    const folder = mkdtempSync(join(tmpdir(), 'swiftlet-driver-'));
    const before = holdings(folder);
    const under = openUnderTest(driverKind, folder);
    t.after(async () => {
      await under[Symbol.asyncDispose]();
      await eventually(
        () => holdings(folder),
        (now) => isDeepStrictEqual(now, before),
      );
      rmSync(folder, { recursive: true });
    });
    return { ...under, folder };
  };

  describe(`the ${name} driver`, () => {
    it('boots a runtime that answers, lets code in, and carries words both ways', async (t) => {
      const { sandboxes, folder } = open(t);
      const sandbox = await sandboxes().boot(kind);
      const said = hear(join(folder, 'slots', String(sandbox.slot)), /\n/);
      const code = join(folder, 'code');
      mkdirSync(join(code, 'lib'), { recursive: true });
      writeFileSync(join(code, 'lib', 'word.mjs'), 'export const word = "inside";');
      writeFileSync(
        join(code, 'index.mjs'),
        `import { writeFileSync } from 'node:fs'; import { word } from './lib/word.mjs';
        let changed = true; try { writeFileSync(new URL('./lib/word.mjs', import.meta.url), ''); } catch { changed = false; }
        console.log(word, changed); export const handler = () => 1;`,
      );
      const codeDir = await sandbox.attach(code);
      sandbox.connection.dedicate(dedication);
      const outcome = await sandbox.connection.load(codeDir);
      assert.equal(outcome.kind, 'initialised', JSON.stringify(outcome));
      assert.match(await said, isolates ? /inside false/ : /inside true/);
      sandbox.kill();
      await sandbox.ended;
      assert.ok(!existsSync(join(folder, 'slots', String(sandbox.slot))));
    });

    it('tells the end of a runtime that ends by itself, once, with its code', async (t) => {
      const under = open(t);
      const { exits } = await bootProgram(under, 'exit 3');
      assert.deepEqual(await exits.next(), { code: 3, signal: null });
    });

    for (const victim of ['inner', 'outer'] as const) {
      it(`ends everything inside with its ${victim} process, double forks too`, async (t) => {
        const under = open(t);
        const mark = `600.${process.pid}`;
        const program = `(setsid sh -c 'trap "" TERM HUP; (sleep ${mark} &) ; sleep ${mark}' &) ; echo started; sleep ${mark}`;
        const { processes, exits, hears } = await bootProgram(under, program);
        await hears(/started/);
        const marked = () => pidsWith((line) => /^sleep\0/.test(line) && line.includes(mark));
        await eventually(marked, (pids) => pids.length === 3);
        process.kill(processes[victim], 'SIGKILL');
        await exits.next();
        assert.deepEqual(marked(), []);
      });
    }

    it('ends while its runtime boots', async (t) => {
      const under = open(t);
      const { processes, exits } = await bootProgram(under, undefined);
      process.kill(processes.inner, 'SIGKILL');
      const { code, signal } = await exits.next();
      assert.ok(signal === 'SIGKILL' || code === 128 + 9, `${code} ${signal}`);
    });

    it('takes everything back when it is killed while it is set up', async (t) => {
      const under = open(t);
      const ended = endsOf(under);
      const state = { settled: false };
      const boot = under.driver.boot(specOf(under, runtimeFiles(under.runtimes, kind.runtime))).then(
        () => 'booted',
        () => 'refused',
      );
      void boot.finally(() => {
        state.settled = true;
      });
      const pids = () => processesOfSlots(under.traces).map(({ pid }) => pid);
      let victims: number[] = [];
      while (!state.settled && victims.length === 0) {
        victims = pids();
        await turn();
      }
      // On a busy machine it may be set up before it was seen.
      for (const pid of victims.length === 0 ? pids() : victims) kill(pid);
      if ((await boot) === 'booted') {
        await ended.next();
        await under.driver.free(0, join(under.traces.slotsFolder, '0'));
      }
      assert.deepEqual(left(under), nothing);
    });

    it('takes everything back when it cannot boot', async (t) => {
      const under = open(t);
      const shown = { source: '/nonexistent/bin', target: inside.binFolder };
      const missing: RuntimeFiles = { language: 'nodejs', interpreter: '/nonexistent/bin/node', shown, folder: '/nonexistent/runtime' };
      await assert.rejects(under.driver.boot(specOf(under, missing)));
      await eventually(
        () => left(under),
        (now) => isDeepStrictEqual(now, nothing),
      );
    });

    it('boots several at once, and each slot again after it was freed', async (t) => {
      const { sandboxes } = open(t);
      const all = sandboxes();
      for (let round = 0; round < 2; round++) {
        const booted = await Promise.all(Array.from({ length: 4 }, () => all.boot(kind)));
        assert.equal(new Set(booted.map(({ pid }) => pid)).size, 4);
        for (const sandbox of booted) sandbox.kill();
        await Promise.all(booted.map(({ ended }) => ended));
      }
    });

    it('hands on no descriptor but 0, 1, 2 and the socket, even one that the platform leaks', async (t) => {
      const under = open(t);
      const leaked = join(under.folder, 'secret');
      writeFileSync(leaked, 'secret');
      const libc = koffi.load('libc.so.6');
      const openInheritable = libc.func('int open(const char *path, int flags)') as (path: string, flags: number) => number;
      const fd = openInheritable(leaked, constants.O_RDONLY);
      const program = 'cd /proc/$$/fd; for fd in *; do echo "fd $fd $(readlink $fd)"; done | grep -v "/node$\\| $"; echo end; sleep 600';
      const { hears } = await bootProgram(under, program).finally(() => closeFd(fd));
      const seen = [...(await hears(/^end$/m)).matchAll(/^fd (\d+) (.*)$/gm)].map(
        ([, number = '', target = '']) => [Number(number), target] as const,
      );
      assert.deepEqual(
        seen.map(([number]) => number),
        [0, 1, 2, 3],
        JSON.stringify(seen),
      );
      assert.deepEqual(
        seen.map(([, target]) => target.replace(/:.*|.*\//, '')),
        ['null', fifoName, fifoName, 'socket'],
      );
    });

    it('frees a slot that never was', async (t) => {
      const { driver, traces } = open(t);
      await driver.free(7, join(traces.slotsFolder, '7'));
    });

    it('leaves nothing that the next agent does not find, when its own is killed', async (t) => {
      const under = open(t);
      const uid = String(under.traces.uids?.first ?? 0);
      const args = [join(import.meta.dirname, 'fixtures', 'boots.ts'), driverKind.isolation, under.folder, uid];
      const agent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: packageFolder });
      await once(agent.stdout, 'data');
      agent.kill('SIGKILL');
      await once(agent, 'exit');
      const found = left(under);
      assert.ok(found.processes >= 2 && found.folders >= 2, JSON.stringify(found));
      await removeRemains(under.traces, new Set());
      assert.deepEqual(left(under), nothing);
    });
  });
}

const nothing = { processes: 0, cgroups: 0, folders: 0 };
const left = ({ traces }: DriverUnderTest): typeof nothing => ({
  processes: processesOfSlots(traces).length,
  cgroups: traces.cgroups?.names().length ?? 0,
  folders: readdirSync(traces.slotsFolder).length,
});

/** Where a driver mounts in its sandboxes, and must not on the host. Other mounts of the host come and go. */
const mountedInside: readonly string[] = ['/etc', '/tmp', '/dev/shm', '/proc', '/dev', inside.code, inside.runtime, inside.binFolder];
const mountPoints = (): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');

/** What of the host a test holds and must give back: mounts, processes that know its folder, its own pipes and sockets. */
function holdings(folder: string) {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return {
    mounts: mountPoints().filter((point) => point.startsWith(folder) || mountedInside.includes(point)).length,
    processes: pidsWith((line) => line.includes(folder)).length,
    channels: targets.filter((target) => target.includes(folder) || target.startsWith('socket:')).length,
  };
}

function pidsWith(matches: (commandLine: string) => boolean): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return Number.isInteger(pid) && matches(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch {
        return false;
      }
    });
}

const kill = (pid: number) => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
};

/** Boots slot 0 with a shell program in the runtime's place, or with a real runtime; its end is told in order. */
async function bootProgram(under: DriverUnderTest & { readonly folder: string }, program: string | undefined) {
  const runtime = program === undefined ? runtimeFiles(under.runtimes, kind.runtime) : programFiles(under, program);
  const spec = specOf(under, runtime);
  const exits = endsOf(under);
  const processes: SandboxProcesses = await under.driver.boot(spec);
  assert.ok(existsSync(join(spec.folder, socketName)));
  return { processes, exits, hears: (until: RegExp) => hear(spec.folder, until) };
}

function specOf({ traces }: DriverUnderTest, runtime: RuntimeFiles) {
  const folder = join(traces.slotsFolder, '0');
  for (const shown of shownFoldersOf(folder)) mkdirSync(shown, { recursive: true });
  return { slot: 0, folder, runtime, memoryMiB: kind.memoryMiB };
}

function programFiles({ runtimes, folder }: DriverUnderTest & { readonly folder: string }, program: string): RuntimeFiles {
  const binFolder = join(folder, 'bin');
  mkdirSync(binFolder);
  writeFileSync(join(binFolder, 'node'), `#!/bin/sh\n${program}\n`);
  chmodSync(join(binFolder, 'node'), 0o755);
  return {
    ...runtimeFiles(runtimes, kind.runtime),
    interpreter: join(binFolder, 'node'),
    shown: { source: binFolder, target: inside.binFolder },
  };
}

/** Ends as the driver tells them; a second one of a slot is a mistake. */
function endsOf({ driver }: DriverUnderTest) {
  const { promise, resolve, reject } = Promise.withResolvers<Exit>();
  let count = 0;
  driver.onExit = (slot, exit) => {
    count += 1;
    if (slot !== 0 || count > 1) reject(new Error(`end ${count} of slot ${slot}`));
    resolve(exit);
  };
  return { next: () => promise };
}

/** What comes out of a sandbox until it matches. */
async function hear(slotFolder: string, until: RegExp): Promise<string> {
  const fd = openSync(join(slotFolder, fifoName), constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  let text = '';
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      if (until.test(text)) return text;
    }
    return text;
  } finally {
    socket.destroy();
  }
}

const dedication = {
  runtime: 'nodejs26',
  function: 'contract',
  version: 1,
  instanceId: 'contract',
  handler: 'index.handler',
  environment: {},
  memoryMiB: 128,
  timeoutMs: 1_000,
  initTimeoutMs: 10_000,
  concurrency: 1,
};
