/** What other hosts ask of control. Who asks has proved which role it is. */
import { buffer } from 'node:stream/consumers';
import { SwiftletError } from '../../model/errors.ts';
import type { CallHandlers, Peer } from '../../wire/calls.ts';
import {
  type ArtifactPiece,
  artifactPieceBytes,
  askArtifactSchema,
  askCertificateSchema,
  type CertificateAnswer,
} from '../../wire/host-calls.ts';
import type { Blobs } from '../blobs.ts';
import type { Authority } from './authority.ts';

export interface HostsDoorMeans {
  readonly blobs: Pick<Blobs, 'open'>;
  /** Undefined where certificates are given. */
  readonly authority: Authority | undefined;
  readonly certificateLifeMs: number;
}

export function hostsDoor(means: HostsDoorMeans): CallHandlers {
  return {
    ask(method, body, peer) {
      if (method === 'certificate') return signed(means, body, peer);
      if (method === 'artifact') return piece(means, body, peer);
      throw new SwiftletError('NotFound', `control knows no call "${method}" of other hosts`);
    },
  };
}

/** A host's supervisor holds the keys of all its roles; a role is given none but its own. */
async function signed({ authority, certificateLifeMs }: HostsDoorMeans, body: unknown, peer: Peer): Promise<CertificateAnswer> {
  demand(peer, 'host');
  const { role, request } = askCertificateSchema.parse(body);
  if (authority === undefined)
    throw new SwiftletError('Conflict', 'control makes no certificates: SWIFTLET_CERTIFICATES says where they come from');
  const subject = { role, host: peer.host ?? 'unknown', lifeMs: certificateLifeMs };
  return { certificate: await authority.sign(subject, request), authority: authority.certificate };
}

async function piece({ blobs }: HostsDoorMeans, body: unknown, peer: Peer): Promise<ArtifactPiece> {
  demand(peer, 'agent');
  const { digest, fromByte } = askArtifactSchema.parse(body);
  const bytes = await buffer(blobs.open(digest, { fromByte, bytes: artifactPieceBytes })).catch((error: unknown) => {
    throw new SwiftletError('Unavailable', `the code ${digest.slice(0, 12)} is not in the artifact store; deploy the function again`, {
      cause: error,
    });
  });
  return { base64: bytes.toString('base64') };
}

function demand({ role }: Peer, wanted: string): void {
  if (role !== wanted) throw new SwiftletError('Forbidden', `this is for the role ${wanted}, and the certificate is for ${role}`);
}
