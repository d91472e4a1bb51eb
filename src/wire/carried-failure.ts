/** What user code did wrong, as an error has it for its cause: so it comes from one role to another, and to callers who may know it. */
import type { SwiftletError } from '../model/errors.ts';
import type { InvocationFailure } from './instance-protocol.ts';

/** @returns undefined for an error of another cause */
export function failureIn({ cause }: Pick<SwiftletError, 'cause'>): InvocationFailure | undefined {
  return isFailure(cause) ? cause : undefined;
}

function isFailure(cause: unknown): cause is InvocationFailure {
  if (typeof cause !== 'object' || cause === null || cause instanceof Error) return false;
  const { code, type, message } = cause as Partial<Record<keyof InvocationFailure, unknown>>;
  return typeof code === 'string' && typeof type === 'string' && typeof message === 'string';
}
