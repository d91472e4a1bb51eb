import type { HandlerForm } from '../model/function.ts';
import type { SecretForm } from '../model/secret.ts';

/**
 * What is said on an instance's own socket (see docs/instance-protocol.md). The instance listens; one agent and any number of
 * gateways connect. Every connection may carry many invocations at once, each on a stream whose number the gateway chose and
 * does not use again on that connection. Invocations may be sent ahead, before the instance is initialised; it keeps their frames.
 * The runtimes' side stands in runtimes/, which can import nothing of ours.
 */
export const instanceProtocolVersion = 1;

export const frame = {
  // gateway → instance
  /** JSON `InvokeHead`. Opens the stream. */
  invoke: 0x01,
  /** Bytes of the request's body. */
  requestBody: 0x02,
  /** The request's body is complete. Not sent when the head says that there is none. */
  requestEnd: 0x03,
  /** Nobody waits for the answer any more: the request's signal aborts. The stream still ends with `done` or `failed`. */
  cancel: 0x04,
  /** u32: so many more bytes of the response's body may be sent. */
  responseCredit: 0x05,
  /** What came of a `call`: u32 the call's number, u8 `callOutcome`, bytes. On the stream of the invocation that made the call. */
  callAnswer: 0x06,
  /** Empty: the connection that the request became is to end soon. The runtime says so to the caller, and ends the stream. */
  goAway: 0x07,
  // instance → gateway
  /** JSON `ResponseHead`. */
  head: 0x11,
  /** Bytes of the response's body. */
  responseBody: 0x12,
  /** u32 handler time in µs, u32 resident memory in KiB (sampled, at most 250 ms old). The answer is complete; the slot is free. */
  done: 0x13,
  /** JSON `InvocationFailure`, instead of `done`. The slot is free. */
  failed: 0x14,
  /** u32: so many more bytes of the request's body may be sent. */
  requestCredit: 0x15,
  /** Empty, on stream 0: the version is initialised; what was sent ahead of this begins now. To connections that were there before. */
  begun: 0x16,
  /**
   * An invocation invokes another function: u32 the call's number, which comes back with the answer; u8 `callKind`; u8 the length of the
   * function's name; the name; the event's JSON. On the invocation's stream, and only to a gateway whose `InvokeHead` says that it takes calls.
   */
  call: 0x17,
  // agent ↔ instance, on stream 0
  /** Empty. Asks for `state`; answered as soon as the runtime has booted. */
  probe: 0x20,
  /** JSON `RuntimeState`. */
  state: 0x21,
  /** JSON `InitRequest`: what the instance is to be. Once in its life; a second one is answered with `initFailed`. */
  init: 0x22,
  /** JSON `InitReport`. */
  initialised: 0x23,
  /** JSON `InvocationFailure`. The instance must be destroyed. */
  initFailed: 0x24,
  /** After `init`, the path of the folder that the code is in now. Its modules are evaluated: `initialised` or `initFailed`. */
  load: 0x25,
  /**
   * Empty; or a byte 1 if its memory may go to swap then: the runtime gives back what it does not need. Asks for `resting`, which comes once
   * nobody but the agent is connected, no handler runs, and nothing is left of what was announced by `waitUntil`. One at a time.
   */
  rest: 0x26,
  /** Empty. */
  resting: 0x27,
  /**
   * Why, in a word: `SPINDOWN`, `TIMEOUT` or `FAILURE`. The instance is to end by itself, and is ended after `InitReport.farewellMs`. Only
   * to one that said so much.
   */
  end: 0x28,
  /** JSON `PreloadRequest`, before `init`: what to import ahead, for functions that use a custom pool. At most once. */
  preload: 0x29,
  /** JSON `PreloadReport`. */
  preloaded: 0x2a,
} as const;

/** Bytes of a body that may be on their way without credit, per stream and direction. */
export const initialCreditBytes = 256 * 1024;

/** How an invocation came: an HTTP request, or an event that is the handler's first argument as it is. */
export const invokeKind = { http: 0, event: 1 } as const;

/** Whether a call's answer is waited for. */
export const callKind = { sync: 0, async: 1 } as const;

/** answered: JSON, or text when the function gave something else · accepted: JSON `{ id }` · failed: problem details. */
export const callOutcome = { json: 0, text: 1, accepted: 2, failed: 3 } as const;

/** Says in an `InvokeHead` that the gateway takes calls; one of an older release says nothing. */
export const takesCalls = 1;

/** Says in an `InvokeHead` that the caller offers to go on with frames of WebSocket: an answer with status 101 takes the offer. */
export const offersWebSocket = 1;

