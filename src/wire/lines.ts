/** Streams of lines between processes. */
import { SwiftletError } from '../model/errors.ts';

const lineFeed = 0x0a;

/**
 * The lines of a stream, without their ends; what follows the last end is no line and is left out.
 * @param maxBytes of one line
 * @throws SwiftletError BadRequest for a longer line, and what the stream throws
 */
export async function* readLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const piece of source) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, from)) {
      const rest = chunk.subarray(from, at);
      if (begunBytes + rest.length > maxBytes) throw tooLong(maxBytes);
      yield begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
      [begun, begunBytes, from] = [[], 0, at + 1];
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    begunBytes += chunk.length - from;
    if (begunBytes > maxBytes) throw tooLong(maxBytes);
  }
}

const tooLong = (maxBytes: number): SwiftletError => new SwiftletError('BadRequest', `a line is over ${maxBytes} bytes`);
