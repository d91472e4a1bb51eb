/**
 * Calls functions of a Swiftlet platform. Runs wherever there is `fetch`.
 *
 *   interface Functions {
 *     resize: { event: { image: string; width: number }; result: { url: string } };
 *   }
 *   const swiftlet = new SwiftletClient<Functions>({ url: 'http://127.0.0.1:8080', token });
 *   const { url } = await swiftlet.invoke('resize', { image, width: 200 });
 */
import { errorOf, InvocationError } from './invocation-error.ts';
import { hasEnded, type StoredEvent } from './stored-event.ts';

export { InvocationError, type StoredEvent };

/** What each function takes and returns. */
export type Functions<Names extends PropertyKey = string> = Record<Names, { readonly event: unknown; readonly result: unknown }>;

export interface ClientOptions {
  /** The gateway's address. */
  readonly url: string;
  /** The platform's token. */
  readonly token: string;
  /** Stands in for the runtime's own `fetch`. */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  /** Ends the call: the function learns that nobody waits any more. */
  readonly signal?: AbortSignal;
}

export interface AsyncOptions extends CallOptions {
  /** Makes it one event however often it is sent; one of its own by default. */
  readonly idempotencyKey?: string;
  /** Events with the same key are delivered one at a time, in their order. */
  readonly orderKey?: string;
  /** How often it is sent again when it is not known to be stored; 3 by default. */
  readonly retries?: number;
}

export interface EndOptions extends CallOptions {
  /** How long to wait between two looks, in milliseconds; 250 by default. */
  readonly everyMs?: number;
  /** How many looks in a row may fail for want of an answer; 3 by default. */
  readonly retries?: number;
}

const defaultRetries = 3;
const firstPauseMs = 200;
const defaultEveryMs = 250;
const pauseMs = (tried: number): number => firstPauseMs * 2 ** tried * (0.5 + Math.random() / 2);

export class SwiftletClient<Known extends { [Name in keyof Known]: { event: unknown; result: unknown } } = Functions> {
  readonly #url: string;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: ownFetch }: ClientOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#fetch = ownFetch ?? ((input, init) => fetch(input, init));
  }

  /**
   * Invokes a function and waits for what it returns.
   * @throws InvocationError
   */
  async invoke<Name extends keyof Known & string>(
    name: Name,
    event: Known[Name]['event'],
    { signal }: CallOptions = {},
  ): Promise<Known[Name]['result']> {
    const response = await this.#invoke(name, event, {}, signal);
    const text = await response.text().catch((error: unknown) => Promise.reject(unreachable(error)));
    return (text === '' ? undefined : JSON.parse(text)) as Known[Name]['result'];
  }

  /**
   * Has an event stored, which the platform then delivers. Sends it again when it is not known whether it is stored; it is one event all the same.
   * @returns its id, once it is on the platform's disk
   * @throws InvocationError
   */
  async invokeAsync<Name extends keyof Known & string>(
    name: Name,
    event: Known[Name]['event'],
    { signal, idempotencyKey = crypto.randomUUID(), orderKey, retries = defaultRetries }: AsyncOptions = {},
  ): Promise<{ readonly id: string }> {
    const headers = {
      prefer: 'respond-async',
      'idempotency-key': idempotencyKey,
      ...(orderKey === undefined ? {} : { 'x-swiftlet-order-key': orderKey }),
    };
    for (let tried = 0; ; tried++) {
      try {
        const { id } = (await (await this.#invoke(name, event, headers, signal)).json()) as { id: string };
        return { id };
      } catch (error) {
        if (tried >= retries || signal?.aborted === true || !isWorthAnother(error)) throw error;
        await pause(pauseMs(tried), signal);
      }
    }
  }

  /** What became of an event. @throws InvocationError EventNotFound among them */
  async event(id: string, { signal }: CallOptions = {}): Promise<StoredEvent> {
    return (await (await this.#send(`/_/events/${encodeURIComponent(id)}`, { method: 'GET' }, signal)).json()) as StoredEvent;
  }

  /** Waits until an event has ended, in whatever way. @throws InvocationError, or the signal's reason */
  async ended(id: string, { signal, everyMs = defaultEveryMs, retries = defaultRetries }: EndOptions = {}): Promise<StoredEvent> {
    for (let failed = 0; ; ) {
      try {
        const event = await this.event(id, { ...(signal === undefined ? {} : { signal }) });
        if (hasEnded(event)) return event;
        failed = 0;
        await pause(everyMs, signal);
      } catch (error) {
        if (failed >= retries || signal?.aborted === true || !isWorthAnother(error)) throw error;
        await pause(pauseMs(failed), signal);
        failed += 1;
      }
    }
  }

  /**
   * Invokes a function that streams its answer.
   * @returns the bytes as they come. To cancel it tells the function that nobody reads on
   * @throws InvocationError when there is no answer; the stream errors when it breaks off
   */
  async stream<Name extends keyof Known & string>(
    name: Name,
    event: Known[Name]['event'],
    { signal }: CallOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#invoke(name, event, {}, signal);
    return body ?? new Blob([]).stream();
  }

  #invoke(name: string, event: unknown, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Response> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(event ?? {}) };
    return this.#send(`/_/invoke/${encodeURIComponent(name)}`, init, signal);
  }

  async #send(
    path: string,
    { headers, ...init }: { method: string; headers?: Record<string, string>; body?: string },
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const authorised = { ...headers, authorization: `Bearer ${this.#token}` };
    const response = await this.#fetch(`${this.#url}${path}`, { ...init, headers: authorised, signal: signal ?? null }).catch(
      (error: unknown) => {
        if (signal?.aborted === true) signal.throwIfAborted();
        throw unreachable(error);
      },
    );
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

const unreachable = (cause: unknown): InvocationError =>
  new InvocationError('the gateway gave no answer', { code: 'Unreachable', status: 0, requestId: '' }, { cause });

/** No answer, or one that says that it may be stored next time. */
const isWorthAnother = (error: unknown): boolean =>
  error instanceof InvocationError && (error.status === 0 || error.status === 503 || error.status === 429);

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
