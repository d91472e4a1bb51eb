import type { InvokePolicy } from '../../model/invoke-policy.ts';
import type { LambdaRecord } from './lambda-record.ts';

/** What a resource policy comes to, for those who judge by it; undefined when it lets nobody in. Pure. */
export function policyOf({ statements, url }: Pick<LambdaRecord, 'statements' | 'url'>): InvokePolicy | undefined {
  // As on AWS both have to say so: the address itself, and the policy.
  const isOpen = url?.authType === 'NONE' && statements.some(({ opens }) => opens);
  const guests = statements.flatMap(({ guest, qualifier }) =>
    guest === undefined ? [] : [{ guest, ...(qualifier === undefined ? {} : { qualifier }) }],
  );
  const wantsSignature = url?.authType === 'AWS_IAM';
  return isOpen || wantsSignature || guests.length > 0 ? { isOpen, guests, ...(wantsSignature ? { wantsSignature } : {}) } : undefined;
}
