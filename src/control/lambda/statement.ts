/** A statement of a resource policy: as it was said, and what it comes to here. Pure. */
import { z } from 'zod';
import { wrong } from '../../lambda/lambda-error.ts';
import { claimedTokenId } from '../../model/access-key.ts';
import { type Guest, guestSchema } from '../../model/invoke-policy.ts';

export const statementSchema = z.object({
  id: z.string(),
  /** An alias or a version's number; absent: the function's own name. */
  qualifier: z.string().optional(),
  action: z.string(),
  principal: z.string(),
  sourceArn: z.string().optional(),
  sourceAccount: z.string().optional(),
  eventSourceToken: z.string().optional(),
  urlAuthType: z.string().optional(),
  viaUrl: z.boolean().optional(),
  /** Whom it lets in; absent: nobody whom it could be here, as services of AWS. */
  guest: guestSchema.optional(),
  /** Whether it opens the function's address to anybody. */
  opens: z.boolean().default(false),
});
export type Statement = z.output<typeof statementSchema>;
export type SaidStatement = Omit<Statement, 'guest' | 'opens'>;

const invokeActions: readonly string[] = ['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl', 'lambda:InvokeAsync'];
const servicePattern = /^[\w.-]+\.amazonaws\.com(?:\.cn)?$/;
const accountPattern = /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$/;
const keyPattern = /^(?:arn:aws[a-z-]*:iam::\d{12}:user\/)?(SWLT[0-9A-F]{16})$/;

/** @throws LambdaError InvalidParameterValueException for what would let in nobody, or somebody else than was meant */
export function understood(said: SaidStatement): Statement {
  const { action, principal, sourceArn, sourceAccount, eventSourceToken, urlAuthType, viaUrl } = said;
  if (!invokeActions.includes(action))
    throw wrong(`Action: a policy lets invoke here (${invokeActions.join(', ')}); what else a key may do is said by its role`);
  if (servicePattern.test(principal)) return { ...said, opens: false };
  if (sourceArn !== undefined || sourceAccount !== undefined || eventSourceToken !== undefined)
    throw wrong('SourceArn, SourceAccount, EventSourceToken: they are for services; no key comes with them here');
  if (principal === '*' && action === 'lambda:InvokeFunctionUrl' && urlAuthType === 'NONE') return { ...said, opens: true };
  // Goes with the one before, which alone decides.
  if (viaUrl === true) return { ...said, opens: false };
  return { ...said, guest: guestOf(principal), opens: false };
}

function guestOf(principal: string): Guest {
  if (principal === '*') return { kind: 'anybody known' };
  const account = accountPattern.exec(principal)?.[1];
  if (account !== undefined) return { kind: 'account', account };
  const tokenId = claimedTokenId(keyPattern.exec(principal)?.[1] ?? '');
  if (tokenId !== undefined) return { kind: 'key', tokenId };
  throw wrong(
    'The provided principal was invalid. Please check the principal and try again. It is a key (arn:aws:iam::<account>:user/SWLT…), the account of a tenant, a service, or *',
  );
}

/** As the policy's document has it. @param resource the ARN of what it is about, without a qualifier */
export function documented({ id, action, qualifier, ...said }: Statement, resource: string): object {
  const equal = {
    ...(said.sourceAccount === undefined ? {} : { 'AWS:SourceAccount': said.sourceAccount }),
    ...(said.eventSourceToken === undefined ? {} : { 'lambda:EventSourceToken': said.eventSourceToken }),
    ...(said.urlAuthType === undefined ? {} : { 'lambda:FunctionUrlAuthType': said.urlAuthType }),
  };
  const condition = {
    ...(Object.keys(equal).length === 0 ? {} : { StringEquals: equal }),
    ...(said.sourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': said.sourceArn } }),
    ...(said.viaUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': String(said.viaUrl) } }),
  };
  return {
    Sid: id,
    Effect: 'Allow',
    Principal: principalOf(said.principal),
    Action: action,
    Resource: qualifier === undefined ? resource : `${resource}:${qualifier}`,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function principalOf(principal: string): string | object {
  if (principal === '*') return principal;
  if (servicePattern.test(principal)) return { Service: principal };
  return { AWS: /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal };
}
