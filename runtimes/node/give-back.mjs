// Garbage collected when nobody waits: before the process is moved to swap, where it would be compressed, written, and kept; and before a start, which
// would collect it else.
import { getBuiltinModule } from './intrinsics.mjs';

/** What takes longer keeps a request waiting that comes just now. */
const mostBytes = 256 * 1024 * 1024;

/** Collects all garbage, some 2 ms for each MiB in use; nothing runs meanwhile. Does nothing where very much is in use. */
export function giveBack() {
  if (getBuiltinModule('node:v8').getHeapStatistics().used_heap_size > mostBytes) return;
  collector()({ type: 'major', flavor: 'last-resort' });
}

/**
 * Collects what is young, 0.4 ms; nothing runs meanwhile. What is left has survived twice then, and is not young any more: V8 has its whole
 * space for young objects for what comes.
 */
export function makeRoomForYoung() {
  const collect = collector();
  for (let time = 0; time < 2; time++) collect({ type: 'minor' });
}

/** @returns {NodeJS.GCFunction} */
function collector() {
  const { setFlagsFromString } = getBuiltinModule('node:v8');
  setFlagsFromString('--expose-gc');
  /** @type {NodeJS.GCFunction} */
  const collect = getBuiltinModule('node:vm').runInNewContext('gc');
  // Not for the code of users; and V8's caches of code are of these flags.
  setFlagsFromString('--no-expose-gc');
  return collect;
}
