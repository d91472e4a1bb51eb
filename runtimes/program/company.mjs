// What keeps a program company: its extensions, and the subscribers to its telemetry. Without any it costs a request nothing but a look.
import { addBackground } from '../node/background.mjs';
import { log } from '../node/logs.mjs';
import { Extensions } from './extensions.mjs';
import { findExtensions, startExtensions } from './extension-programs.mjs';
import { lineReader } from './line-reader.mjs';
import { arnOf, traceIdOf } from './next-event.mjs';
import { Telemetry } from './telemetry.mjs';
import { epochMs } from '../node/intrinsics.mjs';

const { basename } = process.getBuiltinModule('node:path');
const bytesPerMiB = 1024 * 1024;
/** As on AWS Lambda: how long extensions have to end. */
const longestFarewellMs = 2_000;
const initializationType = 'on-demand';

/** @typedef {import('../node/invocation.mjs').Invocation} Invocation */

export class Company {
  #paths;
  /** @type {import('./program.mjs').Program[]} */
  #programs = [];
  #begunAt = epochMs();
  /** The invocation that runs, where there is one at a time. @type {string | undefined} */
  #running;
  /** Of this one. */
  #startedAt = 0;
  /** @type {Promise<void> | undefined} */
  #farewell;
  /** Of the invocation that began last: where it is asked for, it has just begun. */
  traceId = '';

  /** @param {readonly string[]} places that may have external extensions: the first one that has @param {import('../node/instance.mjs').InitRequest} settings */
  constructor(places, settings) {
    this.settings = settings;
    this.#paths = findExtensions(places);
    this.extensions = new Extensions(
      this.#paths.map((path) => basename(path)),
      settings.concurrency === 1,
    );
    this.telemetry = new Telemetry();
    const { function: functionName, version } = settings;
    const about = {
      functionName,
      functionVersion: String(version),
      instanceId: settings.instanceId,
      instanceMaxMemory: settings.memoryMiB * bytesPerMiB,
    };
    this.telemetry.platform('initStart', { initializationType, phase: 'init', ...about });
  }

  /** Starts the external ones. @param {import('./program.mjs').Place} place @throws ProgramFailure Extension.LaunchError, Extension.Crash */
  async start(place) {
    if (this.#paths.length === 0) return;
    this.#programs = await startExtensions(this.#paths, { ...place, hear: this.hearer('extension') }, this.extensions);
    await Promise.race([this.extensions.failed, this.#untilRegistered()]);
  }

  /** @returns {Promise<void>} */
  #untilRegistered() {
    return new Promise((resolve) => {
      const look = () => {
        if (this.extensions.areRegistered) resolve();
      };
      this.extensions.onChange = () => look();
      look();
    });
  }

  /** For what somebody prints, as it comes. @param {'function' | 'extension'} source @returns {(chunk: Buffer) => void} */
  hearer(source) {
    return lineReader((line) => this.telemetry.printed(source, line));
  }

  /** The program has asked for its first event. @param {() => void} onReady told whenever all extensions wait for the next event */
  async begun(onReady) {
    const { extensions, telemetry } = this;
    extensions.closeRegistration();
    telemetry.platform('initRuntimeDone', { initializationType, phase: 'init', status: 'success' });
    await Promise.race([extensions.failed, extensions.rest()]);
    extensions.onChange = () => {
      if (extensions.areReady) onReady();
    };
    const durationMs = epochMs() - this.#begunAt;
    telemetry.platform('initReport', { initializationType, phase: 'init', status: 'success', metrics: { durationMs } });
    telemetry.closeSubscription();
  }

  /** Whether the next invocation may begin. */
  get isOpen() {
    return this.extensions.areReady;
  }

  /** @param {Invocation} invocation */
  began({ requestId, head }) {
    this.traceId = traceIdOf(head[7]);
    this.#startedAt = epochMs();
    this.#running = requestId;
    const tracing = { type: 'X-Amzn-Trace-Id', value: this.traceId };
    if (this.telemetry.isHeard) this.telemetry.platform('start', { requestId, version: String(this.settings.version), tracing });
    if (this.extensions.isNone) return;
    this.extensions.invoke({ deadlineMs: Math.round(head[2]), requestId, invokedFunctionArn: arnOf(this.settings), tracing });
  }

  /** @param {Invocation} invocation @param {string} status */
  ended({ requestId, head }, status) {
    this.#running = undefined;
    const durationMs = epochMs() - this.#startedAt;
    if (this.telemetry.isHeard) this.telemetry.platform('runtimeDone', { requestId, status, metrics: { durationMs } });
    if (this.extensions.isNone) return;
    const rest = this.extensions.rest().then(() => this.#report(requestId, status));
    addBackground(rest, head[2], requestId, 'what an extension does after the answer');
  }

  /** @param {string} requestId @param {string} status */
  #report(requestId, status) {
    const durationMs = epochMs() - this.#startedAt;
    const metrics = { durationMs, billedDurationMs: Math.ceil(durationMs), memorySizeMB: this.settings.memoryMiB };
    if (this.telemetry.isHeard) this.telemetry.platform('report', { requestId, status, metrics });
  }

  /** How long an end may take that is announced; 0: nobody wants to know of it. */
  get farewellMs() {
    return this.extensions.wantShutdown || this.telemetry.isHeard ? longestFarewellMs : 0;
  }

  /** Tells of the end, once. Resolves when those that want to know have ended, or had their time. @param {string} why SPINDOWN, TIMEOUT or FAILURE @returns {Promise<void>} */
  end(why) {
    this.#farewell ??= this.#end(why);
    return this.#farewell;
  }

  /** @param {string} why */
  async #end(why) {
    const until = epochMs() + longestFarewellMs;
    if (this.#running !== undefined && this.telemetry.isHeard)
      this.telemetry.platform('runtimeDone', { requestId: this.#running, status: 'failure' });
    const ended = Promise.all(this.#programs.map(({ ended: one }) => one));
    if (this.extensions.wantShutdown) this.extensions.shutdown(why, until);
    // Those that log have what was logged before they end.
    await this.telemetry.close(until - epochMs());
    if (!this.extensions.wantShutdown) return;
    const late = new Promise((resolve) => setTimeout(() => resolve('late'), until - epochMs()));
    if ((await Promise.race([ended, late])) === 'late')
      log('warn', `extensions did not end within ${longestFarewellMs} ms of SHUTDOWN; they are ended`);
  }
}
