import { now } from './monotonic.mjs';
import { memoryUsage } from './intrinsics.mjs';

const sampleEveryMs = 250;
const bytesPerKiB = 1024;
const { rss } = memoryUsage;
let sampledAt = -Infinity;
let kibibytes = 0;

/** Resident memory of this process, at most 250 ms old: asking for it takes longer than a small handler. */
export function residentKiB() {
  const time = now();
  if (time - sampledAt > sampleEveryMs) {
    sampledAt = time;
    kibibytes = Math.round(rss() / bytesPerKiB);
  }
  return kibibytes;
}