/**
 * A tuple, since it is built and parsed for every request:
 * kind · request id · deadline (ms since epoch) · method · target (path and query, after the function's name; begins with `/`) ·
 * source IP · body length (bytes; 0: no body frames follow; -1: unknown, streamed until `requestEnd`) ·
 * header names (lower case) and values in turn · whether the gateway takes calls · how it came; null or absent: by the function's own address ·
 * whether the caller offers WebSocket; absent: no.
 * For an event only kind, id, deadline and body length mean anything; the body is the event's JSON. Its one header, if any, is
 * `x-amz-client-context`: JSON in Base64, which a client of the Lambda API sent along for the handler's context.
 */
export type InvokeHead = readonly [
  kind: number,
  requestId: string,
  deadline: number,
  method: string,
  target: string,
  sourceIp: string,
  bodyLength: number,
  headers: readonly string[],
  takesCalls: number,
  way?: InvokeWay | null,
  offersWebSocket?: number,
];

/**
 * By which route a request came, such as `GET /users/{id}` (`$default`: by the function's own address), names and values of its path's
 * parameters in turn, and what is known of the caller, as an event has it in `requestContext.authorizer`.
 */
export type InvokeWay = readonly [routeKey: string, parameters: readonly string[], authorizer?: Authorizer | undefined];

export type Authorizer =
  /** Claims are text, as in AWS's gateways: what is none is JSON. */
  | { readonly jwt: { readonly claims: Readonly<Record<string, string>>; readonly scopes: readonly string[] | null } }
  /** Whose access key it was signed with, as AWS's function URLs tell it. */
  | { readonly iam: Readonly<Record<string, string | null>> };

/**
 * status · header names (lower case) and values in turn, `set-cookie` as often as there are cookies. Body frames follow, then `done`.
 * After status 101 the bodies of both directions are the bytes of the connection, until one of `requestEnd` and `done` comes.
 */
export type ResponseHead = readonly [status: number, headers: readonly string[]];

/** What the user's code did wrong. `code` is one of HandlerError, InvalidResponse, ResponseTooLarge, InitError, InitTimeout, HandlerNotFound. */
export interface InvocationFailure {
  readonly code: string;
  /** The error's class, such as `TypeError`. */
  readonly type: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** What a custom runtime said of it, as it said it; for callers of the Lambda API. At most 256 KiB. */
  readonly payload?: string | undefined;
}

export interface RuntimeState {
  readonly protocol: number;
  readonly state: 'booted' | 'dedicated' | 'initialising' | 'initialised' | 'failed';
  /** The interpreter's version, in its own words. */
  readonly runtime: string;
}

/** A secret in clear, on its way into the one sandbox that may have it. */
export interface InitSecret {
  /** What it is found by: it has the value, or the path of a file that has it. */
  readonly variable: string;
  readonly as: SecretForm;
  readonly value: string;
}

export interface PreloadRequest {
  /** As code names them when it imports them. */
  readonly modules: readonly string[];
  /** The folder that they are in; absent: they are the runtime's own. */
  readonly layers?: string;
}

export interface PreloadReport {
  /** Those that could not be imported, and why. */
  readonly failed: readonly { readonly module: string; readonly message: string }[];
}

export interface InitRequest {
  /** As the function names it: one kind of sandbox may serve several. */
  readonly runtime: string;
  readonly function: string;
  readonly version: number;
  readonly instanceId: string;
  readonly handler: string;
  /** What form the handler has; absent: the runtime sees it. */
  readonly form?: HandlerForm;
  /** How HTTP requests look as events; absent: in format 2.0 of AWS's payloads. */
  readonly payload?: '1.0';
  readonly environment: Readonly<Record<string, string>>;
  /** Where the handler's bundle lies below the code, with V8's cache of it; absent: the handler's own file is loaded. */
  readonly bundle?: string;
  /** The folder that its layers' files are in once its code is there, `/opt` in a sandbox; absent: it has none. */
  readonly layers?: string;
  /** Absent: none. */
  readonly secrets?: readonly InitSecret[];
  readonly memoryMiB: number;
  readonly timeoutMs: number;
  /** How long its init may take. A runtime that knows why it is late says so before. */
  readonly initTimeoutMs: number;
  readonly concurrency: number;
}

/** Times in milliseconds, as the runtime measured them. */
export interface InitReport {
  readonly environmentMs: number;
  /** The runtime's own work: finding and resolving the handler's file. */
  readonly runtimeMs: number;
  /** Evaluating the user's modules: user-code init, where billing starts. */
  readonly initMs: number;
  /** How long it wants to take at most to end, when it is told so by `end`. Absent: it is ended without a word. */
  readonly farewellMs?: number | undefined;
}
