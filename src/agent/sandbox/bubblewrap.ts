/** The driver that isolates: bubblewrap with new namespaces of every kind, a host uid per sandbox, seccomp, cgroups. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Duplex, Readable } from 'node:stream';
import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { sandboxOpenFiles, sandboxPids, scratchBytes, scratchInodes } from '../../model/limits.ts';
import type { CgroupTree } from '../linux/cgroup.ts';
import { closeOnExecFrom, limitProcesses } from '../linux/libc.ts';
import type { Mounter } from '../linux/mount-namespace.ts';
import type { Line } from '../network/address-plan.ts';
import type { Lines } from '../network/lines.ts';
import { makeChannels } from './channels.ts';
import { childrenOf, endAll, endSlot, removeCgroupOf, startTimeOf } from './remains.ts';
import { countsProcessesByNamespace } from './process-limit.ts';
import { rootArguments } from './root-folder.ts';
import {
  type BootSpec,
  cgroupOf,
  codeFolderOf,
  controlDescriptor,
  type Exit,
  inside,
  layersFolderOf,
  librariesOf,
  interpreterInside,
  runtimeCommand,
  type SandboxDriver,
  type SandboxProcesses,
} from './sandbox-driver.ts';

export interface BubblewrapMeans {
  readonly bwrap: string;
  /** Absent without root: then bwrap binds the runtime itself, and code is placed in the slot's folder. */
  readonly mounter: Mounter | undefined;
  readonly cgroups: CgroupTree | undefined;
  /** Network namespaces with a way out. Absent: each sandbox has a loopback and nothing else. */
  readonly lines: Lines | undefined;
  /** A file with the compiled filter. */
  readonly seccomp: string | undefined;
  readonly firstUid: number | undefined;
  readonly group: number | undefined;
  /** The generated /etc. */
  readonly etc: string;
}

const mebibyte = 1024 * 1024;
const statusDescriptor = 4;
const goDescriptor = 5;
const seccompDescriptor = 6;
/**
 * The first program inside says that everything is set up, waits until the agent has hung its mounts in, and becomes the runtime.
 * When the agent dies meanwhile it ends, so that nothing runs that nobody knows of.
 */
const waitForGo = `ulimit -n ${sandboxOpenFiles}; echo >&${goDescriptor}; read -r go <&${goDescriptor} || exit 1; exec ${goDescriptor}>&-; exec "$@"`;
const statusSchema = z.object({ 'child-pid': z.int() });
/** A sandbox needs some ms to be set up; a host that takes this long is stuck. */
const setUpLimitMs = 10_000;
/** How much of the CPU a sandbox may take: one processor for the code and a half for the runtime's own threads. */
export const sandboxCpus = 1.5;

export class BubblewrapDriver implements SandboxDriver {
  readonly #means: BubblewrapMeans;
  onExit: (slot: number, exit: Exit) => void = () => undefined;

  constructor(means: BubblewrapMeans) {
    this.#means = means;
  }

  async boot(spec: BootSpec): Promise<SandboxProcesses> {
    const { cgroups } = this.#means;
    let child: ChildProcess | undefined;
    try {
      cgroups?.create(cgroupOf(spec.slot), { memoryBytes: spec.memoryMiB * mebibyte, pids: sandboxPids, cpus: sandboxCpus });
      const { line, started: spawned } = this.#connect(() => this.#spawn(spec));
      child = spawned;
      const outer = await started(child);
      const [inner, go] = await setUp(child);
      const processes = { outer, inner, ...(line === undefined ? {} : { line }) };
      this.#mountInto(spec, inner);
      this.#limitProcesses(inner);
      go.end('go\n');
      // Before the user's code is there nothing but our runtime runs, so moving it while it boots costs nobody a wait.
      cgroups?.place(cgroupOf(spec.slot), [processes.outer, processes.inner, ...childrenOf(processes.inner)]);
      this.#watch(spec.slot, child, processes.inner);
      return processes;
    } catch (error) {
      if (child !== undefined) await endChild(child);
      await this.#endRest(spec);
      await this.free(spec.slot, spec.folder);
      throw error;
    }
  }

