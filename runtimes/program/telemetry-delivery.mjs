// Takes events to one subscriber in this sandbox, in batches, by HTTP or over a TCP connection.
import { Buffer, clearTimeout, setTimeout, stringify } from '../node/intrinsics.mjs';

const { request: sendRequest } = process.getBuiltinModule('node:http');
const { connect } = process.getBuiltinModule('node:net');
/** A subscriber is a program of this sandbox, however it calls it. */
const hosts = ['sandbox.localdomain', 'sandbox', 'localhost', '127.0.0.1'];
const here = '127.0.0.1';
const sendLimitMs = 2_000;
const pauseMs = 100;
/** Beyond what is on its way so many batches may wait. */
const waitingBatches = 2;

/** @typedef {{ protocol: 'HTTP', port: number, path: string } | { protocol: 'TCP', port: number }} Destination */

/** @param {unknown} said @returns {Destination | string} what is wrong with it */
export function addressOf(said) {
  const { protocol, URI: uri, port } = Object(said);
  if (protocol === 'TCP') return isPort(port) ? { protocol, port } : 'destination.port should be a port';
  if (protocol !== 'HTTP') return 'destination.protocol should be HTTP or TCP';
  const url = typeof uri === 'string' ? URL.parse(uri) : null;
  if (url === null || url.protocol !== 'http:' || !hosts.includes(url.hostname)) return `URI host should be ${hosts[0]}`;
  return isPort(Number(url.port)) ? { protocol, port: Number(url.port), path: url.pathname } : 'URI port is not provided';
}

/** @param {unknown} port */
const isPort = (port) => typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;

export class Delivery {
  #destination;
  #buffering;
  /** @type {string[]} */
  #waiting = [];
  #waitingBytes = 0;
  #dropped = { records: 0, bytes: 0 };
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {Promise<void> | undefined} */
  #sending;
  #isClosed = false;

  /** @param {Destination} destination @param {import('./telemetry.mjs').Buffering} buffering */
  constructor(destination, buffering) {
    this.#destination = destination;
    this.#buffering = buffering;
  }

  /** @param {object} event */
  add(event) {
    if (this.#isClosed) return;
    const text = stringify(event);
    const { maxItems, maxBytes, timeoutMs } = this.#buffering;
    const bytes = Buffer.byteLength(text);
    if (this.#waiting.length >= maxItems * waitingBatches || this.#waitingBytes + bytes > maxBytes * waitingBatches) {
      this.#dropped = { records: this.#dropped.records + 1, bytes: this.#dropped.bytes + bytes };
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += bytes;
    if (this.#waiting.length >= maxItems || this.#waitingBytes >= maxBytes) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), timeoutMs);
  }

  /** Sends what waits, and takes no more. @param {number} limitMs */
  async close(limitMs) {
    this.#isClosed = true;
    this.#send();
    /** @type {NodeJS.Timeout | undefined} */
    let late;
    const end = new Promise((resolve) => {
      late = setTimeout(() => resolve(undefined), limitMs);
    });
    await Promise.race([this.#sending, end]);
    clearTimeout(late);
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      // What came while the last batch was on its way.
      if (this.#waiting.length > 0 && !this.#isClosed) this.#timer ??= setTimeout(() => this.#send(), this.#buffering.timeoutMs);
    });
  }

  async #sendAll() {
    do {
      const batch = this.#take();
      if (batch.length === 0) return;
      // Who is not there yet, or busy, is asked once more; what it does not take then is lost, and counted.
      if ((await this.#deliver(batch)) || (await this.#again(batch))) continue;
      this.#dropped.records += batch.length;
      this.#dropped.bytes += batch.reduce((sum, text) => sum + text.length, 0);
    } while (this.#waiting.length >= this.#buffering.maxItems || this.#isClosed);
  }

  /** @param {readonly string[]} batch */
  async #again(batch) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return this.#deliver(batch);
  }

  #take() {
    const { records, bytes } = this.#dropped;
    const batch = this.#waiting.splice(0, this.#buffering.maxItems);
    this.#waitingBytes = this.#waiting.reduce((sum, text) => sum + text.length, 0);
    if (records === 0) return batch;
    this.#dropped = { records: 0, bytes: 0 };
    const record = { reason: 'Consumer seems to have fallen behind', droppedRecords: records, droppedBytes: bytes };
    return [stringify({ time: new Date().toISOString(), type: 'platform.logsDropped', record }), ...batch];
  }

  /** @param {readonly string[]} batch @returns {Promise<boolean>} whether it was taken */
  #deliver(batch) {
    return this.#destination.protocol === 'HTTP'
      ? post(this.#destination, `[${batch.join(',')}]`)
      : write(this.#destination.port, `${batch.join('\n')}\n`);
  }
}

/** @param {{ port: number, path: string }} destination @param {string} text @returns {Promise<boolean>} */
function post({ port, path }, text) {
  return new Promise((resolve) => {
    const body = Buffer.from(text);
    const headers = { host: `${hosts[0]}:${port}`, 'content-type': 'application/json', 'content-length': body.length };
    const request = sendRequest({ host: here, port, path, method: 'POST', headers, timeout: sendLimitMs }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode !== undefined && response.statusCode < 300));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.end(body);
  });
}

/** @param {number} port @param {string} text @returns {Promise<boolean>} */
function write(port, text) {
  return new Promise((resolve) => {
    const socket = connect({ host: here, port, timeout: sendLimitMs });
    socket.once('timeout', () => socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(true));
    socket.resume().end(text);
  });
}
