import { type ErrorCode, errorKinds } from '../model/errors.ts';

/** What scripts can rely on. */
export const exitCode = { ok: 0, failed: 1, usage: 2, notFound: 3, unreachable: 4 } as const;

const badRequest = 400;
const notFound = 404;
const unprocessable = 422;

export function exitCodeOf(code: ErrorCode): number {
  if (code === 'Unavailable') return exitCode.unreachable;
  const { status } = errorKinds[code];
  if (status === notFound) return exitCode.notFound;
  return status === badRequest || status === unprocessable ? exitCode.usage : exitCode.failed;
}
