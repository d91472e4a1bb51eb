/** The one function of the ledger's platform. */
import { functionConfigSchema, type Version } from '../../../src/model/function.ts';

export const retries = 60;

export const servedVersion: Version = {
  tenant: 'default',
  function: 'noted',
  number: 1,
  digest: 'a'.repeat(64),
  size: 1,
  config: functionConfigSchema.parse({ async: { retries, backoffMs: 10, inFlight: 32 } }),
  createdAt: '2026-01-01T00:00:00.000Z',
};

/** Where callers reach the ledger's gateway. */
export const frontSocketOf = (run: string): string => `${run}/gateway/front.sock`;
