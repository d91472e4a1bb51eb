import type { Exchange } from '../request/exchange.ts';
import { addPlatformHeaders } from '../request/reply.ts';
import type { Handshake } from './handshake.ts';
import { Tunnel } from './tunnel.ts';

/** A function has taken its caller's offer: no time limit of requests holds for what the request is now. */
export function openTunnel(exchange: Exchange, handshake: Handshake, headers: readonly string[], now: number): void {
  exchange.handlerMs = now - exchange.dispatchedAt;
  const all = [...headers];
  addPlatformHeaders(exchange, all);
  exchange.headSent = true;
  exchange.openedAt = now;
  exchange.served.connections += 1;
  exchange.deadline = Number.POSITIVE_INFINITY;
  exchange.callerDeadline = Number.POSITIVE_INFINITY;
  const { socket, early } = handshake.accept(all);
  exchange.tunnel = new Tunnel(exchange, socket, early);
}
