/** The driver for development on machines that cannot isolate: a plain child process. It protects nobody from anything. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { closeOnExecFrom } from '../linux/libc.ts';
import { type Channels, makeChannels } from './channels.ts';
import { endSlot, killAll } from './remains.ts';
import {
  type BootSpec,
  controlDescriptor,
  type Exit,
  runtimeCommand,
  type SandboxDriver,
  type SandboxProcesses,
  tmpVariable,
} from './sandbox-driver.ts';

export class ProcessDriver implements SandboxDriver {
  readonly #group: number | undefined;
  onExit: (slot: number, exit: Exit) => void = () => undefined;

  /** @param group that the other roles are in, when they are users of their own */
  constructor(group: number | undefined) {
    this.#group = group;
  }

  async boot(spec: BootSpec): Promise<SandboxProcesses> {
    let channels: Channels | undefined;
    const { language, interpreter, folder } = spec.runtime;
    const [command = '', ...args] = runtimeCommand(language, interpreter, folder, spec.memoryMiB);
    try {
      channels = makeChannels(spec.folder, this.#group);
      closeOnExecFrom(controlDescriptor);
      const child = spawn(command, args, {
        stdio: ['ignore', channels.output, channels.output, channels.socket],
        detached: true,
        cwd: spec.folder,
        env: {
          PATH: `${dirname(interpreter)}:/usr/local/bin:/usr/bin:/bin`,
          HOME: spec.folder,
          [tmpVariable]: spec.folder,
          LANG: 'C.UTF-8',
          TZ: 'UTC',
        },
      });
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('spawn', () => resolve(child.pid ?? 0));
      });
      child.once('exit', (code, signal) => void this.#end(spec, pid, { code, signal }));
      return { outer: pid, inner: pid };
    } catch (error) {
      await this.free(spec.slot, spec.folder);
      throw error;
    } finally {
      channels?.close();
    }
  }

  /** Ends what the process has started. What took both an environment and a process group of its own gets away: nothing protects here. */
  async #end({ slot, folder }: BootSpec, pid: number, exit: Exit): Promise<void> {
    killAll([-pid]);
    await endSlot(slot, { slotsFolder: dirname(folder), uids: undefined });
    this.onExit(slot, exit);
  }

  async free(_slot: number, folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }
}
