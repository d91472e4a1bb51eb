// What user code prints becomes records that carry their request's id.
import { writeRecord } from './output.mjs';
import { Buffer, nextTick, onceProcess } from './intrinsics.mjs';
import { masked } from './secrets.mjs';

const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks');
const { formatWithOptions } = process.getBuiltinModule('node:util');
const { StringDecoder } = process.getBuiltinModule('node:string_decoder');
/** A record's text; the relay keeps no longer lines than this. */
const maxTextBytes = 16 * 1024;
const maxBytesPerCharacter = 3;

/** @typedef {import('./output.mjs').Level} Level */

/**
 * The request that the running code belongs to. Where one is served after the other a variable tells, and what a handler left
 * running in the background counts as the next one's; where several are, the asynchronous context does, at 1 µs a request.
 * @type {import('node:async_hooks').AsyncLocalStorage<string> | undefined}
 */
let context;
let current = '';

/** @param {boolean} several whether this instance takes several requests at once */
export function trackRequests(several) {
  context = several ? new AsyncLocalStorage() : undefined;
}

/** Runs an invocation's code so that its output carries its id. @param {string} requestId @param {() => void} code */
export function withRequest(requestId, code) {
  if (context !== undefined) {
    context.run(requestId, code);
    return;
  }
  current = requestId;
  code();
}

const requestIdNow = () => (context === undefined ? current : (context.getStore() ?? ''));

/** @param {Level} level @param {string} text @param {string} [requestId] */
export function log(level, text, requestId = requestIdNow()) {
  writeRecord(level, cut(masked(text)), requestId);
}

/** @param {string} text */
function cut(text) {
  if (text.length * maxBytesPerCharacter <= maxTextBytes) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxTextBytes) return text;
  const kept = new StringDecoder().write(Buffer.from(text.slice(0, maxTextBytes)).subarray(0, maxTextBytes));
  return `${kept}… (${bytes - Buffer.byteLength(kept)} bytes cut)`;
}

/** Makes console and the two output streams write records. */
export function captureOutput() {
  /** @type {ReadonlyArray<readonly ['log' | 'info' | 'debug' | 'warn' | 'error', Level]>} */
  const levels = [
    ['log', 'info'],
    ['info', 'info'],
    ['debug', 'debug'],
    ['warn', 'warn'],
    ['error', 'error'],
  ]; // prettier-ignore
  for (const [method, level] of levels) console[method] = (...values) => log(level, format(values));
  console.trace = (...values) => {
    const error = { name: 'Trace', message: format(values), stack: '' };
    Error.captureStackTrace(error, console.trace);
    log('trace', error.stack);
  };
  captureStream(process.stdout, 'info');
  captureStream(process.stderr, 'error');
}

/** @param {unknown[]} values */
const format = (values) =>
  values.length === 1 && typeof values[0] === 'string' ? values[0] : formatWithOptions({ colors: false }, ...values);

/** Ends the lines that were begun and not ended. @type {Array<() => void>} */
const unfinished = [];

/** An invocation is over: what it wrote without a line's end is a line now. */
export function logEnd() {
  if (context === undefined) for (const finish of unfinished) finish();
}

/** @param {NodeJS.WriteStream} stream @param {Level} level */
function captureStream(stream, level) {
  const decoder = new StringDecoder();
  let line = '';
  let owner = '';
  const finish = () => {
    if (line === '') return;
    log(level, line, owner);
    line = '';
  };
  /** @param {string} text */
  const take = (text) => {
    const requestId = requestIdNow();
    if (requestId !== owner) finish();
    owner = requestId;
    const lines = text.split('\n');
    line += lines[0] ?? '';
    for (const next of lines.slice(1)) {
      log(level, line, owner);
      line = next;
    }
    if (line.length > maxTextBytes) finish();
  };
  stream.write = /** @type {typeof stream.write} */ (
    /** @param {string | Uint8Array} chunk @param {BufferEncoding | (() => void)} [encoding] @param {() => void} [callback] */
    (chunk, encoding, callback) => {
      const isText = typeof chunk === 'string' && (typeof encoding !== 'string' || encoding.startsWith('utf'));
      take(
        isText
          ? chunk
          : decoder.write(typeof chunk === 'string' ? Buffer.from(chunk, /** @type {BufferEncoding} */ (encoding)) : Buffer.from(chunk)),
      );
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done !== undefined) nextTick(done);
      return true;
    }
  );
  unfinished.push(finish);
  onceProcess('exit', finish);
}
