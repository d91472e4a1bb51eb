/** What a caller writes. */
export interface NoteText {
  readonly text: string;
  readonly tags: readonly string[];
}

export interface Note extends NoteText {
  readonly id: string;
  readonly createdAt: string;
}

/** Notes in memory. They live as long as the instance does; a database would stand here. */
export class Notes {
  readonly #notes = new Map<string, Note>();
  #lastId = 0;

  add(text: NoteText, now: Date): Note {
    this.#lastId += 1;
    const note = { id: String(this.#lastId), ...text, createdAt: now.toISOString() };
    this.#notes.set(note.id, note);
    return note;
  }

  get(id: string): Note | undefined {
    return this.#notes.get(id);
  }

  /** Oldest first; with a tag only those that have it. */
  list(tag?: string): Note[] {
    return [...this.#notes.values()].filter((note) => tag === undefined || note.tags.includes(tag));
  }

  /** @returns the changed note, or `undefined` when there is none of this id */
  change(id: string, text: NoteText): Note | undefined {
    const before = this.#notes.get(id);
    if (before === undefined) return undefined;
    const note = { ...before, ...text };
    this.#notes.set(id, note);
    return note;
  }

  remove(id: string): boolean {
    return this.#notes.delete(id);
  }
}
