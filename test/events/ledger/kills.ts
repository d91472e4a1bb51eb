/** Which deaths a run of the ledger has: every named point in turn, and any moment. */
import { faultPoints } from '../../../src/role/fault-points.ts';
import type { Fault } from './ledger-platform.ts';

const mostPasses = 25;
const longestMs = 50;

/** @param chance from 0 to 1 */
export function faultsOf(count: number, chance: () => number): Fault[] {
  const kinds = (['events', 'gateway'] as const).flatMap((role) => [
    ...faultPoints[role].map((point) => () => ({ role, point, passes: 1 + Math.floor(chance() * mostPasses) })),
    () => ({ role, afterMs: chance() * longestMs }),
  ]);
  return Array.from({ length: count }, (_, at) => kinds[at % kinds.length]?.() ?? []).flat();
}

export const nameOf = (fault: Fault): string => ('point' in fault ? fault.point : `${fault.role} at any moment`);
