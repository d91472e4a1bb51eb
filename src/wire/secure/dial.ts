/** Connects to where a role listens. */
import { createConnection, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { handshakeLimitMs, mutual, proofOf, secretsOf } from './prove.ts';
import type { Proof } from './role-certificate.ts';
import { type CallPlace, placeName, type SecurePlace } from './secure-place.ts';

/**
 * Connects once; a socket that cannot is closed. Why is told to the place, if it is one in the network.
 * @param open called when the connection is there; with what its other end has proved when it goes through the network
 */
export function dial(place: CallPlace, open: (proof?: Proof) => void): Socket {
  if (typeof place !== 'string') return dialSecurely(place, open);
  const socket = createConnection(place, () => open());
  socket.on('error', () => undefined);
  return socket;
}

function dialSecurely(place: SecurePlace, open: (proof: Proof) => void): TLSSocket {
  const { host, port } = place;
  // What is checked instead of the host's name is the role.
  const socket = connect({ ...mutual, ...secretsOf(place), host, port, checkServerIdentity: () => undefined }, () => {
    socket.setTimeout(0);
    const proof = proofOf(socket, place);
    if (proof !== undefined) open(proof);
  });
  socket.setTimeout(handshakeLimitMs, () => socket.destroy(new Error(`no answer within ${handshakeLimitMs} ms`)));
  socket.on('error', (error) => place.refused(`no connection: ${error.message}`, placeName(place)));
  return socket;
}
