/** Code that control has on another host. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SwiftletError } from '../model/errors.ts';
import type { CallClient } from '../wire/calls.ts';
import { type AskArtifact, artifactPieceBytes, artifactPieceSchema } from '../wire/host-calls.ts';
import type { ArtifactSource } from './artifact-folder.ts';

/** Of one piece, over a slow line. */
const pieceLimitMs = 30_000;

export const remoteArtifacts = (control: Pick<CallClient, 'ask'>): ArtifactSource => ({
  async open(digest) {
    const piece = async (fromByte: number) => {
      const answer = await control.ask('artifact', { digest, fromByte } satisfies AskArtifact, pieceLimitMs);
      return Buffer.from(artifactPieceSchema.parse(answer).base64, 'base64');
    };
    // Whether it is there is known before anything is unpacked.
    return Readable.from(checked(digest, await piece(0), piece));
  },
});

async function* checked(digest: string, first: Buffer, piece: (fromByte: number) => Promise<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let at = 0;
  for (let bytes = first; ; bytes = await piece(at)) {
    hash.update(bytes);
    at += bytes.length;
    if (bytes.length > 0) yield bytes;
    if (bytes.length < artifactPieceBytes) break;
  }
  if (hash.digest('hex') !== digest)
    throw new SwiftletError('Unavailable', `the code ${digest.slice(0, 12)} came damaged from control; it is fetched again`);
}
