import type { Starts } from './api-client.ts';
import { table } from './table.ts';

/** How a function's starts went, for people. */
export function startsTable({ warm, thawed, awakened, provisioned, cold, recent }: Starts): string {
  const found = [
    [warm, 'warm'],
    [thawed, 'thawed'],
    [awakened, 'awakened'],
    [provisioned, 'provisioned'],
    [cold, 'cold'],
  ] as const;
  // Most functions have no provisioned instances, and many are never frozen.
  const told = found.filter(([count, how]) => count > 0 || how === 'warm' || how === 'cold');
  const counts = `Starts: ${told.map(([count, how]) => `${count} ${how}`).join(', ')}.`;
  if (recent.count === 0) return counts;
  const rows = recent.phases.map(({ phase, waited, prepaid }) => [
    phase,
    waited.p50Ms.toFixed(2),
    waited.p95Ms.toFixed(2),
    prepaid.p50Ms.toFixed(2),
    prepaid.p95Ms.toFixed(2),
  ]);
  const whole = ['together', recent.waited.p50Ms.toFixed(2), recent.waited.p95Ms.toFixed(2), '', ''];
  const head = ['PHASE (ms)', 'WAITED p50', 'p95', 'PREPAID p50', 'p95'];
  const which = recent.count === 1 ? 'the last cold one' : `the last ${recent.count} cold ones`;
  return `${counts} Of ${which}:\n${table(head, [...rows, whole])}`;
}
