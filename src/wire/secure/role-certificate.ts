/** Whose certificate it is that somebody shows, and whether it is taken. Pure, so that both ends of a connection judge alike. */
import type { X509Certificate } from 'node:crypto';

/** Who has certificates: the roles, and a host's supervisor, which asks for those of its roles. */
export const certifiedRoles = ['control', 'gateway', 'agent', 'relay', 'events', 'host'] as const;
export type CertifiedRole = (typeof certifiedRoles)[number];

/** How a certificate says whose it is: as a URI among its alternative names. */
export const roleUri = (role: CertifiedRole): string => `swiftlet://role/${role}`;

/** What counts of a certificate. */
export interface ShownCertificate {
  /** Undefined: it names none, or several. */
  readonly role: CertifiedRole | undefined;
  /** The host it was made for, as its subject says. */
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What a certificate that is taken proves of the other end. */
export type Proof = ShownCertificate & { readonly role: CertifiedRole };

export type Judgement = { readonly kind: 'taken'; readonly proof: Proof } | { readonly kind: 'refused'; readonly why: string };

export function shownCertificate({ subject, subjectAltName, validFrom, validTo }: ShownFields): ShownCertificate {
  const named = (subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:swiftlet://role/'));
  const [, host = ''] = /^CN=(.*)$/m.exec(subject) ?? [];
  return {
    role: named.length === 1 ? certifiedRoles.find((role) => named[0] === `URI:${roleUri(role)}`) : undefined,
    host,
    fromMs: Date.parse(validFrom),
    untilMs: Date.parse(validTo),
  };
}
type ShownFields = Pick<X509Certificate, 'subject' | 'subjectAltName' | 'validFrom' | 'validTo'>;

/** What OpenSSL says of certificates whose time is what is wrong; the rest is about who signed them. */
const aboutTime: readonly string[] = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/**
 * @param shown undefined when the other end showed none
 * @param chainFault OpenSSL's word for what is wrong with it, if anything is
 * @param wanted the roles that may be at the other end
 */
export function judge(
  shown: ShownCertificate | undefined,
  chainFault: string | undefined,
  wanted: readonly CertifiedRole[],
  nowMs: number,
): Judgement {
  if (shown === undefined) return refused('it showed no certificate');
  const { role, untilMs, fromMs } = shown;
  if (chainFault !== undefined && !aboutTime.includes(chainFault))
    return refused(`its certificate is not of an authority that is trusted here (${chainFault})`);
  if (nowMs >= untilMs) return refused(`its certificate ended at ${new Date(untilMs).toISOString()}`);
  if (nowMs < fromMs) return refused(`its certificate begins at ${new Date(fromMs).toISOString()}; the clocks of the two hosts differ`);
  if (chainFault !== undefined) return refused(`a certificate of its authority has ended, or has not begun (${chainFault})`);
  if (role === undefined) return refused(`its certificate names no role; one that does has a URI such as ${roleUri('gateway')}`);
  if (!wanted.includes(role)) return refused(`its certificate is for the role ${role}; here it is to be ${wanted.join(' or ')}`);
  return { kind: 'taken', proof: { ...shown, role } };
}

const refused = (why: string): Judgement => ({ kind: 'refused', why });

/**
 * When a connection is to be followed by a new one, which is made with the certificates of then: half-way to the end of the first that
 * ends. Should the other end still have its old certificate then, half of what is left is left.
 */
export const followAtMs = (openedAtMs: number, endsMs: number): number => openedAtMs + (endsMs - openedAtMs) / 2;
