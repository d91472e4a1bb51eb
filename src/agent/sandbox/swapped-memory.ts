/**
 * A frozen sandbox's memory on its way to swap, and back. What a sandbox touches when it wakes is learned, and read back together the next time, where
 * the kernel would fetch it fault by fault: decision 0110. The way of REAP (Ustiugov et al., "Benchmarking, analysis, and optimization of serverless
 * function snapshots", ASPLOS 2021).
 */
import type { CgroupTree } from '../linux/cgroup.ts';
import { pageInProcess, pageOutProcess, type Range } from '../linux/page-out.ts';
import { residentPages } from '../linux/resident-pages.ts';
import { readSwapAreas } from '../linux/swap-areas.ts';

const mebibyte = 1024 * 1024;
/** One that does not answer keeps no other one from swap. */
const answerLimitMs = 1_000;

export interface SwappedMemoryMeans {
  readonly cgroups: CgroupTree;
  readonly cgroup: string;
  /** Asks its runtime anything: it has answered when this resolves. */
  readonly ask: () => Promise<unknown>;
}

export class SwappedMemory {
  readonly #means: SwappedMemoryMeans;
  /** What its processes touched when it woke last. */
  #hot: readonly { readonly pid: number; readonly ranges: readonly Range[] }[] = [];
  #wasOut = false;
  #isOut = false;

  constructor(means: SwappedMemoryMeans) {
    this.#means = means;
  }

  /**
   * Moves out what only the sandbox has.
   * @param signal aborted when it is thawed: what is on its way stops soon
   * @param isLast whether no other one waits for its turn: memory that is short does not wait for what is learned
   */
  async moveOut(signal: AbortSignal, isLast: () => boolean): Promise<void> {
    const { cgroups, cgroup } = this.#means;
    const isOver = () => signal.aborted;
    if (isOver()) return;
    cgroups.allowSwap(cgroup, true);
    try {
      if (this.#wasOut) await this.#learn(signal);
      await this.#move(signal);
      // In memory that is compressed it is faster than anything that is done about it.
      if (!this.#wasOut && !isOver() && isLast() && readSwapAreas().some(({ kind }) => kind === 'disk') && (await this.#rehearse(signal)))
        await this.#move(signal);
    } finally {
      cgroups.allowSwap(cgroup, false);
    }
    if (!isOver()) this.#wasOut = this.#isOut = true;
  }

  /** It is to be thawed: begins to read back what it will need. Nothing waits for it: what its processes need sooner they fetch themselves. */
  fetch(): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    for (const { pid, ranges } of this.#hot) void pageInProcess(pid, ranges);
  }

  async #move(signal: AbortSignal): Promise<void> {
    const { cgroups, cgroup } = this.#means;
    for (const pid of cgroups.processes(cgroup)) await pageOutProcess(pid, signal);
    // A disk takes its time, and until then, and after it, all lies in memory, too.
    if (!signal.aborted && cgroups.memory(cgroup).swapCachedBytes > mebibyte) await cgroups.dropSwapCached(cgroup);
  }

  /** Wakes it for one answer, so that the first request has something learned, too. @returns whether it is frozen again */
  async #rehearse(signal: AbortSignal): Promise<boolean> {
    const { cgroups, cgroup, ask } = this.#means;
    const late = Promise.withResolvers<undefined>();
    const limit = setTimeout(() => late.resolve(undefined), answerLimitMs);
    cgroups.thaw(cgroup);
    await Promise.race([ask().catch(() => undefined), late.promise]);
    clearTimeout(limit);
    if (signal.aborted) return false;
    cgroups.freeze(cgroup);
    await this.#learn(signal);
    return true;
  }

  /** All that it has in memory, after all was in swap, it has touched. */
  async #learn(signal: AbortSignal): Promise<void> {
    const { cgroups, cgroup } = this.#means;
    const hot = await Promise.all(cgroups.processes(cgroup).map(async (pid) => ({ pid, ranges: await residentPages(pid) })));
    if (!signal.aborted) this.#hot = hot;
  }
}
