import type { Change } from '../wire/published-state.ts';

/** What a write comes to, and what those who watch are told of it. */
export interface Changed<T> {
  readonly result: T;
  readonly change?: Change;
}

/** How the parts of the store read and write: each call is one turn, and none sees another half done. */
export interface Commit {
  /** Carries out a write as a whole or not at all, and tells of it. @param work gets what gives the next revision */
  change<T>(work: (nextRevision: () => number) => Changed<T>): Promise<T>;
  read<T>(work: () => T): Promise<T>;
}
