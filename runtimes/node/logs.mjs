// What user code prints becomes one record a line on descriptor 1: \x1e and a JSON array [level, unix ms, request id, text].
// Written at once, so that a crash right after a line loses nothing.
import { AsyncLocalStorage } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import { formatWithOptions } from 'node:util';

const maxTextCharacters = 256 * 1024;
const fullPipeTries = 50;
const stringify = JSON.stringify;
const now = Date.now;

/** Which invocation the running code belongs to. Entered only where several run at once. */
const running = new AsyncLocalStorage();
let current = '';
let several = false;

/** @param {boolean} many whether this instance takes several requests at once */
export const trackSeveral = (many) => {
  several = many;
};

/** Runs an invocation's code so that its output carries its id. @template T @param {string} requestId @param {() => T} code */
export function withRequest(requestId, code) {
  current = requestId;
  return several ? running.run(requestId, code) : code();
}

/** @param {'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'} level @param {string} text */
export function log(level, text) {
  const id = (several ? running.getStore() : current) ?? '';
  const cut =
    text.length > maxTextCharacters ? `${text.slice(0, maxTextCharacters)}… (${text.length - maxTextCharacters} characters cut)` : text;
  write(`\x1e${stringify([level, now(), id, cut])}\n`);
}

/** @param {string} line */
function write(line) {
  let bytes = Buffer.from(line);
  for (let tries = 0; bytes.length > 0 && tries < fullPipeTries; tries++) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') return;
      Atomics.wait(pause, 0, 0, 2);
    }
  }
}
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Makes console and the two streams write records. */
export function captureOutput() {
  const levels = { log: 'info', info: 'info', debug: 'debug', warn: 'warn', error: 'error', trace: 'trace' };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...values) => {
      const text = formatWithOptions({ colors: false }, ...values);
      log(level, method === 'trace' ? `Trace: ${text}\n${new Error().stack?.split('\n').slice(2).join('\n')}` : text);
    };
  }
  capture(process.stdout, 'info');
  capture(process.stderr, 'error');
}

/** @param {NodeJS.WriteStream} stream @param {'info' | 'error'} level */
function capture(stream, level) {
  let rest = '';
  stream.write = /** @type {typeof stream.write} */ (
    (chunk, encoding, callback) => {
      rest += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const end = rest.lastIndexOf('\n');
      if (end >= 0 || rest.length > maxTextCharacters) {
        const whole = end >= 0 ? rest.slice(0, end) : rest;
        rest = end >= 0 ? rest.slice(end + 1) : '';
        for (const line of whole.split('\n')) log(level, line);
      }
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') process.nextTick(done);
      return true;
    }
  );
  process.once('exit', () => {
    if (rest !== '') log(level, rest);
  });
}
