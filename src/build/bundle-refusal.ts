import { SwiftletError } from '../model/errors.ts';

const shownName = 200;

/**
 * Why a bundle is not accepted.
 * @param name the entry it is about; empty when it is about the bundle as a whole
 */
export function refusal(name: string, reason: string, remedy: string, cause?: unknown): SwiftletError {
  const entry = name.slice(0, shownName);
  const what = entry === '' ? 'the bundle' : `the bundle's entry ${JSON.stringify(entry)}`;
  return new SwiftletError('BundleRejected', `${what} is refused: ${reason}; ${remedy}`, {
    ...(entry === '' ? {} : { place: entry }),
    ...(cause === undefined ? {} : { cause }),
  });
}
