// Records on descriptor 1, each a line: \x1e and a JSON array [level, unix ms, request id, text]. They are written at once, so that a
// crash right after one loses nothing. The pipe may be full while the platform is away or slow: then a record waits a little, those
// after it are dropped, and a mark says how many.
import { Buffer, stringify } from './intrinsics.mjs';

const { writeSync } = process.getBuiltinModule('node:fs');
const { now } = Date;
const descriptor = 1;
const patienceMs = 100;
const pauseMs = 2;
const empty = Buffer.alloc(0);
const pause = new Int32Array(new SharedArrayBuffer(4));

/** The rest of a record whose beginning is in the pipe. */
let torn = empty;
let dropped = 0;
let isClogged = false;

/** @typedef {'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'} Level */

/** @param {Level} level @param {string} text @param {string} requestId empty when it is no request's */
export function writeRecord(level, text, requestId) {
  const mark =
    dropped > 0 ? lineOf('warn', `… ${dropped} records were dropped: they were written faster than they could be stored`, '') : '';
  const fresh = Buffer.from(mark + lineOf(level, text, requestId));
  const bytes = torn.length > 0 ? Buffer.concat([torn, fresh]) : fresh;
  const written = writeWithin(bytes, isClogged ? 0 : patienceMs);
  isClogged = written < bytes.length;
  if (isClogged && written <= torn.length) {
    torn = torn.subarray(written);
    dropped += 1;
  } else {
    torn = bytes.subarray(written);
    dropped = 0;
  }
}

/** @param {Level} level @param {string} text @param {string} requestId */
const lineOf = (level, text, requestId) => `\x1e${stringify([level, now(), requestId, text])}\n`;

/** @param {Buffer} bytes @param {number} waitMs @returns {number} how many bytes went out */
function writeWithin(bytes, waitMs) {
  let written = 0;
  for (let waited = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      // Nobody will ever read a pipe that is broken otherwise.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return bytes.length;
      if (waited >= waitMs) break;
      Atomics.wait(pause, 0, 0, pauseMs);
      waited += pauseMs;
    }
  }
  return written;
}
