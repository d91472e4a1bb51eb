/**
 * Attempts that were refused before they began: the first of a kind is recorded at once, those that follow it within a while are counted
 * and recorded together, so that whoever tries a thousand times a second fills no disk. Time is an argument.
 */
import type { AuditEntry } from '../../model/audit.ts';

/** How long refusals of the same kind are counted together. */
export const tallyMs = 60_000;
/** Kinds that are told apart; beyond, all others are one. */
const maxKinds = 1_000;

interface Counted {
  readonly since: number;
  /** The last that came; it stands for those that were counted. */
  entry: AuditEntry;
  times: number;
}

export class RefusedTally {
  readonly #kinds = new Map<string, Counted>();

  /** @returns what is to be recorded now */
  note(entry: AuditEntry, nowMs: number): AuditEntry | undefined {
    const kind = [entry.actor.id, entry.source, entry.action, entry.result.code ?? ''].join(' ');
    const known = this.#kinds.get(kind) ?? (this.#kinds.size < maxKinds ? undefined : this.#overflow(entry, nowMs));
    if (known === undefined) {
      this.#kinds.set(kind, { since: nowMs, entry, times: 0 });
      return entry;
    }
    known.times += 1;
    known.entry = known === this.#kinds.get(others) ? { ...entry, source: others } : entry;
    return undefined;
  }

  /** What was counted for long enough. @param nowMs infinite: all of it */
  flush(nowMs: number): AuditEntry[] {
    const due = [...this.#kinds].filter(([, { since }]) => nowMs - since >= tallyMs);
    return due.flatMap(([kind, { entry, times }]) => {
      this.#kinds.delete(kind);
      if (times === 0) return [];
      return [times === 1 ? entry : { ...entry, times }];
    });
  }

  #overflow(entry: AuditEntry, nowMs: number): Counted {
    const known = this.#kinds.get(others) ?? { since: nowMs, entry, times: 0 };
    this.#kinds.set(others, known);
    return known;
  }
}

const others = 'many';
