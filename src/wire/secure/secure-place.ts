/** A place in the network where a role listens, and what is proved to each other there. */
import type { CertifiedRole, Proof } from './role-certificate.ts';

/** A private key, its certificate, and the certificates of those whose signature counts; all PEM. */
export interface Material {
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
}

/** What this process shows of itself; it is renewed from time to time. */
export interface Credentials {
  /** What is shown from now on. */
  readonly current: Material;
  /** When that ends, in milliseconds since 1970. */
  readonly endsMs: number;
  /** Calls back after each renewal, until disposed. */
  watch(renewed: () => void): Disposable;
}

export interface SecurePlace {
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials;
  /** Who may be at the other end. */
  readonly roles: readonly CertifiedRole[];
  /** Told of each connection that was refused, or broke before it was greeted. @param from the other end's address */
  readonly refused: (why: string, from: string) => void;
  /** Told what the other end of each connection has proved. */
  readonly proved: (proof: Proof) => void;
}

/** The path of a Unix socket for those on this machine, or a place in the network. */
export type CallPlace = string | SecurePlace;

export const placeName = (place: CallPlace): string => (typeof place === 'string' ? place : `${place.host}:${place.port}`);
