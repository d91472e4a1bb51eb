/** Which idle instances give memory up when it is short: those whose bytes are worth least. Pure. Decision 0070. */

/** An instance at rest that could go one level down. */
export interface StepDown<K> {
  readonly instance: K;
  /** Where it would go. */
  readonly to: 'hibernated' | 'gone';
  /** What that frees of the host's memory. */
  readonly freedBytes: number;
  /** What its next request would wait longer. */
  readonly costMs: number;
  /** When that is likely to come. */
  readonly nextUseMs: number;
}

/** What keeping a byte where it is saves: how soon it is used × what going down costs ÷ what it frees. */
export const worthOf = ({ freedBytes, costMs, nextUseMs }: Omit<StepDown<unknown>, 'instance' | 'to'>): number =>
  costMs / Math.max(1, nextUseMs) / Math.max(1, freedBytes);

/**
 * The least valuable step first, as many as it takes to free so many bytes; those that free nothing are left alone.
 * @param chains for each instance the steps before it, in their order: one that has taken the first may take the next
 * @returns where each of those that step down ends
 */
export function whoStepsDown<K>(chains: readonly (readonly StepDown<K>[])[], excessBytes: number): StepDown<K>[] {
  const open = chains.map((steps) => ({ steps: steps.filter(({ freedBytes }) => freedBytes > 0), taken: 0 }));
  let left = excessBytes;
  while (left > 0) {
    let best: { readonly chain: (typeof open)[number]; readonly step: StepDown<K>; readonly worth: number } | undefined;
    for (const chain of open) {
      const step = chain.steps[chain.taken];
      const worth = step === undefined ? Infinity : worthOf(step);
      if (step !== undefined && (best === undefined || worth < best.worth)) best = { chain, step, worth };
    }
    if (best === undefined) break;
    best.chain.taken += 1;
    left -= best.step.freedBytes;
  }
  return open.flatMap(({ steps, taken }) => steps[taken - 1] ?? []);
}

/** What an instance would give up, and what that would cost it. */
export interface Resting<K> {
  readonly instance: K;
  readonly isHibernated: boolean;
  readonly canHibernate: boolean;
  /** In memory; what its part of zram takes of it. */
  readonly privateBytes: number;
  readonly compressedBytes: number;
  /** What a start of its version takes, and what a byte takes to come back from swap. */
  readonly startMs: number;
  readonly backMsPerByte: number;
  readonly compressedPerByte: number;
  readonly nextUseMs: number;
}

/** The steps that lie before an instance. A wake never costs as much as a start: else nobody would hibernate it. */
export function stepsOf<K>(rest: Resting<K>): StepDown<K>[] {
  const { instance, isHibernated, canHibernate, privateBytes, compressedBytes, startMs, backMsPerByte, compressedPerByte, nextUseMs } =
    rest;
  const held = privateBytes + compressedBytes;
  const wakeMs = (bytes: number) => Math.min(startMs / 2, bytes * backMsPerByte);
  const step = (to: StepDown<K>['to'], freedBytes: number, costMs: number) => ({ instance, to, freedBytes, costMs, nextUseMs });
  if (isHibernated) return [step('gone', held, startMs - wakeMs(compressedPerByte === 0 ? 0 : compressedBytes / compressedPerByte))];
  if (!canHibernate) return [step('gone', held, startMs)];
  const stays = privateBytes * compressedPerByte;
  const back = wakeMs(privateBytes);
  return [step('hibernated', privateBytes - stays, back), step('gone', stays + compressedBytes, startMs - back)];
}
