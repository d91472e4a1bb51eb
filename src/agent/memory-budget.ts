/** Holds what sandboxes take of this host's memory below a budget: idle instances give theirs up, the least valuable first. */
import type { Logger } from 'pino';
import { type StepDown, stepsOf, whoStepsDown } from './demote.ts';
import { type Instance, isQuiet, isResting } from './instance.ts';
import { heldBytes } from './levels.ts';
import type { CgroupMemory } from './linux/cgroup.ts';
import type { PageOuts } from './page-outs.ts';
import type { Uses } from './uses.ts';

/** What is kept free of the budget: starts and wakes take memory before anybody can give it up. */
const reserve = 1 / 16;
const complainEveryMs = 60_000;

export interface MemoryBudgetMeans {
  readonly budgetBytes: number;
  /** What all sandboxes have. */
  memory(): CgroupMemory;
  readonly hibernation: { canNow(): boolean; memoryPerSwappedByte(): number; readonly backMsPerByte: number };
  readonly instances: {
    readonly all: Iterable<Instance>;
    isProvisioned(instance: Instance): boolean;
    end(id: string): void;
  };
  readonly pageOuts: Pick<PageOuts, 'has' | 'begin'>;
  readonly uses: Pick<Uses, 'nextUseMs' | 'startMs'>;
  readonly now: () => number;
  readonly log: Logger;
}

export class MemoryBudget {
  readonly #means: MemoryBudgetMeans;
  #complainedAt = -Infinity;

  constructor(means: MemoryBudgetMeans) {
    this.#means = means;
  }

  /** What sandboxes take now. */
  get heldBytes(): number {
    return heldBytes(this.#means.memory(), this.#means.hibernation.memoryPerSwappedByte());
  }

  /** Has the least valuable give memory up as long as there is too little. Reads one file, and when memory is short one for each idle instance. */
  look(): void {
    const { budgetBytes, instances, pageOuts, log, now } = this.#means;
    const held = this.heldBytes;
    const excess = held - budgetBytes * (1 - reserve);
    if (excess <= 0) return;
    const steps = this.#steps();
    // What moves now is on its way out already.
    const onItsWay = [...instances.all].reduce((sum, one) => sum + (pageOuts.has(one) ? one.sandbox.memory().privateBytes : 0), 0);
    for (const { instance, to } of whoStepsDown(steps, excess - onItsWay)) {
      if (to === 'hibernated') pageOuts.begin(instance);
      else instances.end(instance.id);
    }
    if (held <= budgetBytes || steps.length > 0 || now() - this.#complainedAt < complainEveryMs) return;
    this.#complainedAt = now();
    log.warn(
      { held, budget: budgetBytes },
      'sandboxes have more memory than their budget, and no instance is idle; raise the budget, or lower "maximum"',
    );
  }

  #steps(): StepDown<Instance>[][] {
    const { hibernation, instances, pageOuts, uses, now } = this.#means;
    const [canHibernate, compressedPerByte] = [hibernation.canNow(), hibernation.memoryPerSwappedByte()];
    return [...instances.all].flatMap((instance) => {
      const { state, version, sandbox } = instance;
      if (!isResting(state) || !isQuiet(state) || pageOuts.has(instance) || instances.isProvisioned(instance)) return [];
      const { privateBytes, swappedBytes } = sandbox.memory();
      const rest = {
        instance,
        isHibernated: state.kind === 'hibernated',
        canHibernate,
        privateBytes,
        compressedBytes: swappedBytes * compressedPerByte,
        startMs: uses.startMs(version),
        backMsPerByte: hibernation.backMsPerByte,
        compressedPerByte,
        nextUseMs: uses.nextUseMs(version, now()),
      };
      return [stepsOf(rest)];
    });
  }
}
