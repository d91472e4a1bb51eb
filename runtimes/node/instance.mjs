// A runtime's life: booted → initialising → initialised | failed. It serves one version, once.
import { failureOf } from './failure.mjs';
import { findHandler } from './find-handler.mjs';
import { frame, protocolVersion } from './frames.mjs';
import { Invocation } from './invocation.mjs';
import { loadHandler } from './load-handler.mjs';
import { captureOutput, log, trackRequests } from './logs.mjs';
import { now } from './monotonic.mjs';
import { prepare } from './prepare.mjs';
import { setEnvironment } from './set-environment.mjs';
import { provideAwsLambda } from './streamed-form.mjs';
import { exit, parse, setImmediate, stringify, version } from './intrinsics.mjs';

/**
 * What the platform says of the version, src/wire/instance-protocol.ts.
 * @typedef {object} InitRequest
 * @property {string} function
 * @property {number} version
 * @property {string} instanceId
 * @property {string} codeDir
 * @property {string} handler
 * @property {Record<string, string>} environment
 * @property {number} memoryMiB
 * @property {number} concurrency
 *
 * @typedef {import('./channel.mjs').Channel} Channel
 * @typedef {{ state: 'booted' } | { state: 'initialising', channel: Channel } | { state: 'initialised', served: import('./invocation.mjs').Served } | { state: 'failed' }} Life
 */

export class Instance {
  /** @type {Life} */
  #life = { state: 'booted' };
  /** @type {Set<Channel>} */
  #channels = new Set();

  /** Whether nobody waits for this process yet. */
  get isIdle() {
    return this.#life.state === 'booted';
  }

  /** @param {Channel} channel @param {number} kind @param {number} stream @param {Buffer} payload */
  receive(channel, kind, stream, payload) {
    switch (kind) {
      case frame.invoke:
        this.#invoke(channel, stream, parse(payload.toString()));
        break;
      case frame.requestBody:
        channel.streams.get(stream)?.receive(payload);
        break;
      case frame.requestEnd:
        channel.streams.get(stream)?.receiveEnd();
        break;
      case frame.cancel:
        channel.streams.get(stream)?.cancel();
        break;
      case frame.responseCredit:
        channel.streams.get(stream)?.reply.takeCredit(payload.readUInt32BE(0));
        break;
      case frame.probe:
        channel.send(frame.state, 0, stringify({ protocol: protocolVersion, state: this.#life.state, runtime: version }));
        break;
      case frame.init:
        void this.#initialise(channel, parse(payload.toString()));
        break;
    }
  }

  /** A connection is gone: nobody waits for what came over it. @param {Channel} channel */
  forget(channel) {
    this.#channels.delete(channel);
    for (const invocation of channel.streams.values()) invocation.cancel();
  }

  /** Ends this process, since nobody knows what state the user's code is in: another instance takes its place. @param {unknown} error */
  crash(error) {
    const failure = failureOf(error, this.#life.state === 'initialising' ? 'InitError' : 'HandlerError');
    log('fatal', failure.stack ?? `${failure.type}: ${failure.message}`);
    if (this.#life.state === 'initialising') {
      this.#life.channel.send(frame.initFailed, 0, stringify(failure));
      this.#life.channel.flush();
    }
    for (const channel of this.#channels) {
      for (const invocation of channel.streams.values()) invocation.fail(error);
      channel.flush();
    }
    // Whatever else listens for such errors has its turn, too.
    setImmediate(exit, 1);
  }

  /** @param {Channel} channel @param {number} stream @param {import('./invocation.mjs').InvokeHead} head */
  #invoke(channel, stream, head) {
    if (this.#life.state !== 'initialised' || channel.streams.has(stream)) {
      const message = channel.streams.has(stream) ? 'the stream is in use' : `the runtime is ${this.#life.state}`;
      channel.send(frame.failed, stream, stringify({ code: 'Internal', type: 'Protocol', message: `invoked out of turn: ${message}` }));
      return;
    }
    this.#channels.add(channel);
    const invocation = new Invocation(channel, stream, head, this.#life.served);
    channel.streams.set(stream, invocation);
    invocation.begin();
  }

  /** @param {Channel} channel @param {InitRequest} request */
  async #initialise(channel, request) {
    if (this.#life.state !== 'booted') {
      const message = `initialised out of turn: the runtime is ${this.#life.state}`;
      channel.send(frame.initFailed, 0, stringify({ code: 'InitError', type: 'Protocol', message }));
      return;
    }
    this.#life = { state: 'initialising', channel };
    try {
      const start = now();
      setEnvironment(request);
      trackRequests(request.concurrency > 1);
      const environmentSet = now();
      const found = findHandler(request.codeDir, request.handler);
      const handlerFound = now();
      const form = await loadHandler(found);
      const loaded = now();
      this.#life = { state: 'initialised', served: { form, settings: request } };
      const report = { environmentMs: environmentSet - start, runtimeMs: handlerFound - environmentSet, initMs: loaded - handlerFound };
      channel.send(frame.initialised, 0, stringify(report));
      // Its request, if one waits, comes first.
      if (form.warmUp !== undefined) setImmediate(setImmediate, form.warmUp);
    } catch (error) {
      this.#life = { state: 'failed' };
      const failure = failureOf(error, 'InitError');
      log('error', failure.stack ?? `${failure.type}: ${failure.message}`);
      channel.send(frame.initFailed, 0, stringify(failure));
    }
  }
}

/**
 * Makes this process one that user code can run in.
 * @param {readonly string[]} readyFor what more to have loaded by the time somebody comes, see prepare.mjs
 */
export function openInstance(readyFor) {
  const instance = new Instance();
  captureOutput();
  provideAwsLambda();
  process.on('uncaughtException', (error) => instance.crash(error));
  process.on('unhandledRejection', (reason) => instance.crash(reason));
  void prepare(readyFor, () => instance.isIdle);
  return instance;
}
