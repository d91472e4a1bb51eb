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
export const isFunctionFailure = (code: string): code is ErrorCode =>
  isErrorCode(code) && (errorKinds[code].fault === 'function' || code === 'HandlerNotFound');

/** Names that Lambda gives what its platform says of a function. */
const errorTypes: Partial<Record<ErrorCode, string>> = {
  Timeout: 'Sandbox.Timedout',
  InitTimeout: 'Sandbox.Timedout',
  FunctionCrashed: 'Runtime.ExitError',
  OutOfMemory: 'Runtime.OutOfMemory',
  InitError: 'Runtime.InitError',
  HandlerNotFound: 'Runtime.HandlerNotFound',
  InvalidResponse: 'Runtime.InvalidResponse',
  ResponseTooLarge: 'Function.ResponseSizeTooLarge',
};

/** The payload, as JSON. */
export function failurePayload({ code, requestId, body, timeoutMs }: FailedInvocation): string {
  const { detail, failure } = problemOf(body);
  // A runtime that posts its errors says in words of its own what went wrong.
  if (failure?.payload !== undefined) return failure.payload;
  if (failure !== undefined && (code === 'HandlerError' || !isOfPlatform(failure))) {
    const { errorType, errorMessage } = code === 'HandlerError' ? thrown(failure) : initError(failure);
    return JSON.stringify({ errorType, errorMessage, trace: failure.stack?.split('\n') ?? [] });
  }
  if (failure !== undefined && code === 'InitError' && failure.type.includes('.'))
    return platformSays(failure.type, requestId, failure.message);
  const said = code === 'Timeout' ? `Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds` : detail;
  return platformSays(errorTypes[code] ?? `Runtime.${code}`, requestId, code === 'HandlerNotFound' ? (failure?.message ?? said) : said);
}

const platformSays = (errorType: string, requestId: string, said: string): string =>
  JSON.stringify({ errorType, errorMessage: `RequestId: ${requestId} Error: ${said}` });

interface Failed {
  readonly type: string;
  readonly message: string;
}

/** What no code of the user's has said: `Runtime.ExitError`, `Extension.Crash`; or what our runtimes refuse. */
const isOfPlatform = ({ type }: Failed): boolean => /^(?:Runtime|Extension)\.|^(?:HandlerNotFound|InitError|Protocol)$/.test(type);

const thrown = ({ type, message }: Failed) => ({ errorType: type, errorMessage: message });

/** Lambda has names of its own for modules that cannot be found or read; what they throw is told as it is. */
function initError(failure: Failed): { readonly errorType: string; readonly errorMessage: string } {
  const { type, message } = failure;
  const errorMessage = `${type}: ${message}`;
  if (type === 'Error' && /^Cannot find (?:module|package) /.test(message)) return { errorType: 'Runtime.ImportModuleError', errorMessage };
  if (type === 'SyntaxError') return { errorType: 'Runtime.UserCodeSyntaxError', errorMessage };
  return thrown(failure);
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
