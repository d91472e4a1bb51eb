/** A request's time as bars below each other. Pure. */
import { type ColdPhase, totalMs, waitedPhases } from '../model/phases.ts';
import type { Report } from '../wire/relay-calls.ts';

/** One step of a request's way. */
export interface Step {
  readonly name: string;
  /** Milliseconds since the request came; below 0 for what had begun by then. */
  readonly atMs: number;
  readonly ms: number;
  /** What had been done of it ahead, for which nobody waited. */
  readonly prepaidMs: number;
}

/** The steps in their order: the queue, the phases of a start, the handler, and what is left until the answer was out. */
export function stepsOf({ queueMs, durationMs, totalMs: wholeMs, coldStart }: Report): Step[] {
  const spans = coldStart?.spans ?? [];
  const handlerAt = queueMs + totalMs(waitedPhases(spans));
  const handlerEnd = handlerAt + durationMs;
  const told = new Set<ColdPhase>();
  const phases = spans.map(({ phase, atMs, ms }) => {
    // A phase with two stretches was prepaid once.
    const prepaidMs = told.has(phase) ? 0 : (coldStart?.prepaid[phase] ?? 0);
    told.add(phase);
    return { name: phase, atMs, ms, prepaidMs };
  });
  return [
    { name: 'queue', atMs: 0, ms: queueMs, prepaidMs: 0 },
    ...phases,
    { name: 'handler', atMs: handlerAt, ms: durationMs, prepaidMs: 0 },
    { name: 'answer', atMs: handlerEnd, ms: Math.max(0, wholeMs - handlerEnd), prepaidMs: 0 },
  ];
}

const waitedCell = '█';
const slimCell = '▏';
const earlierCell = '░';

/** Draws a step between two moments. What it did before the request came is drawn lighter. */
export function barOf({ atMs, ms }: Step, fromMs: number, toMs: number, width: number): string {
  const cellOf = (moment: number) => Math.round(((moment - fromMs) / Math.max(toMs - fromMs, Number.MIN_VALUE)) * width);
  const [start, end, arrival] = [cellOf(atMs), cellOf(atMs + ms), cellOf(0)];
  const cells = (from: number, to: number, cell: string) => cell.repeat(Math.max(0, to - from));
  const bar = cells(start, Math.min(end, arrival), earlierCell) + cells(Math.max(start, arrival), end, waitedCell);
  return ' '.repeat(start) + (bar === '' && ms > 0 ? slimCell : bar);
}

/** Name, beginning, length, what was prepaid, and the bar of each step. */
export function waterfall(report: Report, width: number): string[][] {
  const steps = stepsOf(report);
  const fromMs = Math.min(...steps.map(({ atMs }) => atMs));
  const toMs = Math.max(...steps.map(({ atMs, ms }) => atMs + ms));
  return steps.map((step) => [
    step.name,
    step.atMs.toFixed(2),
    step.ms.toFixed(2),
    step.prepaidMs > 0 ? step.prepaidMs.toFixed(2) : '',
    barOf(step, fromMs, toMs, width),
  ]);
}

/** What all phases of a start took that a request waited for. */
export const startMs = ({ coldStart }: Report): number => (coldStart === undefined ? 0 : totalMs(waitedPhases(coldStart.spans)));
