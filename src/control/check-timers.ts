import { SwiftletError } from '../model/errors.ts';
import type { FunctionConfig } from '../model/function.ts';
import { keepWarmTimer } from '../model/keep-warm.ts';
import { scheduleFault, timerFault } from '../model/schedule.ts';

/** @throws SwiftletError ManifestInvalid for a timer, or a schedule of keeping warm or of scaling, whose zone or expression is none, or that never comes */
export function checkTimers({ timers, keepWarm, scale }: Pick<FunctionConfig, 'timers' | 'keepWarm' | 'scale'>): void {
  for (const [name, timer] of Object.entries(timers)) refuse(`config.timers.${name}`, timerFault(timer));
  if (keepWarm !== undefined) refuse('config.keepWarm', timerFault(keepWarmTimer(keepWarm)));
  for (const [at, schedule] of scale.schedules.entries()) refuse(`config.scale.schedules.${at}`, scheduleFault(schedule));
}

function refuse(where: string, fault: ReturnType<typeof timerFault>): void {
  if (fault === undefined) return;
  const place = `${where}.${fault.member}`;
  throw new SwiftletError('ManifestInvalid', `${place}: ${fault.what}`, { place });
}
