/** Which functions a function called, and which called it, for people. */
import type { FunctionCalls } from '../wire/gateway-calls.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

/** @returns undefined when there were none */
export function callsTable({ since, calls }: FunctionCalls): string | undefined {
  if (calls.length === 0) return undefined;
  const rows = calls.map(({ caller, callee, kind, outcome, count }) => [caller, printable(callee), kind, outcome, String(count)]);
  return table([`CALLS SINCE ${since}`, 'TO', 'KIND', 'OUTCOME', 'COUNT'], rows);
}
