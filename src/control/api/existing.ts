import { SwiftletError } from '../../model/errors.ts';
import type { FunctionRecord } from '../store.ts';

/** @throws SwiftletError FunctionNotFound */
export function existing(record: FunctionRecord | undefined, name: string): FunctionRecord {
  if (record === undefined) throw notFound(name);
  return record;
}

/** The same for one that is not there and for one that is hidden from the caller. */
export const notFound = (name: string): SwiftletError =>
  new SwiftletError('FunctionNotFound', `there is no function "${name}"; GET /v1/functions lists those there are`);
