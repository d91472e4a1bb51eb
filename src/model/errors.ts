/** Whose doing an error is: decides what a caller may do about it, and what pages an operator. */
export type Fault = 'caller' | 'function' | 'platform';

interface ErrorKind {
  readonly status: number;
  readonly fault: Fault;
  /** Whether the same request may succeed when it is simply sent again. */
  readonly retryable: boolean;
  readonly title: string;
}

/** The closed table of everything that can go wrong where a user can see it. Codes are part of the API: they are never renamed. */
export const errorKinds = {
  BadRequest: { status: 400, fault: 'caller', retryable: false, title: 'The request is malformed' },
  NameInvalid: { status: 400, fault: 'caller', retryable: false, title: 'The name is not allowed' },
  ManifestInvalid: { status: 400, fault: 'caller', retryable: false, title: 'The configuration is invalid' },
  RuntimeUnknown: { status: 400, fault: 'caller', retryable: false, title: 'The runtime is unknown' },
  VersionMissing: { status: 400, fault: 'caller', retryable: false, title: 'An alias would point to a version that there is not' },
  RouteConflict: { status: 400, fault: 'caller', retryable: false, title: 'Another function takes these requests' },
  LayerMissing: { status: 400, fault: 'caller', retryable: false, title: 'The function builds on a layer that there is not' },
  PoolMissing: { status: 400, fault: 'caller', retryable: false, title: 'The function names a custom pool that there is not' },
  PoolUnfit: { status: 400, fault: 'caller', retryable: false, title: 'The custom pool does not fit' },
  CloudEventInvalid: { status: 400, fault: 'caller', retryable: false, title: 'The request is no CloudEvent' },
  PathInvalid: { status: 400, fault: 'caller', retryable: false, title: 'The path is not in canonical form' },
  Unauthorized: { status: 401, fault: 'caller', retryable: false, title: 'A valid token is required' },
  Forbidden: { status: 403, fault: 'caller', retryable: false, title: 'The caller has no right to this' },
  NotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such thing' },
  CallForbidden: { status: 403, fault: 'function', retryable: false, title: 'The function may not call this one' },
  FunctionNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such function' },
  VersionNotFound: { status: 404, fault: 'caller', retryable: false, title: 'The function has no such version' },
  AliasNotFound: { status: 404, fault: 'caller', retryable: false, title: 'The function has no such alias' },
  RolloutNotFound: { status: 404, fault: 'caller', retryable: false, title: 'The function has no such rollout' },
  EventNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such event' },
  SecretNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such secret' },
  NetworkNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such private network' },
  LayerNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such layer' },
  PoolNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such custom pool' },
  TenantNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such tenant' },
  TokenNotFound: { status: 404, fault: 'caller', retryable: false, title: 'There is no such token' },
  MethodNotAllowed: { status: 405, fault: 'caller', retryable: false, title: 'The method is not supported here' },
  RequestTimeout: { status: 408, fault: 'caller', retryable: true, title: 'The request came too slowly' },
  Conflict: { status: 409, fault: 'caller', retryable: true, title: 'Another change came first' },
  SecretExists: { status: 409, fault: 'caller', retryable: false, title: 'There is a secret of this name, with another value' },
  SecretInUse: { status: 409, fault: 'caller', retryable: false, title: 'Functions use the secret' },
  NetworkExists: { status: 409, fault: 'caller', retryable: false, title: 'There is a private network of this name, with other settings' },
  NetworkInUse: { status: 409, fault: 'caller', retryable: false, title: 'Functions use the private network' },
  LayerInUse: { status: 409, fault: 'caller', retryable: false, title: 'Functions build on the layer' },
  PoolExists: { status: 409, fault: 'caller', retryable: false, title: 'There is a custom pool of this name, with other settings' },
  PoolInUse: { status: 409, fault: 'caller', retryable: false, title: 'Functions use the custom pool' },
  PreconditionFailed: { status: 412, fault: 'caller', retryable: false, title: 'The resource has changed since it was read' },
  GroupElsewhere: { status: 421, fault: 'caller', retryable: false, title: 'The request is for another group of hosts' },
  RequestTooLarge: { status: 413, fault: 'caller', retryable: false, title: 'The request body is too large' },
  BundleRejected: { status: 422, fault: 'caller', retryable: false, title: 'The bundle cannot be accepted' },
  BuildFailed: { status: 422, fault: 'caller', retryable: false, title: 'The dependencies could not be installed' },
  HandlerNotFound: { status: 422, fault: 'caller', retryable: false, title: 'The handler cannot be found in the bundle' },
  SecretMissing: { status: 422, fault: 'caller', retryable: false, title: 'The function refers to a secret that is not set' },
  NetworkMissing: { status: 422, fault: 'caller', retryable: false, title: 'The function names a private network that there is not' },
  IdempotencyKeyReused: { status: 422, fault: 'caller', retryable: false, title: 'The idempotency key stands for another request' },
  HeadersTooLarge: { status: 431, fault: 'caller', retryable: false, title: 'The request headers are too large' },
  TooManyRequests: { status: 429, fault: 'caller', retryable: true, title: 'Too many requests at once' },
  QuotaExceeded: { status: 429, fault: 'caller', retryable: true, title: 'A quota of the tenant is full' },
  RateLimited: { status: 429, fault: 'caller', retryable: true, title: 'Too many requests in a second' },
  ClientClosedRequest: { status: 499, fault: 'caller', retryable: false, title: 'The caller hung up' },
  HandlerError: { status: 502, fault: 'function', retryable: false, title: 'The function threw an error' },
  InitError: { status: 502, fault: 'function', retryable: false, title: 'The function failed to initialise' },
  InvalidResponse: { status: 502, fault: 'function', retryable: false, title: 'The function returned something that is no response' },
  ResponseTooLarge: { status: 502, fault: 'function', retryable: false, title: 'The response is over a limit' },
  OutOfMemory: { status: 502, fault: 'function', retryable: false, title: 'The function exceeded its memory limit' },
  FunctionCrashed: { status: 502, fault: 'function', retryable: true, title: 'The function exited before it answered' },
  WebSocketUnsupported: { status: 501, fault: 'caller', retryable: false, title: 'The function takes no WebSocket' },
  Timeout: { status: 504, fault: 'function', retryable: false, title: 'The function exceeded its time limit' },
  InitTimeout: { status: 504, fault: 'function', retryable: false, title: 'The function did not initialise in time' },
  DeadlineExceeded: { status: 504, fault: 'caller', retryable: false, title: 'The caller’s time was over before the answer was there' },
  DeadlineUnreachable: { status: 503, fault: 'platform', retryable: true, title: 'The request could not be answered in time' },
  CircuitOpen: { status: 503, fault: 'function', retryable: true, title: 'The function fails and is left alone for a while' },
  QueueFull: { status: 503, fault: 'platform', retryable: true, title: 'Too many requests are waiting for this function' },
  QueueTimeout: { status: 504, fault: 'platform', retryable: true, title: 'No instance became free in time' },
  HostFull: { status: 503, fault: 'platform', retryable: true, title: 'The host has no room for another instance' },
  Unavailable: { status: 503, fault: 'platform', retryable: true, title: 'A part of the platform is not available' },
  EventNotStored: { status: 503, fault: 'platform', retryable: true, title: 'The event could not be stored' },
  EventExpired: { status: 504, fault: 'platform', retryable: false, title: 'The event grew too old before it could be delivered' },
  DeliveryInterrupted: { status: 503, fault: 'platform', retryable: true, title: 'The delivery broke off before its answer was there' },
  SourceUnreachable: { status: 503, fault: 'caller', retryable: true, title: 'A source of events does not answer' },
  SourceRefused: { status: 403, fault: 'caller', retryable: false, title: 'A source of events does not let Swiftlet in' },
  SourceMissing: { status: 404, fault: 'caller', retryable: false, title: 'A source of events is not there' },
  SourceInvalid: { status: 422, fault: 'caller', retryable: false, title: 'A source of events cannot be used as it is declared' },
  WebhookFailed: { status: 502, fault: 'caller', retryable: true, title: 'A webhook did not take what was sent to it' },
  WebhookForbidden: { status: 403, fault: 'caller', retryable: false, title: 'A webhook may not be sent to this address' },
  RecursionStopped: { status: 508, fault: 'function', retryable: false, title: 'Functions caused each other’s invocation too often' },
  StorageFull: { status: 507, fault: 'platform', retryable: true, title: 'The disk is full' },
  IsolationUnavailable: { status: 503, fault: 'platform', retryable: false, title: 'Functions cannot be isolated on this machine' },
  Internal: { status: 500, fault: 'platform', retryable: false, title: 'Swiftlet made a mistake' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorKinds, code);

/** The one error that crosses seams. Its message names the layer, the thing, the limit and what to do about it. */
export class SwiftletError extends Error {
  override readonly name = 'SwiftletError';
  readonly code: ErrorCode;
  /** Where in the input the mistake is: a path such as `functions.hello.memory`, or `swiftlet.yaml:3:12`. */
  readonly place: string | undefined;
  /** The limit that was hit, in words. */
  readonly limit: string | undefined;
  /** When another try may be worth it, in milliseconds; for errors that are retryable. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; place?: string; limit?: string; retryAfterMs?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.place = options.place;
    this.limit = options.limit;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Problem details of RFC 9457, with the members `code`, `requestId`, `place`, `limit` and `retryAfterSeconds`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly place?: string;
  readonly limit?: string;
  readonly retryAfterSeconds?: number;
}

const milliseconds = 1_000;

/** For `Retry-After`: in how many seconds another try may be worth it; undefined when it would end the same. */
export const retryAfter = ({ code, status, retryAfterSeconds = 1 }: Problem): string | undefined =>
  errorKinds[code].retryable && (status === 503 || status === 429) ? String(retryAfterSeconds) : undefined;

/** Translates an error to problem details. Of an unforeseen error nothing but its code goes out. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known =
    error instanceof SwiftletError
      ? error
      : new SwiftletError('Internal', 'an unexpected error; the platform log has the details under this request id');
  const kind = errorKinds[known.code];
  return {
    type: `https://swiftlet.dev/errors/${known.code}`,
    title: kind.title,
    status: kind.status,
    detail: known.message,
    code: known.code,
    requestId,
    ...(known.place === undefined ? {} : { place: known.place }),
    ...(known.limit === undefined ? {} : { limit: known.limit }),
    ...(known.retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(known.retryAfterMs / milliseconds)) }),
  };
}
