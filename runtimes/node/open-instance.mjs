// What makes this process one that modules of a function's can run in.
import { findHandler } from './find-handler.mjs';
import { makeRoomForYoung } from './give-back.mjs';
import { Instance } from './instance.mjs';
import { enterLayers } from './layers.mjs';
import { loadHandler } from './load-handler.mjs';
import { captureOutput } from './logs.mjs';
import { prepare } from './prepare.mjs';
import { provideAwsLambda } from './streamed-form.mjs';

const { join } = process.getBuiltinModule('node:path');

/** @type {import('./instance.mjs').FindCode} */
function findModules(codeDir, settings) {
  const { handler, bundle, layers, environment } = settings;
  if (layers !== undefined) enterLayers(layers, environment);
  const found = findHandler(codeDir, handler);
  return () => loadHandler(found, settings, bundle === undefined ? undefined : join(codeDir, bundle));
}

/**
 * @param {ReadonlySet<import('./channel.mjs').Channel>} open all connections that are open, as they come and go
 * @param {readonly string[]} readyFor what more to have loaded by the time somebody comes, see prepare.mjs
 */
export function openInstance(open, readyFor) {
  /** @type {import('./instance.mjs').Preload} */
  const preload = async (request) => {
    // What it is to have done while nobody waits it has done before it is stopped.
    await prepared;
    const { preload: importAll } = await import('./preload.mjs');
    const failed = await importAll(request);
    makeRoomForYoung();
    return failed;
  };
  const instance = new Instance(open, findModules, preload);
  captureOutput();
  provideAwsLambda();
  process.on('uncaughtException', (error) => instance.crash(error));
  process.on('unhandledRejection', (reason) => instance.crash(reason));
  const prepared = prepare(readyFor, () => instance.isIdle);
  return instance;
}
