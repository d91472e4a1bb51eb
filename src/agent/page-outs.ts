/** Instances whose memory is on its way to swap. */
import type { Logger } from 'pino';
import type { Instance } from './instance.ts';

export class PageOuts {
  readonly #log: Logger;
  readonly #moving = new Set<Instance>();

  constructor(log: Logger) {
    this.#log = log;
  }

  has(instance: Instance): boolean {
    return this.#moving.has(instance);
  }

  /** Moves what an instance that is quiet has in memory; freezes it first. A request may come for it meanwhile: then it is thawed. */
  begin(instance: Instance): void {
    const { sandbox, id } = instance;
    if (instance.state.kind === 'idle' && instance.state.isQuiet) {
      sandbox.freeze();
      instance.state = { kind: 'frozen', since: instance.state.since };
    }
    const { state } = instance;
    if (state.kind !== 'frozen' || this.#moving.has(instance)) return;
    this.#moving.add(instance);
    sandbox
      .hibernate()
      .then(() => {
        if (instance.state === state) instance.state = { kind: 'hibernated', since: state.since };
      })
      .catch((error: unknown) => this.#log.warn({ err: error, instance: id }, 'an instance could not be hibernated; it stays frozen'))
      .finally(() => this.#moving.delete(instance));
  }
}
