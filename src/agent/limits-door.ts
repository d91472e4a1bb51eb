/** What gateways that share ports ask of limits. Everything is parsed here. */
import type { CallHandlers } from '../wire/calls.ts';
import { heldPermitsSchema, keptSchema, nonceSchema, permitsSchema, seenNoncesSchema, tokensSchema } from '../wire/limit-calls.ts';
import type { SharedLimits } from './shared-limits.ts';

/** Answers these, and leaves the rest to another door. */
export const limitsDoor = (limits: SharedLimits, rest: CallHandlers): CallHandlers => ({
  ...rest,
  async ask(method, body, peer) {
    if (method === 'permits') return await limits.permit(permitsSchema.parse(body), peer);
    if (method === 'tokens') return limits.take(tokensSchema.parse(body));
    if (method === 'nonce') {
      const { key, nonce, untilMs } = nonceSchema.parse(body);
      return { isNew: await limits.isNew(key, nonce, untilMs) };
    }
    return rest.ask?.(method, body, peer);
  },
  notice(method, body, peer) {
    if (method === 'kept') limits.kept(keptSchema.parse(body), peer);
    else if (method === 'seen nonces')
      for (const { key, nonce, untilMs } of seenNoncesSchema.parse(body).nonces) limits.seen(key, nonce, untilMs);
    else if (method === 'held permits') {
      for (const kept of heldPermitsSchema.parse(body).permits) limits.kept(kept, peer);
      limits.told(peer);
    } else rest.notice?.(method, body, peer);
  },
  closed(peer) {
    limits.left(peer);
    rest.closed?.(peer);
  },
});
