import { colours } from './colours.ts';
import type { IsolationReport } from '../agent/isolation.ts';
import { table } from './table.ts';

/** What protects functions from each other here, and what to do about what is missing. */
export function isolationTable({ facts }: Pick<IsolationReport, 'facts'>): string {
  const rows = facts.map(({ means, inForce, detail, remedy }) => [
    means,
    inForce ? colours.green('in force') : colours.yellow('missing'),
    remedy === undefined ? detail : `${detail}\n${colours.dim('→')} ${remedy}`,
  ]);
  return table(['ISOLATION', '', ''], rows);
}
