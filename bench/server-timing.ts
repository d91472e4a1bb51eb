import { median } from './statistics.ts';

/** Milliseconds by phase, as a `Server-Timing` header tells them. */
export type Timing = ReadonlyMap<string, number>;

/** Parses `queue;dur=0.1, init;dur=2`. Metrics without a duration are left out. */
export function parseServerTiming(header: string): Timing {
  const entries = header.matchAll(/([\w-]+);dur=([\d.]+)/g);
  return new Map([...entries].map(([, name = '', ms]) => [name, Number(ms)]));
}

/** Where the time of many starts went: the median of each phase, and of what no phase accounts for. */
export function timingNote(starts: readonly { readonly tookMs: number; readonly timing: Timing }[]): string {
  // What a pool had done ahead is told, too; nobody waited for it.
  const phases = [...(starts[0]?.timing.keys() ?? [])].filter((phase) => phase !== 'prepaid');
  const told = phases.map((phase) => `${phase} ${median(starts.map(({ timing }) => timing.get(phase) ?? 0)).toFixed(2)}`);
  const rest = median(starts.map(({ tookMs, timing }) => tookMs - phases.reduce((sum, phase) => sum + (timing.get(phase) ?? 0), 0)));
  return `median of each phase in ms: ${told.join(', ')}; between the phases and on the way to the client ${rest.toFixed(2)}`;
}
