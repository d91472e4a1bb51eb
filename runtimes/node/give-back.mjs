// Memory that nobody in this process needs, given back before the process is moved to swap: garbage would be compressed, written, and kept there.
import { getBuiltinModule } from './intrinsics.mjs';

/** What takes longer keeps a request waiting that comes just now. */
const mostBytes = 256 * 1024 * 1024;

/** Collects all garbage, some 2 ms for each MiB in use; nothing runs meanwhile. Does nothing where very much is in use. */
export function giveBack() {
  const { getHeapStatistics, setFlagsFromString } = getBuiltinModule('node:v8');
  if (getHeapStatistics().used_heap_size > mostBytes) return;
  setFlagsFromString('--expose-gc');
  /** @type {NodeJS.GCFunction} */
  const collect = getBuiltinModule('node:vm').runInNewContext('gc');
  // Not for the code of users; and V8's caches of code are of these flags.
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', flavor: 'last-resort' });
}
