/** Whether this host can move idle instances' memory to swap, when it pays, and the swap that it makes for that. Decision 0069. */
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { FunctionConfig } from '../model/function.ts';
import { agentPlace, type RoleConfig } from '../role/role-config.ts';
import { hasSysAdmin } from './isolation.ts';
import { makeSwap, removeSwap } from './linux/own-swap.ts';
import { pageOutFault, timePageOut } from './linux/page-out.ts';
import { freeSwapBytes, memoryPerSwappedByte, readSwapAreas, type SwapArea } from './linux/swap-areas.ts';
import { breakEvenMs } from './levels.ts';

const gibibyte = 1024 ** 3;
/** Of swap that came after the start, and was not measured. */
const usualMs = 60_000;
const measuredBytes = 4 * 1024 * 1024;
/** How old what is known of the swap may be: it is asked for each instance that rests. */
const lookEveryMs = 200;
/** A swap that is nearly full takes nothing more: the host may need the rest. */
const keptFree = 1 / 16;

export interface Hibernation extends Disposable {
  /** After how long without requests a function's instance is hibernated; infinite while it cannot be. */
  afterMs(config: Pick<FunctionConfig, 'hibernateMs'>): number;
  /** Whether there is room in swap now. */
  canNow(): boolean;
  /** What a byte takes to come back from swap. */
  readonly backMsPerByte: number;
  /** What a byte that lies in swap takes of the host's memory. */
  memoryPerSwappedByte(): number;
}

/** @param now milliseconds of a monotonic clock */
export async function openHibernation(config: RoleConfig, canFreeze: boolean, now: () => number, log: Logger): Promise<Hibernation> {
  const place = agentPlace(config, config.agent.index);
  const record = swapRecord(place.run);
  const fault = canFreeze ? pageOutFault() : 'instances cannot be frozen here';
  const { swap } = config.agent;
  if (swap === undefined || fault !== undefined || !hasSysAdmin()) {
    takeAway(record, log);
    if (swap !== undefined) log.warn(`no swap is made: ${fault ?? 'only root can'}; idle instances stay frozen instead`);
  } else {
    const file = join(place.data, 'swap');
    await makeSwap({ ...swap, file, record }).then(
      (path) => log.info({ path, bytes: swap.sizeBytes }, 'swap for idle instances'),
      (error: unknown) =>
        log.warn(`no swap could be made (${error instanceof Error ? error.message : String(error)}); idle instances stay frozen instead`),
    );
  }
  let areas: readonly SwapArea[] = [];
  let lookedAt = -Infinity;
  const look = () => {
    if (now() - lookedAt < lookEveryMs) return areas;
    lookedAt = now();
    areas = readSwapAreas();
    return areas;
  };
  const canNow = () => fault === undefined && hasRoom(look());
  const { chosenMs, backMsPerByte } = canNow() ? choose(log) : { chosenMs: usualMs, backMsPerByte: 0 };
  return {
    afterMs: ({ hibernateMs }) => (canNow() ? (hibernateMs ?? chosenMs) : Infinity),
    canNow,
    backMsPerByte,
    memoryPerSwappedByte: () => memoryPerSwappedByte(look()),
    [Symbol.dispose]: () => takeAway(record, log),
  };
}

/** What an agent made as swap is taken away. Root only; does nothing where nothing was made. @param folder the agent's, in the run folder */
export const removeOwnSwap = (folder: string): void => removeSwap(swapRecord(folder));

const swapRecord = (folder: string): string => join(folder, 'swap.path');

function hasRoom(areas: readonly SwapArea[]): boolean {
  const size = areas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return size > 0 && freeSwapBytes(areas) > size * keptFree;
}

function choose(log: Logger): { readonly chosenMs: number; readonly backMsPerByte: number } {
  const { outMs, backMs } = timePageOut(measuredBytes);
  const processorMsPerByte = (outMs + backMs) / measuredBytes;
  const chosenMs = breakEvenMs({ processorMsPerByte, bytesPerProcessor: totalmem() / availableParallelism() });
  log.info({ hibernateMs: chosenMs, msPerGiB: Math.round(processorMsPerByte * gibibyte) }, 'idle instances go to swap');
  return { chosenMs, backMsPerByte: backMs / measuredBytes };
}

function takeAway(record: string, log: Logger): void {
  try {
    removeSwap(record);
  } catch (error) {
    log.error({ err: error }, 'swap that was made could not be taken away; the next start tries again, `swapoff` does it by hand');
  }
}
