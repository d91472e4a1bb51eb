import { hrtime } from './intrinsics.mjs';

const perSecond = 1e3;
const perNanosecond = 1e-6;

/** Milliseconds on a clock that only goes forward. The global `performance` is loaded on first use, which takes 0.5 ms. */
export function now() {
  const [seconds, nanoseconds] = hrtime();
  return seconds * perSecond + nanoseconds * perNanosecond;
}
