import { createHash } from 'node:crypto';
import { defaultTenant } from './names.ts';

const digits = 12;
const firstBytes = 6;

/** A tenant as tools for AWS name it: an account, of twelve digits. The first tenant's is all zeros; any other one's follows from its name. */
export function accountOf(tenant: string): string {
  if (tenant === defaultTenant) return '0'.repeat(digits);
  const number = createHash('sha256').update(tenant).digest().readUIntBE(0, firstBytes) % 10 ** digits;
  return String(number).padStart(digits, '0');
}
