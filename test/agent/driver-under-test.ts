/** A sandbox driver with what it needs on this machine, in a folder of its own, wired as the agent does it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { hasSysAdmin, findBwrap } from '../../src/agent/isolation.ts';
import { openCgroups } from '../../src/agent/linux/open-cgroups.ts';
import { Mounter } from '../../src/agent/linux/mount-namespace.ts';
import { Exits } from '../../src/agent/sandbox/exits.ts';
import type { Runtimes } from '../../src/agent/runtimes/installed-runtime.ts';
import { prepareRuntimes } from '../../src/agent/runtimes/runtimes.ts';
import { BubblewrapDriver } from '../../src/agent/sandbox/bubblewrap.ts';
import { ProcessDriver } from '../../src/agent/sandbox/process.ts';
import { removeRemains, type Traces } from '../../src/agent/sandbox/remains.ts';
import { writeEtc } from '../../src/agent/sandbox/root-folder.ts';
import type { SandboxDriver } from '../../src/agent/sandbox/sandbox-driver.ts';
import { Launcher } from '../../src/agent/sandbox/launcher.ts';
import { type CodeWay, Sandboxes } from '../../src/agent/sandbox/sandboxes.ts';
import { Slots } from '../../src/agent/slots.ts';
import type { IsolationMode } from '../../src/role/role-config.ts';

export interface DriverUnderTest extends AsyncDisposable {
  readonly driver: SandboxDriver;
  readonly traces: Traces;
  readonly runtimes: Runtimes;
  /** Sandboxes by this driver; they take its `onExit`. */
  readonly sandboxes: () => Sandboxes;
}

/** What a driver is made for: its isolation, and whether it does its work in a process of its own. */
export interface DriverKind {
  readonly isolation: IsolationMode;
  readonly launched: boolean;
}

const slots = 16;
/** Nobody has these, neither other platforms nor other tests that run now. */
const firstUid = 1_800_000_000 + (process.pid % 100_000) * 100;

/** Prepared once for all tests of a file. */
const runtimesFolder = mkdtempSync(join(tmpdir(), 'swiftlet-runtimes-'));
const usualRuntimes = await prepareRuntimes(runtimesFolder);
process.once('exit', () => rmSync(runtimesFolder, { recursive: true }));

/** @param folder the same folder again shows what an earlier process left in it @param name of its cgroups */
export function openUnderTest(
  { isolation, launched }: DriverKind,
  folder: string,
  uid = firstUid,
  runtimes: Runtimes = usualRuntimes,
): DriverUnderTest {
  const slotsFolder = join(folder, 'slots');
  mkdirSync(slotsFolder, { recursive: true });
  const isolated = isolation === 'bubblewrap';
  const privileged = isolated && hasSysAdmin();
  const cgroupFolder = `swiftlet-test-${uid}`;
  const cgroups = isolated ? openCgroups(cgroupFolder) : undefined;
  const mounter = privileged ? new Mounter() : undefined;
  const settings = {
    bwrap: findBwrap() ?? 'bwrap',
    firstUid: privileged ? uid : undefined,
    group: undefined,
    seccomp: undefined,
    etc: writeEtc(join(folder, 'etc')),
  };
  const direct = () =>
    isolated ? new BubblewrapDriver({ ...settings, mounter, cgroups, lines: undefined }) : new ProcessDriver(undefined);
  const failed = (error: Error) => {
    throw error;
  };
  const driver = launched ? new Launcher({ ...settings, isolation, privileged, cgroupFolder }, failed) : direct();
  const traces = { slotsFolder, cgroups, uids: privileged ? { first: uid, count: slots } : undefined };
  const relay = { open: () => undefined, close: () => Promise.resolve('') };
  const codeWay: CodeWay = !isolated ? { kind: 'none' } : mounter === undefined ? { kind: 'link' } : { kind: 'mount', mounter };
  return {
    driver,
    traces,
    runtimes,
    sandboxes: () =>
      new Sandboxes({
        driver,
        exits: new Exits(driver),
        slots: new Slots(slots),
        slotsFolder,
        runtimes,
        cgroups,
        codeWay,
        relay,
        now: () => performance.now(),
        log: pino({ level: 'silent' }),
      }),
    async [Symbol.asyncDispose]() {
      await removeRemains(traces, new Set());
      await driver[Symbol.asyncDispose]();
    },
  };
}
