/** What a build says: what is worth passing on, and what of it tells why it failed. */
import { type FailureSign, signIn } from './failure-signs.ts';

const tailLines = 20;
/** npm says how it is used when a lockfile does not fit: a hundred lines that hide the one that matters. */
const usageBegins = /^npm error Usage:$/;
const usageEnds = /^npm error Run "npm help /;
/** Empty lines of its errors, and where its own log is: in a sandbox that is no more. */
const idle = /^npm error ?$|^npm error Clean install a project$|^npm error A complete log of this run can be found in: /;

export class BuildOutput {
  readonly #tail: string[] = [];
  readonly #signs = new Set<FailureSign>();
  #inUsage = false;

  /** Takes a line. @returns whether it is worth passing on */
  take(line: string): boolean {
    const isUsage = this.#inUsage || usageBegins.test(line);
    this.#inUsage = isUsage && !usageEnds.test(line);
    if (isUsage || idle.test(line)) return false;
    const sign = signIn(line);
    if (sign !== undefined) this.#signs.add(sign);
    this.#tail.push(line);
    if (this.#tail.length > tailLines) this.#tail.shift();
    return true;
  }

  /** Its last lines. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** What all that it said tells of a failure. */
  get signs(): ReadonlySet<FailureSign> {
    return this.#signs;
  }
}
