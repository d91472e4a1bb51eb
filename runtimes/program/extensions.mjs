// Extensions of AWS Lambda: who has registered, for which events, and whose turn it is to ask. Decides; what starts and serves them is elsewhere.

const { randomUUID } = process.getBuiltinModule('node:crypto');
export const maxExtensions = 10;
const maxNameCharacters = 128;
const isNotAllowed = 'State transition is not allowed';

/**
 * @typedef {'INVOKE' | 'SHUTDOWN'} EventType
 * @typedef {{ eventType: EventType } & Record<string, unknown>} ExtensionEvent
 *
 * Takes an event to an extension. @typedef {(event: ExtensionEvent, id: string) => void} Asker
 *
 * `started`: not yet registered, `busy`: it has an event, or has not asked yet, `ready`: it waits for one.
 * @typedef {{ name: string, id: string, isExternal: boolean, events: readonly string[], state: 'started' | 'registered' | 'busy' | 'ready' | 'failed', asker: Asker | undefined, waiting: ExtensionEvent[] }} Extension
 *
 * In AWS Lambda's words.
 * @typedef {{ type: string, message: string }} Refused
 */

export class Extensions {
  /** @type {Extension[]} */
  #all;
  #takesInvoke;
  #isOpen = true;
  #isOver = false;
  /** @type {Array<() => void>} */
  #onRest = [];
  /** @type {{ promise: Promise<never>, reject: (error: unknown) => void }} */
  #failed = Promise.withResolvers();
  /** Told when one has taken a step. @type {() => void} */
  onChange = () => undefined;

