/**
 * What a folder and a bucket have in common as sources: they are looked through, what differs from what was dealt with is given out, and
 * what was acknowledged is remembered. All of it is one partition; an object's name is its key.
 */
import { join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';
import { sourceFault } from './fault.ts';
import { Inbox } from './inbox.ts';
import { KnownObjects } from './known-objects.ts';
import { type ListedObject, objectChanges, type ObjectChange } from './object-changes.ts';
import { objectMessage } from './object-record.ts';
import { patience } from './patience.ts';
import type { Message, Source, SourceMeans, StartPosition, Wanted } from './source.ts';

export interface ObjectPlace {
  /** The name of the kind. */
  readonly kind: string;
  /** What functions see as the bucket. */
  readonly name: string;
  /** Says all that decides what is listed: where it is another one, the source begins anew. */
  readonly identity: string;
  /** Its times are rounded down to so many milliseconds. */
  readonly tickMs: number;
  /** What is there now, in the order of keys. @throws SwiftletError with a SourceFault */
  list(signal: AbortSignal): AsyncIterable<ListedObject>;
  /** @param changed called when there may be something new @returns what ends that; undefined: nobody tells */
  watch?(changed: () => void): Disposable | undefined;
}

/** Opens a place, and what is known of it: a file of this consumer's. @throws SwiftletError */
export async function openObjectSource(place: ObjectPlace, pollMs: number, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  const source = new ObjectSource(place, knownObjectsOf(means), pollMs, means);
  try {
    await source.begin(means.start, signal);
    return source;
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

function knownObjectsOf({ local, consumer }: SourceMeans): KnownObjects {
  try {
    return new KnownObjects(join(local?.placesFolder ?? '.', `objects-${consumer}.sqlite`));
  } catch (error) {
    if (error instanceof SwiftletError) throw error;
    throw sourceFault('SourceInvalid', 'it is not known what was dealt with', error);
  }
}

class ObjectSource implements Source {
  readonly dropped = 0;
  readonly #place: ObjectPlace;
  readonly #known: KnownObjects;
  readonly #pollMs: number;
  readonly #inbox: Inbox;
  /** Found and not dealt with, by the message's id. */
  readonly #found = new Map<string, ObjectChange>();
  readonly #stopped = new AbortController();
  #woken = new AbortController();
  #watch: Disposable | undefined;
  #looking: Promise<void> | undefined;

  constructor(place: ObjectPlace, known: KnownObjects, pollMs: number, { most }: Pick<SourceMeans, 'most'>) {
    this.#place = place;
    this.#known = known;
    this.#pollMs = pollMs;
    this.#inbox = new Inbox(most);
  }

  /** Looks through it once, so that what is wrong with it is known, and begins. @throws SwiftletError */
  async begin(start: StartPosition, signal: AbortSignal): Promise<void> {
    const { identity } = this.#place;
    if (this.#known.hasBegun(identity)) await this.#canBeListed(signal);
    else await this.#known.begin(identity, this.#passed(start, signal));
    this.#watch = this.#place.watch?.(() => this.#woken.abort());
    this.#looking = this.#look();
  }

  next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    return this.#inbox.next(wanted, signal);
  }

  acknowledge(messages: readonly Message[]): Promise<void> {
    return Promise.try(() => {
      this.#inbox.throwIfFailed();
      const settled = this.#inbox.settle(messages);
      this.#known.settle(settled.flatMap(({ id }) => this.#found.get(id) ?? []));
      for (const { id } of settled) this.#found.delete(id);
    });
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  /** As far as it was looked through. */
  lag(): Promise<number> {
    return Promise.resolve(this.#inbox.size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#inbox.fail(new SwiftletError('SourceUnreachable', 'the source was closed'));
    this.#watch?.[Symbol.dispose]();
    await this.#looking;
    this.#known[Symbol.dispose]();
  }

  /** @throws SwiftletError what is wrong with it, as far as its first object tells */
  async #canBeListed(signal: AbortSignal): Promise<void> {
    const objects = this.#place.list(signal)[Symbol.asyncIterator]();
    await objects.next();
    await objects.return?.();
  }

  /** What was there before its time. */
  async *#passed(start: StartPosition, signal: AbortSignal): AsyncGenerator<ListedObject> {
    for await (const object of this.#place.list(signal)) {
      if (start.kind === 'earliest') return;
      if (isPassed(object, start, this.#place.tickMs)) yield object;
    }
    // A list that was broken off may simply have ended.
    signal.throwIfAborted();
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopped;
    try {
      while (!signal.aborted) {
        this.#woken = new AbortController();
        const woken = this.#woken.signal;
        await this.#lookOnce(signal);
        await patience(this.#pollMs, AbortSignal.any([signal, woken]));
      }
    } catch (error) {
      this.#inbox.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #lookOnce(signal: AbortSignal): Promise<void> {
    for await (const change of objectChanges(this.#place.list(signal), this.#known.all())) {
      if (signal.aborted) return;
      const message = objectMessage(this.#place, change, Date.now());
      if (this.#found.has(message.id) || this.#known.isSettled(change)) continue;
      await this.#inbox.room();
      this.#found.set(message.id, change);
      this.#inbox.push(message);
    }
  }
}

/** What may have been changed since a start is not passed. */
const isPassed = ({ modifiedMs }: ListedObject, start: StartPosition, tickMs: number): boolean =>
  start.kind === 'latest' || (start.kind === 'at' && modifiedMs + tickMs <= start.atMs);
