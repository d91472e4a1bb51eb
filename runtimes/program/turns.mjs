// Which invocation is whose turn: those that came, and the program's requests for the next one. Each is answered once, by its id.

/**
 * @typedef {import('../node/invocation.mjs').Invocation} Invocation
 *
 * An invocation that the program has.
 * @typedef {{ invocation: Invocation, finish: () => void }} Turn
 *
 * What an id means: an invocation that runs, one that was answered already, or none of this program's.
 * @typedef {{ kind: 'running', turn: Turn } | { kind: 'answered' } | { kind: 'unknown' }} Claim
 *
 * Takes an invocation to the program. @typedef {(invocation: Invocation) => void} Asker
 *
 * Whether the next invocation may begin; and what is to be told of one that does, and of one that was answered.
 * @typedef {{ readonly isOpen: boolean, began: (invocation: Invocation) => void, ended: (invocation: Invocation, status: 'success' | 'error') => void }} Gate
 */

/** Requests for the next event beyond those that can be served at once: of clients that went away and came again. */
const spareAskers = 16;

export class Turns {
  #concurrency;
  #gate;
  /** @type {Asker[]} */
  #askers = [];
  /** Those that nobody has asked for yet; the platform sends no more than `concurrency`. @type {Turn[]} */
  #waiting = [];
  /** @type {Map<string, Turn>} */
  #running = new Map();
  /** The last ones, as many as may run. @type {string[]} */
  #answered = [];
  /** Answers on their way out. @type {Set<Promise<void>>} */
  #leaving = new Set();
  /** @type {{ promise: Promise<void>, resolve: () => void, reject: (error: unknown) => void }} */
  #begun = Promise.withResolvers();
  #life = /** @type {'starting' | 'begun' | 'failed'} */ ('starting');

  /**
   * @param {number} concurrency how many may run at once
   * @param {Gate} gate who else has a part in an invocation
   */
  constructor(concurrency, gate) {
    this.#concurrency = concurrency;
    this.#gate = gate;
    this.#begun.promise.catch(() => undefined);
  }

  /** Resolves when the program asks for the first time; rejects with what it says of its init. */
  get begun() {
    return this.#begun.promise;
  }

  /** In the words of AWS Lambda's own messages. */
  get state() {
    if (this.#life === 'starting') return 'Started';
    if (this.#life === 'failed') return 'InitError';
    if (this.#running.size > 0) return 'Running';
    return this.#askers.length > 0 ? 'Ready' : 'InvocationResponse';
  }

  /**
   * Hands an invocation to the program when it asks.
   * @param {Invocation} invocation
   * @returns {Promise<void>} resolves when it is answered
   */
  give(invocation) {
    return new Promise((resolve) => {
      this.#waiting.push({ invocation, finish: resolve });
      this.#meet();
    });
  }

  /** The program asks for the next one. @param {Asker} asker @returns whether it may */
  ask(asker) {
    const most = this.#concurrency + spareAskers;
    if (this.#life === 'failed' || this.#running.size >= this.#concurrency || this.#askers.length >= most) return false;
    this.#life = 'begun';
    this.#askers.push(asker);
    this.#begun.resolve();
    // Those that came ahead begin only when the platform has been told of the init.
    setImmediate(() => this.#meet());
    return true;
  }

  /** Who asked has gone away. @param {Asker} asker */
  withdraw(asker) {
    this.#askers = this.#askers.filter((other) => other !== asker);
  }

  /** The program answers, or fails: what it says of this id counts once. @param {string} id @returns {Claim} */
  claim(id) {
    const turn = this.#running.get(id);
    if (turn === undefined) return { kind: this.#answered.includes(id) ? 'answered' : 'unknown' };
    this.#running.delete(id);
    this.#answered.push(id);
    if (this.#answered.length > this.#concurrency) this.#answered.shift();
    return { kind: 'running', turn };
  }

  /** Follows an answer until all of it is sent. @param {Turn} turn @param {Promise<unknown> | undefined} sent @param {'success' | 'error'} [status] */
  settle({ finish, invocation }, sent, status = 'success') {
    const left = Promise.resolve(sent)
      .then(finish, finish)
      .then(() => this.#gate.ended(invocation, status))
      .finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /** The program's init failed, as it says. @param {Error} error @returns whether it may say so */
  fail(error) {
    if (this.#life !== 'starting') return false;
    this.#life = 'failed';
    this.#begun.reject(error);
    return true;
  }

  /** Resolves when all answers are sent that the program gave. */
  async answered() {
    await Promise.all(this.#leaving);
  }

  /** Looks again, after the gate was opened. */
  look() {
    this.#meet();
  }

  #meet() {
    while (this.#gate.isOpen && this.#askers.length > 0 && this.#waiting.length > 0 && this.#running.size < this.#concurrency) {
      const [asker, turn] = [this.#askers.shift(), this.#waiting.shift()];
      if (asker === undefined || turn === undefined) return;
      this.#running.set(turn.invocation.requestId, turn);
      this.#gate.began(turn.invocation);
      asker(turn.invocation);
    }
  }
}
