import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SwiftletError } from '../model/errors.ts';

/** Where packed artifacts come from: control's folder on one machine, a store on several. */
export interface ArtifactSource {
  /** @throws SwiftletError Unavailable when it does not have the artifact */
  open(digest: string): Promise<Readable>;
}

/** Reads from the folder that control's blobs lie in. */
export const folderSource = (folder: string): ArtifactSource => ({
  open: (digest) =>
    new Promise((resolve, reject) => {
      const stream = createReadStream(join(folder, digest.slice(0, 2), digest));
      stream.once('open', () => resolve(stream));
      stream.once('error', (error) =>
        reject(
          new SwiftletError('Unavailable', `the code ${digest.slice(0, 12)} is not in the artifact store; deploy the function again`, {
            cause: error,
          }),
        ),
      );
    }),
});
