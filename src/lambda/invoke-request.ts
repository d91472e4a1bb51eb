/** What an Invoke of Lambda's API asks for, beside its payload. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { LambdaError } from './lambda-error.ts';

export const invocationTypes = ['RequestResponse', 'Event', 'DryRun'] as const;
const logTypes = ['None', 'Tail'] as const;
/** Of the client context, in Base64. */
const maxContextCharacters = 3_583;

const headersSchema = z.object({
  'x-amz-invocation-type': z.enum(invocationTypes).default('RequestResponse'),
  'x-amz-log-type': z.enum(logTypes).default('None'),
  'x-amz-client-context': z.string().max(maxContextCharacters).optional(),
});

export interface InvokeWish {
  readonly type: (typeof invocationTypes)[number];
  /** Whether the end of the log is wanted with the answer. */
  readonly withLog: boolean;
  /** JSON in Base64, as the handler's context gets it. */
  readonly clientContext: string | undefined;
}

/** @throws LambdaError ValidationException, InvalidRequestContentException */
export function invokeWish(headers: IncomingHttpHeaders): InvokeWish {
  const parsed = headersSchema.safeParse(headers);
  if (!parsed.success) throw invalidHeader(headers, parsed.error.issues[0]);
  const { 'x-amz-invocation-type': type, 'x-amz-log-type': logType, 'x-amz-client-context': clientContext } = parsed.data;
  if (clientContext !== undefined && !isJsonObject(Buffer.from(clientContext, 'base64').toString()))
    throw new LambdaError('InvalidRequestContentException', 'Client context must be a valid Base64-encoded JSON object.');
  return { type, withLog: logType === 'Tail', clientContext };
}

/** @throws LambdaError InvalidRequestContentException for what is no JSON */
export function demandJson(payload: Buffer): void {
  try {
    if (payload.length > 0) JSON.parse(payload.toString());
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new LambdaError('InvalidRequestContentException', `Could not parse request body into json: ${why}`, { cause: error });
  }
}

const places: Readonly<Record<string, { readonly place: string; readonly rule: string }>> = {
  'x-amz-invocation-type': { place: 'invocationType', rule: `satisfy enum value set: [${invocationTypes.join(', ')}]` },
  'x-amz-log-type': { place: 'logType', rule: `satisfy enum value set: [${logTypes.join(', ')}]` },
  'x-amz-client-context': { place: 'clientContext', rule: `have length less than or equal to ${maxContextCharacters}` },
};

function invalidHeader(headers: IncomingHttpHeaders, issue: z.core.$ZodIssue | undefined): LambdaError {
  const header = String(issue?.path[0] ?? '');
  const { place = header, rule = 'be valid' } = places[header] ?? {};
  const value = String(headers[header] ?? '').slice(0, 64);
  return new LambdaError(
    'ValidationException',
    `1 validation error detected: Value '${value}' at '${place}' failed to satisfy constraint: Member must ${rule}`,
  );
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
