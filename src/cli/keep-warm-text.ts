import type { KeepWarm } from '../model/keep-warm.ts';
import { printable } from './printable.ts';

/** When a function is called to be kept warm, for people. */
export function keepWarmText(keepWarm: KeepWarm): string {
  const when =
    keepWarm.kind === 'rate' ? `every ${keepWarm.everyMs / 1_000} s` : printable(`${keepWarm.expression} (${keepWarm.timeZone})`);
  return keepWarm.callsHandler ? `${when}, by its handler` : when;
}
