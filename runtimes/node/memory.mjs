const sampleEveryMs = 250;
let sampledAt = -Infinity;
let kibibytes = 0;

/** Resident memory of this process, at most 250 ms old: asking for it costs more than a small handler. */
export function residentKiB() {
  const now = performance.now();
  if (now - sampledAt > sampleEveryMs) {
    sampledAt = now;
    kibibytes = Math.round(process.memoryUsage.rss() / 1024);
  }
  return kibibytes;
}
