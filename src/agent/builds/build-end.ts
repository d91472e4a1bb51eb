/** Why a build broke off, in words. Pure. */
import { SwiftletError } from '../../model/errors.ts';
import { buildMemoryMiB, sandboxPids } from '../../model/limits.ts';
import type { EndFacts } from '../end-reason.ts';
import type { Exceeded } from './build-watch.ts';

export interface BrokenOff {
  readonly facts: Pick<EndFacts, 'oomKills' | 'pidsRefused' | 'tail'>;
  /** What it was ended for, if it was. */
  readonly exceeded: Exceeded | undefined;
  readonly timeoutMs: number;
}

/** Of the limits that were met the one that ended it comes first. */
export function brokenOff({ facts, exceeded, timeoutMs }: BrokenOff): SwiftletError {
  if (exceeded === 'time')
    return failed(`it took over ${timeoutMs / 1_000} s`, 'install less, or raise SWIFTLET_BUILD_TIMEOUT_MS of "swiftlet up"');
  if (exceeded === 'processes' || facts.pidsRefused > 0)
    return failed(`it had over ${sandboxPids} processes and threads`, 'look at what the install scripts start');
  if (facts.oomKills > 0)
    return failed(`it took over ${buildMemoryMiB} MiB of memory, files among them`, 'install less, or look at what the install scripts do');
  const said = facts.tail.trim();
  return failed(
    `its sandbox ended${said === '' ? '' : `: ${said}`}`,
    'deploy again; should it stay so, look at what the install scripts do',
  );
}

const failed = (what: string, remedy: string): SwiftletError => new SwiftletError('BuildFailed', `${what}; ${remedy}`);
