import type { Exchange } from '../request/exchange.ts';
import { addPlatformHeaders } from '../request/reply.ts';
import type { Offer } from './offer.ts';
import { Tunnel } from './tunnel.ts';

/** A function has taken its caller's offer: no time limit of requests holds for what the request is now. */
export function openTunnel(exchange: Exchange, offer: Offer, headers: readonly string[], now: number): void {
  exchange.handlerMs = now - exchange.dispatchedAt;
  const all = [...headers];
  addPlatformHeaders(exchange, all);
  exchange.headSent = true;
  exchange.openedAt = now;
  exchange.served.connections += 1;
  exchange.deadline = Number.POSITIVE_INFINITY;
  exchange.callerDeadline = Number.POSITIVE_INFINITY;
  exchange.tunnel = new Tunnel(exchange, offer.accept(all));
}
