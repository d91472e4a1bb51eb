/**
 * What sends to a queue outside. As with a source, one connection's life: when sending fails for the connection's sake, it is disposed of
 * and another one is opened. Each kind that can be a destination has one, beside its source.
 */
import type { SourceMeans } from './source.ts';

export interface Outgoing {
  /** The event's id, the same at each attempt: where the queue can, what comes twice with one id is taken once. */
  readonly id: string;
  readonly body: Uint8Array;
  /** Its media type. */
  readonly contentType: string;
}

export interface Sink extends AsyncDisposable {
  /**
   * Resolves once the queue has it, on its disk where it has one.
   * @throws SwiftletError with a fault of sources, or RequestTooLarge when the queue takes no message so large
   */
  send(message: Outgoing): Promise<void>;
  /** Closes the connection. Resolves within some seconds, also when the server does not answer. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type SinkMeans = Pick<SourceMeans, 'secret'>;

/** What a kind's file exports as `sinkKind`. */
export interface SinkKind<Settings> {
  /** Gives up after some seconds by itself. @throws SwiftletError with a fault of sources */
  open(settings: Settings, means: SinkMeans): Promise<Sink>;
}
