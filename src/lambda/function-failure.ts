/** What a caller of Lambda's API learns of a function that failed: it is an answer with status 200 there, with a payload of its own. Pure. */
import { z } from 'zod';
import { type ErrorCode, errorKinds, isErrorCode } from '../model/errors.ts';

/** What the platform's answer says, when a sender may know what was thrown. */
const problemSchema = z.object({
  detail: z.string().default(''),
  failure: z.object({ type: z.string(), message: z.string(), stack: z.string().optional(), payload: z.string().optional() }).optional(),
});

export interface FailedInvocation {
  readonly code: ErrorCode;
  readonly requestId: string;
  /** Problem details. */
  readonly body: Buffer;
  readonly timeoutMs: number;
}

/** Whether an error is the function's, and so no error of the API. */
export const isFunctionFailure = (code: string): code is ErrorCode => isErrorCode(code) && errorKinds[code].fault === 'function';

/** Names that Lambda gives what its platform says of a function. */
const errorTypes: Partial<Record<ErrorCode, string>> = {
  Timeout: 'Sandbox.Timedout',
  InitTimeout: 'Sandbox.Timedout',
  FunctionCrashed: 'Runtime.ExitError',
  OutOfMemory: 'Runtime.OutOfMemory',
  InitError: 'Runtime.InitError',
  InvalidResponse: 'Runtime.InvalidResponse',
  ResponseTooLarge: 'Function.ResponseSizeTooLarge',
};

/** The payload, as JSON. */
export function failurePayload({ code, requestId, body, timeoutMs }: FailedInvocation): string {
  const { detail, failure } = problemOf(body);
  // A custom runtime says in words of its own what went wrong.
  if (failure?.payload !== undefined) return failure.payload;
  if (failure !== undefined)
    return JSON.stringify({ errorType: failure.type, errorMessage: failure.message, trace: failure.stack?.split('\n') ?? [] });
  const said = code === 'Timeout' ? `Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds` : detail;
  return JSON.stringify({ errorType: errorTypes[code] ?? `Runtime.${code}`, errorMessage: `RequestId: ${requestId} Error: ${said}` });
}

function problemOf(body: Buffer): z.output<typeof problemSchema> {
  try {
    return problemSchema.parse(JSON.parse(body.toString()));
  } catch {
    return { detail: '' };
  }
}

/** What the platform said of an error, in words. */
export const detailOf = (body: Buffer): string => problemOf(body).detail;
