import { SwiftletError } from '../model/errors.ts';

/** Nothing is known while a role is away. @throws whatever else went wrong */
export function whenAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'Unavailable')) throw error;
}
