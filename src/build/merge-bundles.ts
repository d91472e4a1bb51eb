/** One bundle of two. */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { readBundle } from './bundle.ts';
import { refusal } from './bundle-refusal.ts';
import type { Installation } from './installation.ts';
import { writeBundle } from './write-bundle.ts';

/**
 * A function's own files with its dependencies beside them. The same two give the same bytes. Nobody vouches for the whole: it is to be
 * checked as an upload is.
 * @param own opens a bundle when it is to be read
 * @param modules the same, of one that has the installation's folder and nothing else
 * @param installation what is there for it alone is left out
 * @throws (by the stream) SwiftletError BundleRejected when one of them is damaged, or the second has anything else
 */
export const mergeBundles = (
  own: () => Readable,
  modules: () => Readable,
  { makes, isOnlyForIt }: Pick<Installation, 'makes' | 'isOnlyForIt'>,
): AsyncGenerator<Buffer, void> =>
  writeBundle(async (add) => {
    await readBundle(own(), (file, content) => (isOnlyForIt(file.name) ? drain(content) : add(file, content)));
    await readBundle(modules(), (file, content) => {
      if (!file.name.startsWith(`${makes}/`)) throw refusal(file.name, 'it is none of the dependencies', 'install them again');
      return add(file, content);
    });
  });

/**
 * A bundle with other paths.
 * @param bundle opens it when it is to be read
 * @param place where a file is to be; undefined: it is left out
 * @throws (by the stream) SwiftletError BundleRejected when it is damaged
 */
export const relayBundle = (bundle: () => Readable, place: (path: string) => string | undefined): AsyncGenerator<Buffer, void> =>
  writeBundle((add) =>
    readBundle(bundle(), (file, content) => {
      const name = place(file.name);
      return name === undefined ? drain(content) : add({ ...file, name }, content);
    }),
  );

const drain = (content: AsyncIterable<Buffer>): Promise<void> => finished(Readable.from(content).resume());
