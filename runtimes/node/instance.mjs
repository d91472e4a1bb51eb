// A runtime's life: booted → dedicated → initialising → initialised | failed. It serves one version, once.
import { failureOf } from './failure.mjs';
import { frame, protocolVersion } from './frames.mjs';
import { HeldFrames } from './held-frames.mjs';
import { Invocation } from './invocation.mjs';
import { log, trackRequests } from './logs.mjs';
import { now } from './monotonic.mjs';
import { Rest } from './rest.mjs';
import { enterCode, setEnvironment } from './set-environment.mjs';
import { exit, parse, setImmediate, stringify, version } from './intrinsics.mjs';

/**
 * What the platform says of the version, src/wire/instance-protocol.ts.
 * @typedef {object} InitRequest
 * @property {string} [runtime] by its name; a platform of an older release does not tell
 * @property {string} function
 * @property {number} version
 * @property {string} instanceId
 * @property {string} handler
 * @property {import('./detect-form.mjs').FormName} [form] undefined: it is seen
 * @property {'1.0'} [payload] how HTTP requests look as events; undefined: in format 2.0
 * @property {Record<string, string>} environment
 * @property {readonly import('./secrets.mjs').Secret[]} [secrets]
 * @property {string} [layers] the folder that their files are in once the code is there
 * @property {string} [bundle]
 * @property {number} memoryMiB
 * @property {number} [initTimeoutMs]
 * @property {number} timeoutMs
 * @property {number} concurrency
 *
 * Finds what is to be evaluated; what it returns evaluates it.
 * @typedef {(codeDir: string, request: InitRequest) => () => Promise<import('./invocation.mjs').Form>} FindCode
 *
 * @typedef {{ readonly modules: readonly string[], readonly layers?: string }} PreloadRequest
 * @typedef {(request: PreloadRequest) => Promise<{ module: string, message: string }[]>} Preload
 *
 * @typedef {import('./channel.mjs').Channel} Channel
 * @typedef {{ state: 'booted' } | { state: 'dedicated', request: InitRequest, environmentMs: number } | { state: 'initialising', channel: Channel } | { state: 'initialised', served: import('./invocation.mjs').Served } | { state: 'failed' }} Life
 */

export class Instance {
  /** @type {Life} */
  #life = { state: 'booted' };
  #held = new HeldFrames();
  /** @type {Set<Channel>} */
  #channels = new Set();
  #rest;
  #find;
  #import;

  /** @param {ReadonlySet<Channel>} open all connections that are open @param {FindCode} find @param {Preload} [preload] where modules can be imported ahead */
  constructor(open, find, preload = async () => []) {
    this.#rest = new Rest(open);
    this.#find = find;
    this.#import = preload;
  }

  /** Whether nobody waits for this process yet. */
  get isIdle() {
    return this.#life.state === 'booted';
  }

  /** @param {Channel} channel @param {number} kind @param {number} stream @param {Buffer} payload */
  receive(channel, kind, stream, payload) {
    switch (kind) {
      case frame.probe:
        channel.send(frame.state, 0, stringify({ protocol: protocolVersion, state: this.#life.state, runtime: version }));
        break;
      case frame.init:
        this.#dedicate(channel, parse(payload.toString()));
        break;
      case frame.preload:
        void this.#preload(channel, parse(payload.toString()));
        break;
      case frame.rest:
        this.#rest.ask(channel, payload.length > 0);
        break;
      case frame.load:
        void this.#initialise(channel, payload.toString());
        break;
      case frame.end:
        void this.#end(payload.toString());
        break;
      default:
        if (this.#life.state === 'initialised' || this.#life.state === 'failed') this.#serve(channel, kind, stream, payload, 0);
        else this.#held.hold(channel, kind, stream, payload);
    }
  }

  /** A connection is gone: nobody waits for what came over it. @param {Channel} channel */
  forget(channel) {
    this.#channels.delete(channel);
    this.#held.forget(channel);
    for (const invocation of channel.streams.values()) invocation.abandon();
    this.#rest.forget(channel);
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

  /** @param {Channel} channel @param {number} kind @param {number} stream @param {Buffer} payload @param {number} heldMs how long the frame was kept */
  #serve(channel, kind, stream, payload, heldMs) {
    if (kind === frame.invoke) {
      const head = parse(payload.toString());
      head[2] += heldMs;
      this.#invoke(channel, stream, head);
      return;
    }
    const invocation = channel.streams.get(stream);
    if (kind === frame.requestBody) invocation?.receive(payload);
    else if (kind === frame.requestEnd) invocation?.receiveEnd();
    else if (kind === frame.cancel) invocation?.cancel();
    else if (kind === frame.goAway) invocation?.goAway();
    else if (kind === frame.callAnswer) invocation?.takeCallAnswer(payload);
    else if (kind === frame.responseCredit) invocation?.reply.takeCredit(payload.readUInt32BE(0));
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

  /** Still nobody's: it imports what its pool has, and is as it was otherwise. @param {Channel} channel @param {PreloadRequest} request */
  async #preload(channel, request) {
    channel.send(frame.preloaded, 0, stringify({ failed: await this.#import(request) }));
  }

  /** All that can be done for a version before its code is there. @param {Channel} channel @param {InitRequest} request */
  #dedicate(channel, request) {
    if (this.#life.state !== 'booted') {
      this.#refuse(channel);
      return;
    }
    const start = now();
    setEnvironment(request);
    trackRequests(request.concurrency > 1);
    // They are where code finds them, and nowhere else.
    delete request.secrets;
    this.#life = { state: 'dedicated', request, environmentMs: now() - start };
  }

  /** @param {Channel} channel @param {string} codeDir */
  async #initialise(channel, codeDir) {
    if (this.#life.state !== 'dedicated') {
      this.#refuse(channel);
      return;
    }
    const { request, environmentMs } = this.#life;
    this.#life = { state: 'initialising', channel };
    try {
      const start = now();
      enterCode(codeDir);
      const evaluate = this.#find(codeDir, request);
      const handlerFound = now();
      const form = await evaluate();
      const loaded = now();
      this.#life = { state: 'initialised', served: { form, settings: request } };
      const { bootMs = 0 } = form;
      const times = { environmentMs, runtimeMs: handlerFound - start + bootMs, initMs: loaded - handlerFound - bootMs };
      channel.send(frame.initialised, 0, stringify({ ...times, farewellMs: form.farewell?.limitMs }));
      // What was held may keep this thread for long.
      channel.flush();
      this.#held.release((from, kind, stream, payload, heldMs) => this.#serve(from, kind, stream, payload, heldMs));
      // Its request, if one waits, comes first.
      if (form.warmUp !== undefined) setImmediate(setImmediate, form.warmUp);
    } catch (error) {
      this.#life = { state: 'failed' };
      const failure = failureOf(error, 'InitError');
      log('error', failure.stack ?? `${failure.type}: ${failure.message}`);
      channel.send(frame.initFailed, 0, stringify(failure));
    }
  }

  /** @param {string} why */
  async #end(why) {
    if (this.#life.state === 'initialised') await this.#life.served.form.farewell?.say(why);
    exit(0);
  }

  /** @param {Channel} channel */
  #refuse(channel) {
    const message = `initialised out of turn: the runtime is ${this.#life.state}`;
    channel.send(frame.initFailed, 0, stringify({ code: 'InitError', type: 'Protocol', message }));
  }
}
