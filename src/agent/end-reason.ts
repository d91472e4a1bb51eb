import type { ErrorCode } from '../model/errors.ts';
import type { Exit } from './sandbox/sandbox-driver.ts';

/** What is known of a sandbox that has ended. */
export interface EndFacts {
  readonly exit: Exit;
  readonly oomKills: number;
  readonly pidsRefused: number;
  /** The last bytes of its output. */
  readonly tail: string;
}

export interface EndReason {
  readonly code: ErrorCode;
  readonly detail: string;
}

const signalOf = ({ code, signal }: Exit): string | undefined =>
  signal ?? (code !== null && code > 128 ? `signal ${code - 128}` : undefined);
/** What V8 says, and what a JVM that is told to end at it does. */
const outOfMemory =
  /heap out of memory|Fatal process out of memory|Allocation failed - JavaScript|OOM error in V8|Terminating due to java\.lang\.OutOfMemoryError/;

/** Why an instance ended that nobody asked to end, in words for the function's author. */
export function endReason(name: string, memoryMiB: number, facts: EndFacts): EndReason {
  if (facts.oomKills > 0 || outOfMemory.test(facts.tail)) {
    return {
      code: 'OutOfMemory',
      detail: `function "${name}" exceeded its memory limit of ${memoryMiB} MiB; raise "memory" or hold less at once`,
    };
  }
  if (facts.pidsRefused > 0) {
    return {
      code: 'FunctionCrashed',
      detail: `function "${name}" was ended because it started more processes and threads than a sandbox may have`,
    };
  }
  const signal = signalOf(facts.exit);
  if (signal !== undefined)
    return { code: 'FunctionCrashed', detail: `function "${name}" was ended by ${signal}; its log has its last words` };
  if (facts.exit.code === null) return { code: 'FunctionCrashed', detail: `function "${name}" ended; its log has its last words` };
  return {
    code: 'FunctionCrashed',
    detail: `function "${name}" exited with code ${facts.exit.code} before it answered; a handler must return, not exit`,
  };
}
