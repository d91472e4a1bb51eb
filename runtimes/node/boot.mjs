// The first file of every Node.js sandbox. It listens on descriptor 3, where the platform made a socket before this process began,
// and then waits to be told whose code it is to run. See docs/instance-protocol.md.
import { createServer } from 'node:net';
import { openChannel } from './channel.mjs';
import { failureOf } from './failure.mjs';
import { protocolVersion, type } from './frames.mjs';
import { Invocation } from './invocation.mjs';
import { findHandler, loadHandler } from './load-handler.mjs';
import { captureOutput, log, trackSeveral } from './logs.mjs';
import { prepare } from './prepare.mjs';
import { provideAwsLambda } from './response-stream.mjs';

const controlDescriptor = 3;
const parse = JSON.parse;
const stringify = JSON.stringify;
const exit = process.exit.bind(process);

/** @type {'booted' | 'initialising' | 'initialised' | 'failed'} */
let state = 'booted';
/** @type {{ handler: import('./load-handler.mjs').Handler, settings: any } | undefined} */
let served;
/** @type {Set<import('./channel.mjs').Channel>} */
const channels = new Set();

/** @param {import('./channel.mjs').Channel} channel @param {number} kind @param {number} stream @param {Buffer} payload */
function receive(channel, kind, stream, payload) {
  switch (kind) {
    case type.invoke:
      if (served === undefined || channel.streams.has(stream))
        channel.send(type.failed, stream, stringify({ code: 'Internal', type: 'Protocol', message: 'invoked out of turn' }));
      else {
        const invocation = new Invocation(channel, stream, parse(payload.toString()), served);
        if (!invocation.isOver) channel.streams.set(stream, invocation);
      }
      break;
    case type.requestBody:
      channel.streams.get(stream)?.receive(payload);
      break;
    case type.requestEnd:
      channel.streams.get(stream)?.receiveEnd();
      break;
    case type.cancel:
      channel.streams.get(stream)?.cancel();
      break;
    case type.responseCredit:
      channel.streams.get(stream)?.takeCredit(payload.readUInt32BE(0));
      break;
    case type.probe:
      channel.send(type.state, 0, stringify({ protocol: protocolVersion, state, runtime: process.version }));
      break;
    case type.init:
      void initialise(channel, parse(payload.toString()));
      break;
  }
}

/** @param {import('./channel.mjs').Channel} channel @param {any} request */
async function initialise(channel, request) {
  if (state !== 'booted') {
    channel.send(
      type.initFailed,
      0,
      stringify({ code: 'InitError', type: 'Protocol', message: `initialised out of turn: the runtime is ${state}` }),
    );
    return;
  }
  state = 'initialising';
  try {
    const start = performance.now();
    setEnvironment(request);
    const environmentSet = performance.now();
    const found = findHandler(request.codeDir, request.handler);
    const handlerFound = performance.now();
    served = { handler: await loadHandler(found), settings: request };
    const loaded = performance.now();
    state = 'initialised';
    channel.send(
      type.initialised,
      0,
      stringify({ environmentMs: environmentSet - start, runtimeMs: handlerFound - environmentSet, initMs: loaded - handlerFound }),
    );
  } catch (error) {
    state = 'failed';
    const failure = failureOf(error, 'InitError');
    log('error', failure.stack ?? `${failure.type}: ${failure.message}`);
    channel.send(type.initFailed, 0, stringify(failure));
  }
}

/** @param {any} request */
function setEnvironment({ function: name, version, memoryMiB, codeDir, instanceId, environment, handler, concurrency }) {
  Object.assign(process.env, {
    NODE_ENV: 'production',
    LAMBDA_TASK_ROOT: codeDir,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: String(version),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMiB),
    AWS_LAMBDA_LOG_STREAM_NAME: instanceId,
    _HANDLER: handler,
    ...environment,
  });
  process.chdir(codeDir);
  trackSeveral(concurrency > 1);
}

/** A mistake that no handler caught: nobody knows what state the code is in, so the instance ends and another takes its place. */
function onUncaught(error) {
  const failure = failureOf(error, state === 'initialising' ? 'InitError' : 'HandlerError');
  log('fatal', failure.stack ?? `${failure.type}: ${failure.message}`);
  for (const channel of channels) for (const invocation of channel.streams.values()) invocation.fail(error);
  // The answers leave at the end of this turn.
  setImmediate(() => setImmediate(exit, 1));
}

captureOutput();
provideAwsLambda();
process.on('uncaughtException', onUncaught);
process.on('unhandledRejection', onUncaught);
createServer((socket) =>
  channels.add(
    openChannel(socket, receive, (channel) => {
      channels.delete(channel);
      for (const invocation of channel.streams.values()) invocation.cancel();
    }),
  ),
).listen({ fd: controlDescriptor }, () => setImmediate(() => prepare(() => state === 'booted')));