  /** What a killed bwrap leaves is a child of nobody, and may not have told its number. */
  #endRest({ slot, folder }: BootSpec): Promise<void> {
    const { firstUid } = this.#means;
    return endSlot(slot, { slotsFolder: dirname(folder), uids: firstUid === undefined ? undefined : { first: firstUid, count: slot + 1 } });
  }

  #connect(spawnIt: () => ChildProcess): { readonly line?: Line; readonly started: ChildProcess } {
    return this.#means.lines?.startIn(spawnIt) ?? { started: spawnIt() };
  }

  #spawn(spec: BootSpec): ChildProcess {
    const { firstUid, seccomp, group } = this.#means;
    const channels = makeChannels(spec.folder, group);
    const filter = seccomp === undefined ? undefined : openSync(seccomp, 'r');
    try {
      // What the platform may have leaked stays here: only the descriptors named below are handed on.
      closeOnExecFrom(controlDescriptor);
      const identity = firstUid === undefined ? {} : { uid: firstUid + spec.slot, gid: firstUid + spec.slot };
      return spawn(this.#means.bwrap, this.#command(spec), {
        ...identity,
        stdio: ['ignore', channels.output, channels.output, channels.socket, 'pipe', 'pipe', filter ?? 'ignore'],
        detached: true,
        cwd: '/',
        env: { PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', TMPDIR: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' },
      });
    } finally {
      channels.close();
      if (filter !== undefined) closeSync(filter);
    }
  }

  #command(spec: BootSpec): string[] {
    const { mounter, seccomp, lines } = this.#means;
    const id = String(inside.uid);
    return [
      '--unshare-user',
      '--unshare-ipc',
      '--unshare-pid',
      ...(lines === undefined ? ['--unshare-net'] : []),
      '--unshare-uts',
      '--unshare-cgroup',
      '--uid',
      id,
      '--gid',
      id,
      '--hostname',
      'sandbox',
      '--new-session',
      '--cap-drop',
      'ALL',
      ...rootArguments(spec.runtime.shown?.target),
      ...(mounter === undefined ? unprivilegedMounts(spec, this.#means.etc) : []),
      // Some settings below /proc/sys belong to the sandbox's own namespaces, and it could write them.
      '--remount-ro',
      '/proc',
      '--remount-ro',
      '/dev',
      '--remount-ro',
      '/',
      '--chdir',
      inside.code,
      // A process takes it as it is when it starts, long before it has layers.
      '--setenv',
      'LD_LIBRARY_PATH',
      librariesOf(inside.layers),
      ...(seccomp === undefined ? [] : ['--seccomp', String(seccompDescriptor)]),
      '--json-status-fd',
      String(statusDescriptor),
      '--',
      '/bin/sh',
      '-c',
      waitForGo,
      'sh',
      ...runtimeCommand(spec.runtime.language, interpreterInside(spec.runtime), inside.runtime, spec.memoryMiB),
    ];
  }

  /** Without a cgroup for it the kernel's older limit holds, which tells nobody when it was met. */
  #limitProcesses(inner: number): void {
    if (this.#means.cgroups?.available.has('pids') === true || !countsProcessesByNamespace()) return;
    for (const pid of [inner, ...childrenOf(inner)]) limitProcesses(pid, sandboxPids);
  }

  #mountInto(spec: BootSpec, pid: number): void {
    const { mounter, etc, firstUid } = this.#means;
    if (mounter === undefined) return;
    mounter.bindReadOnly(pid, etc, '/etc');
    const { shown, folder } = spec.runtime;
    if (shown !== undefined) mounter.bindReadOnly(pid, shown.source, shown.target);
    mounter.bindReadOnly(pid, folder, inside.runtime);
    const uid = (firstUid ?? 0) + spec.slot;
    mounter.mountScratch(pid, '/tmp', { bytes: scratchBytes, inodes: scratchInodes, uid, mode: '1777' });
    mounter.mountScratch(pid, '/dev/shm', { bytes: scratchBytes, inodes: scratchInodes, uid, mode: '1777' });
  }

  /** bwrap ends with the runtime, but also when somebody kills it; all others end with the first process inside. */
  #watch(slot: number, child: ChildProcess, inner: number): void {
    const born = startTimeOf(inner);
    const ended = async () => {
      await endAll(() => (born !== undefined && startTimeOf(inner) === born ? [inner] : []));
      this.onExit(slot, { code: child.exitCode, signal: child.signalCode });
    };
    if (child.exitCode === null && child.signalCode === null) child.once('exit', () => void ended());
    else void ended();
  }

  async free(slot: number, folder: string): Promise<void> {
    await removeCgroupOf(this.#means.cgroups, cgroupOf(slot));
    await rm(folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#means.lines?.[Symbol.dispose]();
    this.#means.mounter?.[Symbol.dispose]();
    this.#means.cgroups?.close();
    await Promise.resolve();
  }
}

function unprivilegedMounts(spec: BootSpec, etc: string): string[] {
  const scratch = String(scratchBytes);
  const { shown, folder } = spec.runtime;
  return [
    '--ro-bind',
    etc,
    '/etc',
    ...(shown === undefined ? [] : ['--ro-bind', shown.source, shown.target]),
    '--ro-bind',
    folder,
    inside.runtime,
    '--ro-bind',
    codeFolderOf(spec.folder),
    inside.code,
    '--ro-bind',
    layersFolderOf(spec.folder),
    inside.layers,
    '--size',
    scratch,
    '--tmpfs',
    '/tmp',
    '--size',
    scratch,
    '--tmpfs',
    '/dev/shm',
  ];
}

async function started(child: ChildProcess): Promise<number> {
  if (child.pid === undefined) await new Promise((_, reject) => child.once('error', reject));
  child.once('error', () => undefined);
  return child.pid ?? 0;
}

/** Waits until the sandbox is set up. @returns its first process, and what lets it go on */
async function setUp(child: ChildProcess): Promise<[inner: number, go: Duplex]> {
  const [status, go] = [child.stdio[statusDescriptor], (child.stdio as readonly unknown[])[goDescriptor]];
  if (!(status instanceof Readable) || !(go instanceof Duplex))
    throw new SwiftletError('Internal', 'a sandbox was started without its pipes');
  const stuck = new AbortController();
  const timer = setTimeout(() => stuck.abort(), setUpLimitMs);
  const ended = () => stuck.abort();
  child.once('exit', ended);
  try {
    const [line] = await Promise.all([firstLine(status, stuck.signal), once(go, 'data', { signal: stuck.signal })]);
    // The pipes speak again at the end; nobody needs to hear it, and unread they would hold the child up.
    go.on('error', () => undefined).resume();
    return [statusSchema.parse(JSON.parse(line))['child-pid'], go];
  } catch (error) {
    // Whoever waits inside for the word to go on learns from this that it will not come.
    status.destroy();
    go.destroy();
    throw new SwiftletError('Internal', 'bubblewrap could not set up a sandbox; `swiftlet doctor` says what is missing', { cause: error });
  } finally {
    clearTimeout(timer);
    child.off('exit', ended);
  }
}

/** Ends a child that came to nothing, and collects it. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The first line of a stream, however many pieces it comes in; the rest is read and dropped. */
async function firstLine(stream: Readable, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.includes('\n')) return;
    text += chunk.toString();
    if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
  });
  signal.addEventListener('abort', () => reject(new Error('it ended, or took too long')), { once: true });
  return promise;
}
