/** Tells an operator of connections that were refused. Whoever tries again and again fills no log with it. */
import type { Logger } from 'pino';

const linesAMinute = 20;
const minuteMs = 60_000;

export class RefusedLines {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  #minute = 0;
  #lines = 0;
  #untold = 0;

  constructor(log: Pick<Logger, 'warn'>, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  note(why: string, from: string): void {
    const minute = Math.floor(this.#now() / minuteMs);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#lines = 0;
    }
    if (this.#lines >= linesAMinute) {
      this.#untold++;
      return;
    }
    this.#lines++;
    this.#log.warn(
      { from, reason: why, ...(this.#untold === 0 ? {} : { untold: this.#untold }) },
      'a connection between hosts was refused',
    );
    this.#untold = 0;
  }
}
