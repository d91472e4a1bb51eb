/**
 * What brings messages to functions from outside: a queue, a topic, a stream, a folder. Each kind is one file here of this one shape,
 * and test/events/sources/source.contract.ts holds each to what is said here, against its real server.
 *
 * A source is one connection's life. It does not reconnect: when it breaks, `next` rejects, whoever has it disposes of it, waits and
 * opens another one. It does not push: it gives out messages when it is asked, and takes no more from its server than was asked for
 * (a kind whose server pushes keeps a buffer that is bounded, and says so). It does not count attempts, wait between them, filter, make
 * batches or invoke: that is the same for all kinds and is done by whoever has it (consumer.ts).
 *
 * What was given out is its holder's until it is acknowledged or given back, however long that takes: where a server demands that a
 * message be settled within a time, or be claimed again, the source sees to it. What was neither acknowledged nor given back when the
 * source is disposed of, breaks, or its process is killed, the server gives out again, to this consumer or to another one
 * (`keepsMessages`). A message may come twice for that; none is lost.
 *
 * Every method may be called at any time and together with the others, but `next` by one caller at a time. After its disposal none is.
 */
import type { ErrorCode } from '../../model/errors.ts';

/** Why a source cannot be opened, or broke. All are tried again; what only a person can mend, less often. */
export const sourceFaults = [
  'SourceUnreachable',
  'SourceRefused',
  'SourceMissing',
  'SourceInvalid',
] as const satisfies readonly ErrorCode[];
export type SourceFault = (typeof sourceFaults)[number];

/** A message as the server has it, and what the function is to see of it. */
export interface Message {
  /**
   * Names it within its source. Where the server has an identity for messages (an offset, a sequence) it is made of that, and the same
   * whenever the message comes; else it is a new one each time. A function names failed messages by it (`batchItemFailures`).
   */
  readonly id: string;
  /** What it is in order with: a partition, a shard, a queue. At most 255 characters; the same text for a source that has only one. */
  readonly partition: string;
  /** Messages of a partition with one key are in order when a function asks for the order of keys; undefined: it has none. */
  readonly key: string | undefined;
  /** The bytes as they were sent. */
  readonly body: Uint8Array;
  /** When it was sent, in ms since 1970; undefined when the server does not say it. */
  readonly sentMs: number | undefined;
  /**
   * What the function gets of it: JSON, in the shape that Lambda has for this kind where it has one. Made when it is asked for, since it
   * is as large again as the message. Pure.
   */
  record(): Readonly<Record<string, unknown>>;
}

/** How much may be given out at once. */
export interface Wanted {
  /** At least 1. */
  readonly messages: number;
  /** Bodies together. One message is given out even when it alone is larger. */
  readonly bytes: number;
  /**
   * Partitions of which nothing can be worked on now. A source with several gives out nothing of these if it can help it; one that cannot
   * choose ignores it.
   */
  readonly except: ReadonlySet<string>;
}

export interface Source extends AsyncDisposable {
  /**
   * Waits until there is a message and gives out those that are there, as many as are wanted; does not wait for more than one. Those of a
   * partition come in their order, those given back before others.
   * @param signal when it aborts, resolves soon with what there is, mostly nothing: a message that was taken from the server meanwhile is
   *   in the result or given back, and never lost
   * @throws SwiftletError with a `SourceFault` when the connection is broken; the source can then only be disposed of
   */
  next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]>;
  /**
   * These were dealt with and never come again. Resolves once the server has said so, where it can, else once it was told. Where it keeps
   * a place and no list (an offset), it is moved as far as no unsettled message lies before it.
   * Rejects when the connection is broken: they come again then.
   */
  acknowledge(messages: readonly Message[]): Promise<void>;
  /**
   * These come again at once, to whoever asks next, before later ones of their partition where the server can do that. Never rejects: when
   * the connection is broken they come again anyway.
   */
  giveBack(messages: readonly Message[]): Promise<void>;
  /**
   * Messages that wait at the server and were not given out, as it counts them; undefined when it cannot tell. May ask the server.
   * @throws as `next`
   */
  lag(): Promise<number | undefined>;
  /** Messages that were lost since it was opened because nobody took them in time; of a source that keeps its messages always 0. */
  readonly dropped: number;
  /** Gives back what was given out, and closes the connection. Resolves within some seconds, also when the server does not answer. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where a consumer begins that the server does not know yet; one that it knows goes on where it was. */
export type StartPosition = { readonly kind: 'earliest' } | { readonly kind: 'latest' } | { readonly kind: 'at'; readonly atMs: number };

export interface LocalMeans {
  /** Where each keeps a file of its own, by its consumer's name, as durable as what the role stores. */
  readonly placesFolder: string;
  /** The folders of the host that the operator lets functions watch. */
  readonly folders: readonly string[];
}

/** What a source is opened with, beside its settings. */
export interface SourceMeans {
  /**
   * Names the consumer at the server, the same for ever and for every process that has this source: its group, its durable name.
   * Letters, digits, `-` and `_`, at most 200 characters, and its own among all sources of all functions.
   */
  readonly consumer: string;
  readonly start: StartPosition;
  /**
   * Whether order matters: then what a consumer that died had taken has to come before what is behind it. For servers that give out new
   * messages until they have noticed the death; others do it anyway.
   */
  readonly isOrdered?: boolean;
  /** What kinds that have no server use of this host. */
  readonly local?: LocalMeans;
  /** The most that anybody will ask for at once, for what has to be said to the server beforehand (prefetch, in-flight limits). */
  readonly most: { readonly messages: number; readonly bytes: number };
  /**
   * A secret of the function, by the variable of its environment that has it. It goes into no message, error or log.
   * @throws SwiftletError SourceInvalid when there is none
   */
  readonly secret: (variable: string) => string;
}

/** A source that is not open: its settings understood, and what needs no connection. */
export interface SourceDriver {
  /** Whether its server gives out again what was not acknowledged. One whose server does not is lost with what it has given out. */
  readonly keepsMessages: boolean;
  /**
   * The key of a record that has the message's bytes. Filters see it as JSON where it is JSON, else as text; undefined: records have
   * none, and filters see them as they are.
   */
  readonly dataKey: string | undefined;
  /**
   * Connects, finds what is to be consumed, and makes the consumer known to the server. Gives up when the signal aborts, and after some
   * seconds by itself.
   * @throws SwiftletError `SourceUnreachable` (nothing answers), `SourceRefused` (credentials, permissions), `SourceMissing` (no such
   *   queue, topic, table), `SourceInvalid` (it is there but cannot be used so); the message says what, where, and what to do
   */
  open(signal: AbortSignal): Promise<Source>;
  /** The event for a function with these messages, at least one, in their order. Pure. */
  eventOf(messages: readonly Message[]): object;
  /** The message's id of what a function names in `batchItemFailures`, where it is no text; undefined when it is no such thing. */
  idOfItem?(itemIdentifier: object): string | undefined;
}

/** What a file of this folder exports, as `sourceKind`. It loads its client library, which is why it is imported only when it is used. */
export interface SourceKind<Settings> {
  driver(settings: Settings, means: SourceMeans): SourceDriver;
}
