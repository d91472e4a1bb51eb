/** What sources are opened with in tests. */
import type { SourceMeans } from '../../../src/events/sources/source.ts';
import { SwiftletError } from '../../../src/model/errors.ts';
import { mostInTests } from './source.contract.ts';

/** The variable of the function's environment that has the password. */
export const passwordVariable = 'BROKER_PASSWORD';

/** A consumer that is only this one's. @param password what the variable has */
export function meansOf(password: string, change: Partial<SourceMeans> = {}): SourceMeans {
  return {
    consumer: 'test',
    start: { kind: 'earliest' },
    isOrdered: true,
    most: mostInTests,
    secret(variable) {
      if (variable === passwordVariable) return password;
      throw new SwiftletError('SourceInvalid', `no ${variable}`);
    },
    ...change,
  };
}
