/** Archives that no honest tool makes, byte by byte. */
import { Readable } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';

export interface RawEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** The type flag of the header; a plain file's by default. */
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  /** What the header says, when it lies. */
  readonly size?: number;
}

const block = 512;
const padded = (content: Buffer): Buffer => Buffer.concat([content, Buffer.alloc((block - (content.length % block)) % block)]);
export const tarEnd: Buffer = Buffer.alloc(2 * block);

export function rawEntry({ name, content = '', type = '0', mode = 0o644, link = '', size }: RawEntry): Buffer {
  const bytes = Buffer.from(content);
  const head = Buffer.alloc(block);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  head.set(Buffer.from(name), 0);
  head.write(octal(mode, 8), 100, 'latin1');
  head.write(octal(0, 8), 108, 'latin1');
  head.write(octal(0, 8), 116, 'latin1');
  head.write(octal(size ?? bytes.length, 12), 124, 'latin1');
  head.write(octal(0, 12), 136, 'latin1');
  head.fill(' ', 148, 156);
  head.write(type, 156, 'latin1');
  head.write(link, 157, 'latin1');
  head.write('ustar\x0000', 257, 'latin1');
  head.write(
    octal(
      head.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
    'latin1',
  );
  return Buffer.concat([head, padded(bytes)]);
}

/** An entry whose name only an extended header can hold. */
export function paxEntry(name: string, content = ''): Buffer {
  const text = ` path=${name}\n`;
  let length = Buffer.byteLength(text) + 1;
  while (Buffer.byteLength(`${length}${text}`) !== length) length += 1;
  return Buffer.concat([rawEntry({ name: 'pax', type: 'x', content: `${length}${text}` }), rawEntry({ name: 'short', content })]);
}

export const tar = (...entries: (RawEntry | Buffer)[]): Buffer =>
  Buffer.concat([...entries.map((entry) => (Buffer.isBuffer(entry) ? entry : rawEntry(entry))), tarEnd]);

export const packed = (archive: Buffer): Readable => Readable.from([zstdCompressSync(archive)]);
