import { now } from './monotonic.mjs';
import { memoryUsage } from './intrinsics.mjs';

const sampleEveryMs = 250;
const bytesPerKiB = 1024;
const { rss } = memoryUsage;
let sampledAt = -Infinity;
let kibibytes = 0;
let besideKiB = () => 0;

/** Has something else counted as this function's, too. @param {() => number} read in KiB; asked as seldom as this process's own */
export function countBeside(read) {
  besideKiB = read;
}

/** Resident memory of this process and what counts beside it, at most 250 ms old: asking for it takes longer than a small handler. */
export function residentKiB() {
  const time = now();
  if (time - sampledAt > sampleEveryMs) {
    sampledAt = time;
    kibibytes = Math.round(rss() / bytesPerKiB) + besideKiB();
  }
  return kibibytes;
}
