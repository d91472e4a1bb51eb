import type { Credentials } from '../../wire/secure/secure-place.ts';
import type { OwnCertificate } from './material.ts';

/** Credentials that somebody here renews. */
export class HeldCredentials implements Credentials {
  #current: OwnCertificate;
  readonly #watching = new Set<() => void>();

  constructor(first: OwnCertificate) {
    this.#current = first;
  }

  get current(): OwnCertificate {
    return this.#current;
  }

  get endsMs(): number {
    return this.#current.shown.untilMs;
  }

  watch(renewed: () => void): Disposable {
    this.#watching.add(renewed);
    return { [Symbol.dispose]: () => this.#watching.delete(renewed) };
  }

  replace(next: OwnCertificate): void {
    this.#current = next;
    for (const renewed of this.#watching) renewed();
  }
}
