import { SwiftletError } from '../model/errors.ts';

/** Nothing is known while a role is away. @throws whatever else went wrong */
export function whenAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'Unavailable')) throw error;
}

/** One of the release before does not know every question. */
export function unlessOlder(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'NotFound')) whenAway(error);
}
