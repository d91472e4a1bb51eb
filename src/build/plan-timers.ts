/** A function's timers, from how the manifest writes them to how its configuration has them. */
import { timerFault } from '../model/schedule.ts';
import { type Timer, timerSchema } from '../model/timer.ts';
import type { TimerEntry } from './manifest-schema.ts';

export interface TimerMistake {
  /** From the function on, as the manifest has it: `timers`, the timer's name, its key. */
  readonly path: readonly string[];
  readonly what: string;
}

/** @param refuse called with the first mistake; it throws */
export function planTimers(entries: Readonly<Record<string, TimerEntry>>, refuse: (mistake: TimerMistake) => never): Record<string, Timer> {
  const planned = Object.entries(entries).map(([name, entry]) => {
    const timer = timerOf(entry);
    const fault = timerFault(timer);
    if (fault !== undefined) refuse({ path: ['timers', name, fault.member === 'expression' ? 'cron' : fault.member], what: fault.what });
    return [name, timer] as const;
  });
  return Object.fromEntries(planned);
}

function timerOf({ cron, rate, at, timeZone, start, end, jitter, missed }: TimerEntry): Timer {
  const common = { timeZone, jitterMs: jitter, missed };
  if (at !== undefined) return timerSchema.parse({ kind: 'once', at, ...common });
  const repeated = { ...common, start, end };
  if (rate !== undefined) return timerSchema.parse({ kind: 'rate', everyMs: rate, ...repeated });
  return timerSchema.parse({ kind: 'cron', expression: cron, ...repeated });
}
