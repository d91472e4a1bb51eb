import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { handingOnRights } from '../linux/capabilities.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { IsolationMode } from '../../role/role-config.ts';
import { compiledBefore } from '../../role/compiled-code.ts';
import { siblingModule } from '../../role/sibling-module.ts';
import type { LinesSettings } from '../network/lines.ts';
import type { BubblewrapMeans } from './bubblewrap.ts';
import type { BootSpec, Exit, SandboxDriver, SandboxProcesses } from './sandbox-driver.ts';

/** What the launcher's process needs to make its driver. */
export interface LauncherSettings extends Omit<BubblewrapMeans, 'mounter' | 'cgroups' | 'lines'> {
  readonly isolation: IsolationMode;
  /** Whether it may mount into namespaces. */
  readonly privileged: boolean;
  readonly cgroupFolder: string;
  /** Absent: sandboxes have no way out. */
  readonly lines?: LinesSettings;
}

export type LauncherOrder =
  | { readonly kind: 'boot'; readonly id: number; readonly spec: BootSpec }
  | { readonly kind: 'free'; readonly id: number; readonly slot: number; readonly folder: string }
  | { readonly kind: 'close'; readonly id: number };

export type LauncherAnswer =
  | { readonly kind: 'booted'; readonly id: number; readonly processes: SandboxProcesses }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'exit'; readonly slot: number; readonly exit: Exit };

type Outcome = Exclude<LauncherAnswer, { kind: 'exit' }>;

/**
 * A driver that does its work in a small process of its own: a fork holds up all threads of the process that forks, the longer the
 * more memory it has, and the agent answers gateways meanwhile. Keeps the driver's contract.
 */
export class Launcher implements SandboxDriver {
  readonly #process: ChildProcess;
  readonly #asked = new Map<number, (outcome: Outcome) => void>();
  #lastId = 0;
  #closing = false;
  onExit: (slot: number, exit: Exit) => void = () => undefined;

  /** @param onFailure the process itself ended: nothing can be started any more */
  constructor(settings: LauncherSettings, onFailure: (error: Error) => void) {
    this.#process = handingOnRights(() =>
      fork(fileURLToPath(siblingModule(import.meta.url, './launcher-process')), [JSON.stringify(settings)], {
        execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--initial-old-space-size=8'],
        env: { ...process.env, ...compiledBefore() },
      }),
    );
    this.#process.on('error', onFailure);
    this.#process.once('exit', (code, signal) => {
      if (!this.#closing) onFailure(new Error(`the launcher's process ended with ${String(signal ?? code)}`));
    });
    this.#process.on('message', (message) => this.#take(message as LauncherAnswer));
  }

  async boot(spec: BootSpec): Promise<SandboxProcesses> {
    const outcome = await this.#ask({ kind: 'boot', id: this.#nextId(), spec });
    if (outcome.kind !== 'booted') throw new SwiftletError('Internal', 'the launcher answered a boot with something else');
    return outcome.processes;
  }

  async free(slot: number, folder: string): Promise<void> {
    await this.#ask({ kind: 'free', id: this.#nextId(), slot, folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    const gone = once(this.#process, 'exit');
    await this.#ask({ kind: 'close', id: this.#nextId() });
    this.#process.disconnect();
    await gone;
  }

  #take(answer: LauncherAnswer): void {
    if (answer.kind === 'exit') {
      this.onExit(answer.slot, answer.exit);
      return;
    }
    const settle = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    settle?.(answer);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #ask(order: LauncherOrder): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#asked.set(order.id, (outcome) => {
        if (outcome.kind === 'failed')
          reject(new SwiftletError('Internal', `the sandbox could not be started or removed: ${outcome.message}`));
        else resolve(outcome);
      });
      this.#process.send(order);
    });
  }
}