  /**
   * @param {readonly string[]} external names of those that are started as programs
   * @param {boolean} takesInvoke whether they may ask for invocations: where several run at once they may not
   */
  constructor(external, takesInvoke) {
    this.#takesInvoke = takesInvoke;
    this.#all = external.map((name) => extension(name, true));
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects with what an extension says went wrong with it, or with how it ended. */
  get failed() {
    return this.#failed.promise;
  }

  get isNone() {
    return this.#all.length === 0;
  }

  /** Whether all that were started have registered. */
  get areRegistered() {
    return this.#all.every(({ state }) => state !== 'started');
  }

  /** Whether all wait for an event: only then the next invocation is due. */
  get areReady() {
    return this.#all.every(({ state, events }) => state === 'ready' || (state === 'registered' && events.length === 0));
  }

  /** @param {string | undefined} name @param {readonly unknown[] | undefined} events undefined: what it sent is nothing of the kind @returns {{ id: string } | Refused} */
  register(name, events) {
    if (name === undefined || name === '' || name.length > maxNameCharacters)
      return refused(
        'InvalidExtensionName',
        name ? `An extension's name has at most ${maxNameCharacters} characters` : 'Empty extension name',
      );
    if (events === undefined) return { type: 'InvalidRequestFormat', message: 'the body has to be JSON such as {"events":["INVOKE"]}' };
    const started = this.#all.find((one) => one.name === name);
    const bad = events.find((event) => !this.#mayHave(event, started?.isExternal === true));
    if (bad !== undefined) return refused('InvalidEventType', `${String(bad)}: ${this.#whyNot(bad)}`);
    if (started !== undefined && started.state !== 'started')
      return refused('InvalidExtensionState', 'Extension with this name already registered');
    if (started === undefined && !this.#isOpen) return refused('RegistrationClosed', 'Extension registration closed already');
    if (started === undefined && this.#all.length >= maxExtensions)
      return refused('TooManyExtensions', `Extension limit (${maxExtensions}) reached`);
    const one = started ?? extension(name, false);
    if (started === undefined) this.#all.push(one);
    one.events = /** @type {string[]} */ ([...new Set(events)]);
    this.#step(one, 'registered');
    return { id: one.id };
  }

  /** @param {unknown} event @param {boolean} isExternal */
  #mayHave(event, isExternal) {
    return (event === 'INVOKE' && this.#takesInvoke) || (event === 'SHUTDOWN' && isExternal);
  }

  /** @param {unknown} event */
  #whyNot(event) {
    if (event === 'SHUTDOWN') return 'ShutdownEventNotSupportedForInternalExtension';
    return event === 'INVOKE' ? 'not supported where several invocations run at once' : 'InvalidEventType';
  }

  /** @param {string | undefined} id @returns {Extension | Refused} */
  find(id) {
    if (id === undefined || id === '') return refused('MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header');
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
      return refused('InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier');
    const one = this.#all.find((other) => other.id === id.toLowerCase() && other.state !== 'started');
    return one ?? refused('UnknownExtensionIdentifier', `Unknown extension ${id}`);
  }

  /** It asks for its next event. @param {Extension} one @param {Asker} asker @returns {Refused | undefined} */
  ask(one, asker) {
    if (one.asker !== undefined || one.state === 'failed') return this.#notFrom(one, 'Ready');
    one.asker = asker;
    this.#step(one, 'ready');
    this.#hand(one);
    return undefined;
  }

  /** Who asked has gone away. @param {Extension} one @param {Asker} asker */
  withdraw(one, asker) {
    if (one.asker === asker) one.asker = undefined;
  }

  /** An extension says that it failed. @param {Extension} one @param {'InitError' | 'ExitError'} how @param {Error} error @returns {Refused | undefined} */
  fail(one, how, error) {
    if (one.state === 'failed' || (how === 'InitError' && one.state !== 'registered')) return this.#notFrom(one, how);
    this.#step(one, 'failed');
    this.#failed.reject(error);
    return undefined;
  }

  /** A program of an extension ended. @param {Error} error */
  crashed(error) {
    if (!this.#isOver) this.#failed.reject(error);
  }

  /** From now on nobody else may register. */
  closeRegistration() {
    this.#isOpen = false;
  }

  /** Tells those that want to know of an invocation. @param {Record<string, unknown>} event */
  invoke(event) {
    this.#tell({ eventType: 'INVOKE', ...event });
  }

  /** Tells those that want to know that this is the end. @param {string} shutdownReason @param {number} deadlineMs */
  shutdown(shutdownReason, deadlineMs) {
    this.#isOver = true;
    for (const one of this.#all) one.waiting = [];
    this.#tell({ eventType: 'SHUTDOWN', shutdownReason, deadlineMs });
  }

  /** Whether one wants to know of the end. */
  get wantShutdown() {
    return this.#all.some(({ events }) => events.includes('SHUTDOWN'));
  }

  /** Resolves when all wait for an event. @returns {Promise<void>} */
  rest() {
    return this.areReady ? Promise.resolve() : new Promise((resolve) => this.#onRest.push(resolve));
  }

  /** @param {ExtensionEvent} event */
  #tell(event) {
    for (const one of this.#all.filter(({ events }) => events.includes(event.eventType))) {
      one.waiting.push(event);
      this.#hand(one);
    }
  }

  /** @param {Extension} one */
  #hand(one) {
    const { asker } = one;
    const event = asker === undefined ? undefined : one.waiting.shift();
    if (asker === undefined || event === undefined) return;
    one.asker = undefined;
    this.#step(one, 'busy');
    asker(event, randomUUID());
  }

  /** @param {Extension} one @param {Extension['state']} state */
  #step(one, state) {
    one.state = state;
    if (this.areReady) for (const told of this.#onRest.splice(0)) told();
    this.onChange();
  }

  /** @param {Extension} one @param {string} to */
  #notFrom({ state, name }, to) {
    return refused(
      'InvalidExtensionState',
      `State transition from ${words[state]} to ${to} failed for extension ${name}. Error: ${isNotAllowed}`,
    );
  }
}

const words = { started: 'Started', registered: 'Registered', busy: 'Running', ready: 'Ready', failed: 'Failed' };

/** @param {string} name @param {boolean} isExternal @returns {Extension} */
const extension = (name, isExternal) => ({
  name,
  id: randomUUID(),
  isExternal,
  events: [],
  state: 'started',
  asker: undefined,
  waiting: [],
});

/** @param {string} what @param {string} message @returns {Refused} */
const refused = (what, message) => ({ type: `Extension.${what}`, message });
