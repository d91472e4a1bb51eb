import { SwiftletError } from '../model/errors.ts';
import type { FunctionConfig } from '../model/function.ts';
import { timerFault } from '../model/schedule.ts';

/** @throws SwiftletError ManifestInvalid for a timer whose zone or expression is none, or that never comes */
export function checkTimers({ timers }: Pick<FunctionConfig, 'timers'>): void {
  for (const [name, timer] of Object.entries(timers)) {
    const fault = timerFault(timer);
    if (fault === undefined) continue;
    const place = `config.timers.${name}.${fault.member}`;
    throw new SwiftletError('ManifestInvalid', `${place}: ${fault.what}`, { place });
  }
}
