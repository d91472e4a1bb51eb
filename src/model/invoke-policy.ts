/**
 * Whom a function lets invoke it who has no right to it by a grant of his own: what its resource policy comes to. Part of the state, so that
 * gateways judge by it without asking anybody. Pure.
 */
import { z } from 'zod';
import { accountOf } from './account.ts';
import { type Caller, everyTenant, hasRight } from './rights.ts';

/** Who is let in. */
export const guestSchema = z.discriminatedUnion('kind', [
  /** An access key, by its token. */
  z.object({ kind: z.literal('key'), tokenId: z.string() }),
  /** Whoever may invoke all functions of the tenant with this account. */
  z.object({ kind: z.literal('account'), account: z.string() }),
  /** Whoever has a key here, or a token. */
  z.object({ kind: z.literal('anybody known') }),
]);
export type Guest = Readonly<z.output<typeof guestSchema>>;

export const invokePolicySchema = z.object({
  /** Whether the function's address takes requests of anybody. */
  isOpen: z.boolean(),
  /** Whether callers of its address sign with an access key, or have a token: even where it would be open otherwise. Absent: no. */
  wantsSignature: z.boolean().optional(),
  /** Each to what he was let in to: the function's own name when no qualifier stands there, else that alias or version and nothing else. */
  guests: z.array(z.object({ guest: guestSchema, qualifier: z.string().optional() })),
});
export type InvokePolicy = Readonly<z.output<typeof invokePolicySchema>>;

/** Of nearly every function. */
export const noPolicy: InvokePolicy = { isOpen: false, guests: [] };

/** @param qualifier an alias, or a version's number; undefined: what serves */
export const letsIn = ({ guests }: InvokePolicy, caller: Pick<Caller, 'kind' | 'id' | 'grants'>, qualifier: string | undefined): boolean =>
  guests.some((one) => one.qualifier === qualifier && isGuest(one.guest, caller));

function isGuest(guest: Guest, { kind, id, grants }: Pick<Caller, 'kind' | 'id' | 'grants'>): boolean {
  switch (guest.kind) {
    case 'key':
      return kind === 'token' && id === guest.tokenId;
    case 'account':
      return grants.some(
        ({ role, tenant, functions }) =>
          tenant !== everyTenant && functions === undefined && hasRight(role, 'invoke') && accountOf(tenant) === guest.account,
      );
    case 'anybody known':
      return true;
  }
}
