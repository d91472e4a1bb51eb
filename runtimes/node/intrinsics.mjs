// What the runtime leans on and user code may replace, taken before any of it runs: `globalThis.process = …` is a polyfill that
// somebody ships, and must not keep an answer from leaving.

export const { Buffer, Date, Promise, setImmediate, setTimeout, clearTimeout, AbortController } = globalThis;
export const { parse, stringify } = JSON;
export const { env, memoryUsage, version } = process;
export const { defineProperty, entries, hasOwn } = Object;
/** Milliseconds since 1970. */
export const epochMs = Date.now;
export const nextTick = process.nextTick.bind(process);
export const getBuiltinModule = process.getBuiltinModule.bind(process);
export const exit = process.exit.bind(process);
export const hrtime = process.hrtime.bind(process);
export const onceProcess = process.once.bind(process);
