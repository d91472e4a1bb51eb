/** What a source is doing, as users see it, and how long one that cannot be opened is left alone. */
import type { ErrorCode } from '../../model/errors.ts';
import type { EventError } from '../../wire/event-calls.ts';

export type SourceState =
  /** Its manifest says so. */
  | { readonly kind: 'disabled' }
  /** An operator said so. */
  | { readonly kind: 'paused' }
  /** With what it broke with, or could not be opened before. */
  | { readonly kind: 'connecting'; readonly error?: EventError }
  /** Messages come. The error is what stands in their way, while something does. */
  | { readonly kind: 'running'; readonly error?: EventError }
  /** It could not be opened, or broke; it is opened again then. */
  | { readonly kind: 'broken'; readonly error: EventError; readonly retryAtMs: number };

const firstPauseMs = 250;
const longestPauseMs = 30_000;
/** What waits for a person. */
const personsPauseMs = 60_000;
const waitsForPerson: readonly string[] = ['SourceRefused', 'SourceMissing', 'SourceInvalid'] satisfies readonly ErrorCode[];

/**
 * How long a source is left alone after so many failures in a row, at least 1.
 * @param chance from 0 to 1: those that failed together do not come back together
 */
export function openPauseMs(failures: number, code: string, chance: number): number {
  const longest = waitsForPerson.includes(code) ? personsPauseMs : longestPauseMs;
  return Math.min(firstPauseMs * 2 ** (failures - 1), longest) * (0.5 + chance / 2);
}
