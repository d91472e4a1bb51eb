// What a warm runtime does while it waits: it does once what the first request will make it do, so that it is loaded and compiled.
// Each step is short, and the next is taken only while nobody waits for this process.
import { findHandler } from './find-handler.mjs';
import { makeRoomForYoung } from './give-back.mjs';
import { Invocation } from './invocation.mjs';
import { loadHandler } from './load-handler.mjs';
import { warmUpFetch } from './warm-up-fetch.mjs';

const { join } = process.getBuiltinModule('node:path');
const { stripTypeScriptTypes } = process.getBuiltinModule('node:module');

/** A connection that nobody listens to. @type {import('./channel.mjs').Channel} */
const nobody = { streams: new Map(), write: () => undefined, send: () => undefined, flush: () => undefined, drained: () => undefined };
const settings = {
  function: 'rehearsal',
  version: 1,
  instanceId: '',
  handler: 'rehearsal.handler',
  environment: {},
  memoryMiB: 0,
  timeoutMs: 0,
  concurrency: 1,
};

/** A whole invocation of a handler of ours: 3 ms that the first request does not have to wait. */
async function rehearse() {
  const form = await loadHandler(findHandler(import.meta.dirname, settings.handler), settings);
  const headers = ['host', 'localhost', 'accept', '*/*', 'accept', 'text/html', 'cookie', 'a=b'];
  for (const target of ['/', '/path?name=value']) {
    new Invocation(nobody, 1, [0, '', 0, 'GET', target, '', 0, headers], { form, settings }).begin();
  }
}

/** So often a path is joined until V8 has compiled that for good: on a thread of its own, which a start would wait for with few processors. */
const joinsUntilCompiled = 200;

function joinPaths() {
  for (let times = 0; times < joinsUntilCompiled; times++) join(import.meta.dirname, settings.handler);
}

/** What user code is likely to touch first, and costs little memory to have: together 0.5 MB and 5 ms. */
const always = [
  rehearse,
  joinPaths,
  () => import('./rehearsal.cjs'),
  () => new AbortController().signal,
  () => new TextDecoder().decode(new TextEncoder().encode('a')),
  () => performance.now(),
];

/**
 * What some code needs and takes too much memory to have in every sandbox: 7 MB for `fetch`, 12 MB for `typescript`. They
 * save such code 25 ms of its first start.
 * @type {Readonly<Record<string, () => unknown>>}
 */
const onDemand = { fetch: warmUpFetch, typescript: () => stripTypeScriptTypes?.('const a: number = 0;') };

/**
 * @param {readonly string[]} readyFor names among `onDemand`
 * @param {() => boolean} isIdle whether nobody waits for this process yet
 */
export async function prepare(readyFor, isIdle) {
  for (const step of [...always, ...readyFor.map((name) => onDemand[name]), makeRoomForYoung]) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isIdle()) return;
    await step?.();
  }
}
