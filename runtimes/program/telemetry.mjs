// AWS Lambda's Telemetry API (2022-07-01): who has subscribed to what is logged here, and the events that they get.
import { addressOf, Delivery } from './telemetry-delivery.mjs';

const versions = ['2022-07-01', '2022-12-13', '2025-01-29'];
const types = ['platform', 'function', 'extension'];
const limits = {
  maxItems: { least: 1_000, most: 10_000, usual: 1_000 },
  maxBytes: { least: 262_144, most: 1_048_576, usual: 262_144 },
  timeoutMs: { least: 25, most: 30_000, usual: 1_000 },
};

/**
 * @typedef {'platform' | 'function' | 'extension'} Source
 * @typedef {{ maxItems: number, maxBytes: number, timeoutMs: number }} Buffering
 * @typedef {{ status: number, type: string, message: string }} RefusedSubscription
 */

export class Telemetry {
  /** By the extension's name. @type {Map<string, { types: readonly string[], delivery: Delivery }>} */
  #subscribers = new Map();
  /** What went before the first subscription: the platform's events of the init. @type {object[]} */
  #early = [];
  #isOpen = true;

  /** Whether anybody gets anything: who asks need not make it otherwise. */
  get isHeard() {
    return this.#subscribers.size > 0;
  }

  /** @param {string} name of the extension @param {unknown} body @returns {RefusedSubscription | undefined} */
  subscribe(name, body) {
    if (!this.#isOpen)
      return { status: 403, type: 'Telemetry.SubscriptionClosed', message: 'Telemetry API subscription is closed already' };
    const wanted = readSubscription(body);
    if ('problems' in wanted) return { status: 400, type: 'ValidationError', message: wanted.problems.join('; ') };
    const { destination, buffering } = wanted;
    void this.#subscribers.get(name)?.delivery.close(0);
    const delivery = new Delivery(destination, buffering);
    this.#subscribers.set(name, { types: wanted.types, delivery });
    if (wanted.types.includes('platform')) for (const event of this.#early) delivery.add(event);
    this.platform('telemetrySubscription', { name, state: 'Subscribed', types: wanted.types });
    return undefined;
  }

  /** From now on nobody else may subscribe. */
  closeSubscription() {
    this.#isOpen = false;
    this.#early = [];
  }

  /** @param {string} what such as `start` @param {object} record */
  platform(what, record) {
    const event = this.#add('platform', `platform.${what}`, record);
    if (this.#isOpen) this.#early.push(event);
  }

  /** @param {'function' | 'extension'} source @param {string} line that it printed */
  printed(source, line) {
    if (this.isHeard) this.#add(source, source, line);
  }

  /** @param {Source} source @param {string} type @param {unknown} record */
  #add(source, type, record) {
    const event = { time: new Date().toISOString(), type, record };
    for (const { types: wanted, delivery } of this.#subscribers.values()) if (wanted.includes(source)) delivery.add(event);
    return event;
  }

  /** Sends what is left. @param {number} limitMs it may take */
  async close(limitMs) {
    this.closeSubscription();
    await Promise.all([...this.#subscribers.values()].map(({ delivery }) => delivery.close(limitMs)));
  }
}

/** @param {unknown} body @returns {{ types: string[], destination: import('./telemetry-delivery.mjs').Destination, buffering: Buffering } | { problems: string[] }} */
function readSubscription(body) {
  const said = Object(body);
  const problems = [];
  if (!versions.includes(said.schemaVersion)) problems.push(`schemaVersion should be one of ${versions.join(', ')}`);
  const wanted = Array.isArray(said.types) ? said.types : [];
  if (wanted.length === 0) problems.push('types should not be empty');
  for (const type of wanted) if (!types.includes(type)) problems.push(`types has "${String(type)}", which is none of ${types.join(', ')}`);
  const buffering = { maxItems: 0, maxBytes: 0, timeoutMs: 0 };
  for (const name of /** @type {Array<keyof typeof limits>} */ (Object.keys(limits))) {
    const { least, most, usual } = limits[name];
    const value = Object(said.buffering)[name] ?? usual;
    if (!Number.isInteger(value) || value < least || value > most)
      problems.push(`buffering.${name} should be between ${least} and ${most}`);
    buffering[name] = value;
  }
  const destination = addressOf(said.destination);
  if (typeof destination === 'string') return { problems: [...problems, destination] };
  return problems.length > 0 ? { problems } : { types: wanted, destination, buffering };
}
