/** A function's timers, for people. */
import type { Timer } from '../model/timer.ts';
import type { TimersView } from '../wire/timer-calls.ts';
import { table } from './table.ts';

/** @param runs when they run, as the platform says; undefined when it cannot say */
export function timersTable(timers: Readonly<Record<string, Timer>>, runs: TimersView['timers'] | undefined): string {
  const rows = Object.entries(timers).map(([name, timer]) => {
    const run = runs?.find((one) => one.name === name);
    const next = runs === undefined ? 'not known' : (run?.nextRunAt ?? 'never');
    return [name, scheduleText(timer), timer.timeZone, next, runs === undefined ? 'not known' : (run?.lastRunAt ?? 'never')];
  });
  const shown = table(['TIMER', 'SCHEDULE', 'TIME ZONE', 'NEXT RUN', 'LAST RUN'], rows);
  return runs === undefined ? `${shown}\n\nWhen they run is not known: the event log is away.` : shown;
}

function scheduleText(timer: Timer): string {
  switch (timer.kind) {
    case 'cron':
      return `cron ${timer.expression}`;
    case 'rate':
      return `every ${timer.everyMs / 1_000} s`;
    case 'once':
      return `once at ${timer.at}`;
  }
}
