/** How far a place may be moved, at a server that keeps one instead of a list: as long as nothing unsettled lies before it. */

export class SettledPrefix<Place> {
  readonly #open = new Map<string, { readonly place: Place; isSettled: boolean }>();

  /** Whether everything that was added has been passed. */
  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** @param id of something that lies behind all that were added before @param place where to move when it and all before it are settled */
  add(id: string, place: Place): void {
    this.#open.set(id, { place, isSettled: false });
  }

  /** @returns the places that are passed by it now, in their order; the last is where to move */
  settle(ids: Iterable<string>): readonly Place[] {
    for (const id of ids) {
      const entry = this.#open.get(id);
      if (entry !== undefined) entry.isSettled = true;
    }
    const passed: Place[] = [];
    for (const [id, { place, isSettled }] of this.#open) {
      if (!isSettled) break;
      passed.push(place);
      this.#open.delete(id);
    }
    return passed;
  }
}
