/** A mean that follows what it is the mean of: each value weighs a tenth of what is known. Budget: 5 ns a value, and nothing to collect. */
const weight = 0.1;

export class RunningMean {
  // A number at all times: a field that is now and then undefined would make each value an object.
  #value = Number.NaN;
  count = 0;

  /** Undefined before the first value. */
  get value(): number | undefined {
    return this.count === 0 ? undefined : this.#value;
  }

  add(value: number): void {
    this.#value = this.count === 0 ? value : this.#value + weight * (value - this.#value);
    this.count += 1;
  }
}
