/** Sandboxes outlive a killed agent; their processes then become children of the supervisor, which must collect them when they end. */
import { readFileSync } from 'node:fs';
import { becomeSubreaper, collect } from '../../agent/linux/child-reaper.ts';
import { childrenOf } from '../../agent/sandbox/remains.ts';

/**
 * Collects every ended child that is not one of ours.
 * @param ours the pids whose ends Node.js itself waits for
 */
export function adoptOrphans(ours: () => readonly number[]): Disposable {
  becomeSubreaper();
  const collectEnded = () => {
    const own = new Set(ours());
    for (const pid of childrenOf(process.pid)) if (!own.has(pid) && isZombie(pid)) collect(pid);
  };
  process.on('SIGCHLD', collectEnded);
  return {
    [Symbol.dispose]() {
      process.off('SIGCHLD', collectEnded);
      // Those whose signal has not been read yet would be left to the host's first process.
      collectEnded();
    },
  };
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
