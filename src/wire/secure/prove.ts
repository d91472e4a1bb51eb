/** TLS between roles: what both ends have in common. */
import type { TLSSocket } from 'node:tls';
import { judge, type Proof, shownCertificate } from './role-certificate.ts';
import type { SecurePlace } from './secure-place.ts';

/** How long a connection may take until both ends have proved who they are. */
export const handshakeLimitMs = 5_000;
const keepAliveMs = 10_000;

/**
 * Certificates are asked for and judged by us instead of by node:tls (`rejectUnauthorized`): it ends a server's connection without a word of
 * why, and knows hosts' names but no roles. Nothing is read from a connection, and nothing sent, before `proofOf` has taken it.
 */
export const mutual = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;

export const secretsOf = ({ credentials: { current } }: SecurePlace) => ({
  key: current.key,
  cert: current.certificate,
  ca: current.authority,
});

/** What the other end has proved; otherwise it is cut off, and the place is told why. */
export function proofOf(socket: TLSSocket, place: SecurePlace): Proof | undefined {
  const certificate = socket.getPeerX509Certificate();
  const shown = certificate === undefined ? undefined : shownCertificate(certificate);
  const judgement = judge(shown, chainFaultOf(socket), place.roles, Date.now());
  if (judgement.kind === 'refused') {
    place.refused(judgement.why, addressOf(socket));
    socket.destroy();
    return undefined;
  }
  // A host that lost its power says no goodbye.
  socket.setKeepAlive(true, keepAliveMs);
  place.proved(judgement.proof);
  return judgement.proof;
}

/** OpenSSL's word for what is wrong with the certificates; undefined when nothing is. */
function chainFaultOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  if (authorized) return undefined;
  // The types have an Error here; what is there is a word, or null.
  const fault: unknown = authorizationError;
  if (fault instanceof Error) return fault.message;
  return typeof fault === 'string' ? fault : 'UNVERIFIED';
}

export const addressOf = ({ remoteAddress, remotePort }: Pick<TLSSocket, 'remoteAddress' | 'remotePort'>): string =>
  remoteAddress === undefined ? 'an address that is gone' : `${remoteAddress}:${remotePort ?? 0}`;
