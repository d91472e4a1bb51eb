/** Errors as AWS Lambda's API has them: a type, its status, a message; and what ours are among them. */
import { type ErrorCode, errorKinds, type SwiftletError } from '../model/errors.ts';

/** Types, with their status. Those of AWS's model and of its signatures; none is made up. */
const statuses = {
  CodeStorageExceededException: 400,
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  PolicyLengthExceededException: 400,
  ValidationException: 400,
  AccessDeniedException: 403,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  UnrecognizedClientException: 403,
  ProvisionedConcurrencyConfigNotFoundException: 404,
  ResourceNotFoundException: 404,
  UnknownOperationException: 404,
  ResourceConflictException: 409,
  PreconditionFailedException: 412,
  RequestTooLargeException: 413,
  TooManyRequestsException: 429,
  ServiceException: 500,
  ServiceUnavailableException: 503,
} as const;
export type LambdaErrorType = keyof typeof statuses;

/** The one error that the Lambda API answers with. */
export class LambdaError extends Error {
  override readonly name = 'LambdaError';
  readonly type: LambdaErrorType;
  /** In how many seconds the same request may succeed, when that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(type: LambdaErrorType, message: string, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.type = type;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return statuses[this.type];
  }

  /** The members of the answer's JSON. The message goes under both of its spellings: AWS's operations differ in it, and so do their clients. */
  get body(): Readonly<Record<string, string>> {
    const reason: Readonly<Record<string, string>> =
      this.type === 'TooManyRequestsException' ? { Reason: 'ConcurrentInvocationLimitExceeded' } : {};
    return { Type: this.status < 500 ? 'User' : 'Service', message: this.message, Message: this.message, ...reason };
  }
}

/** A value that is not taken here. @param message says which, why, and what to do */
export const wrong = (message: string, cause?: unknown): LambdaError =>
  new LambdaError('InvalidParameterValueException', message, cause === undefined ? {} : { cause });

/** Those of our codes that mean something to a caller of the Lambda API; any other is bad input, or our own trouble. */
const types: Partial<Record<ErrorCode, LambdaErrorType>> = {
  Unauthorized: 'UnrecognizedClientException',
  Forbidden: 'AccessDeniedException',
  RequestTooLarge: 'RequestTooLargeException',
  Conflict: 'ResourceConflictException',
  LayerInUse: 'ResourceConflictException',
  RouteConflict: 'ResourceConflictException',
  VersionMissing: 'ResourceNotFoundException',
  PreconditionFailed: 'PreconditionFailedException',
  HeadersTooLarge: 'RequestTooLargeException',
  // Nobody is free to take it: AWS throttles then, and its clients try again.
  QueueFull: 'TooManyRequestsException',
  QueueTimeout: 'TooManyRequestsException',
  HostFull: 'TooManyRequestsException',
  Unavailable: 'ServiceUnavailableException',
  EventNotStored: 'ServiceUnavailableException',
};

/** @param message what is told instead of the error's own */
export function lambdaErrorOf(error: SwiftletError, message = error.message): LambdaError {
  const { status } = errorKinds[error.code];
  if (error.code === 'QuotaExceeded' && error.place === 'storageMiB')
    return new LambdaError('CodeStorageExceededException', message, { cause: error });
  const byStatus: LambdaErrorType =
    status === 404
      ? 'ResourceNotFoundException'
      : status === 429
        ? 'TooManyRequestsException'
        : status < 500
          ? 'InvalidParameterValueException'
          : 'ServiceException';
  const { retryAfterMs } = error;
  return new LambdaError(types[error.code] ?? byStatus, message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1_000) }),
  });
}
