import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** Calls back for every line of a stream; longer ones are cut, and what follows is dropped. Memory is bounded whatever comes. */
export function cutLines(stream: Readable, maxLength: number, onLine: (line: string) => void): void {
  const decoder = new StringDecoder();
  let begun = '';
  stream.on('data', (chunk: Buffer) => {
    const [first = '', ...others] = decoder.write(chunk).split('\n');
    begun = (begun + first).slice(0, maxLength);
    for (const next of others) {
      onLine(begun);
      begun = next.slice(0, maxLength);
    }
  });
  stream.once('end', () => {
    if (begun !== '') onLine(begun);
  });
}
