/** The driver for development on machines that cannot isolate: a plain child process. It protects nobody from anything. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { closeOnExecFrom } from '../linux/libc.ts';
import { makeChannels } from './channels.ts';
import { killAll } from './remains.ts';
import {
  type BootSpec,
  controlDescriptor,
  type Exit,
  runtimeCommand,
  type SandboxDriver,
  type SandboxProcesses,
} from './sandbox-driver.ts';

export class ProcessDriver implements SandboxDriver {
  onExit: (slot: number, exit: Exit) => void = () => undefined;

  async boot(spec: BootSpec): Promise<SandboxProcesses> {
    const channels = makeChannels(spec.folder, undefined);
    const [command = '', ...args] = runtimeCommand(spec.node.binFolder, spec.node.folder, spec.memoryMiB);
    try {
      closeOnExecFrom(controlDescriptor);
      const child = spawn(command, args, {
        stdio: ['ignore', channels.output, channels.output, channels.socket],
        detached: true,
        cwd: spec.folder,
        env: {
          PATH: `${spec.node.binFolder}:/usr/local/bin:/usr/bin:/bin`,
          HOME: spec.folder,
          TMPDIR: spec.folder,
          LANG: 'C.UTF-8',
          TZ: 'UTC',
        },
      });
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('spawn', () => resolve(child.pid ?? 0));
      });
      child.once('exit', (code, signal) => {
        // Its descendants are in its process group, unless they left it: this driver can do no better.
        killAll([-pid]);
        this.onExit(spec.slot, { code, signal });
      });
      return { outer: pid, inner: pid };
    } catch (error) {
      await this.free(spec.slot, spec.folder);
      throw error;
    } finally {
      channels.close();
    }
  }

  async free(_slot: number, folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }
}
