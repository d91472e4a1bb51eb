import colors from 'picocolors';
import type { IsolationReport } from '../agent/isolation.ts';
import { table } from './output.ts';

/** What protects functions from each other here, and what to do about what is missing. */
export function isolationTable({ facts }: Pick<IsolationReport, 'facts'>): string {
  const rows = facts.map(({ means, inForce, detail, remedy }) => [
    means,
    inForce ? colors.green('in force') : colors.yellow('missing'),
    remedy === undefined ? detail : `${detail}\n${colors.dim('→')} ${remedy}`,
  ]);
  return table(['ISOLATION', '', ''], rows);
}
