import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SwiftletError } from '../../model/errors.ts';
import type { IsolationMode } from '../../role/role-config.ts';
import { siblingModule } from '../../role/sibling-module.ts';
import type { BubblewrapMeans } from './bubblewrap.ts';
import type { BootSpec, Exit, SandboxDriver, SandboxProcesses } from './sandbox-driver.ts';

/** What the thread needs to make its driver. */
export interface ThreadSettings extends Omit<BubblewrapMeans, 'mounter' | 'cgroups'> {
  readonly isolation: IsolationMode;
  /** Whether it may mount into namespaces. */
  readonly privileged: boolean;
  readonly cgroupFolder: string;
}

export type ThreadOrder =
  | { readonly kind: 'boot'; readonly id: number; readonly spec: BootSpec }
  | { readonly kind: 'free'; readonly id: number; readonly slot: number; readonly folder: string }
  | { readonly kind: 'close'; readonly id: number };

export type ThreadAnswer =
  | { readonly kind: 'booted'; readonly id: number; readonly processes: SandboxProcesses }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'exit'; readonly slot: number; readonly exit: Exit };

type Outcome = Exclude<ThreadAnswer, { kind: 'exit' }>;

/** A driver that does its work on a thread of its own. Keeps the driver's contract. */
export class SandboxHost implements SandboxDriver {
  readonly #worker: Worker;
  readonly #asked = new Map<number, (outcome: Outcome) => void>();
  #lastId = 0;
  onExit: (slot: number, exit: Exit) => void = () => undefined;

  /** @param onFailure the thread itself ended: nothing can be started any more */
  constructor(settings: ThreadSettings, onFailure: (error: Error) => void) {
    this.#worker = new Worker(siblingModule(import.meta.url, './sandbox-thread'), { workerData: settings, trackUnmanagedFds: false });
    this.#worker.on('error', onFailure);
    this.#worker.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'exit') {
        this.onExit(answer.slot, answer.exit);
        return;
      }
      const settle = this.#asked.get(answer.id);
      this.#asked.delete(answer.id);
      settle?.(answer);
    });
  }

  async boot(spec: BootSpec): Promise<SandboxProcesses> {
    const outcome = await this.#ask({ kind: 'boot', id: this.#nextId(), spec });
    if (outcome.kind !== 'booted') throw new SwiftletError('Internal', 'the sandbox thread answered a boot with something else');
    return outcome.processes;
  }

  async free(slot: number, folder: string): Promise<void> {
    await this.#ask({ kind: 'free', id: this.#nextId(), slot, folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask({ kind: 'close', id: this.#nextId() });
    const gone = once(this.#worker, 'exit');
    await this.#worker.terminate();
    await gone.catch(() => undefined);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #ask(order: ThreadOrder): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#asked.set(order.id, (outcome) => {
        if (outcome.kind === 'failed')
          reject(new SwiftletError('Internal', `the sandbox could not be started or removed: ${outcome.message}`));
        else resolve(outcome);
      });
      this.#worker.postMessage(order);
    });
  }
}
