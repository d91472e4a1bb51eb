import type { Exit, SandboxDriver } from './sandbox-driver.ts';

/** Who waits for the end of which sandbox: a driver tells all of them to one. */
export class Exits {
  readonly #expected = new Map<number, (exit: Exit) => void>();

  constructor(driver: Pick<SandboxDriver, 'onExit'>) {
    driver.onExit = (slot, exit) => this.#expected.get(slot)?.(exit);
  }

  /** Resolves with the end of the slot's sandbox. */
  expect(slot: number): Promise<Exit> {
    return new Promise((resolve) => this.#expected.set(slot, resolve));
  }

  forget(slot: number): void {
    this.#expected.delete(slot);
  }
}
