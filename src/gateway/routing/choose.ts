/** Which of several versions a request goes to. Pure. Budget: nothing for a function with one version, 30 ns for others. */
import { tenthsOf, type Split, wholeTenths } from '../../model/traffic.ts';

/** What gets the points below this that no part before it gets. */
interface Part<T> {
  readonly below: number;
  readonly value: T;
}

/** Points from 0 to 999, divided. */
export interface Division<T> {
  /** In ascending order; empty when everything goes to `rest`. */
  readonly parts: readonly Part<T>[];
  /** What gets the points that no part gets. */
  readonly rest: T;
}

/**
 * Divides by the weights of a split, in the order of the versions' numbers, however the split names them: whoever got the newest by a
 * sticky point keeps it while its share grows.
 * @param valueOf undefined for a version that is not here: its share is the others'
 * @param rest what there is when none of the split is here
 */
export function divide<T>(split: Split, valueOf: (version: number) => T | undefined, rest: T): Division<T> {
  const known = split
    .toSorted((one, other) => other.version - one.version)
    .flatMap(({ version, weight }) => {
      const value = valueOf(version);
      return value === undefined ? [] : [{ value, weight }];
    });
  let below = 0;
  const parts = known.map(({ value, weight }) => ({ below: (below += tenthsOf(weight)), value }));
  const last = parts.pop();
  return { parts, rest: last?.value ?? rest };
}

/** @param point from 0 to 999 */
export function choose<T>({ parts, rest }: Division<T>, point: number): T {
  for (const part of parts) if (point < part.below) return part.value;
  return rest;
}

/** A point by chance. @param chance from 0 to 1, exclusive */
export const pointByChance = (chance: number): number => Math.floor(chance * wholeTenths);

const offset = 0x811c9dc5;
const prime = 0x01000193;

/** The same point for the same text: FNV-1a with the last step of MurmurHash3, so that texts that differ little lie far apart. */
export function pointOf(text: string, seed: string): number {
  let hash = fnv(fnv(offset, seed), text);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) % wholeTenths;
}

function fnv(start: number, text: string): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), prime);
  return hash;
}
