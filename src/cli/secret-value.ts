import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { SwiftletError } from '../model/errors.ts';
import { secretBytes } from '../model/limits.ts';
import { secretValueSchema } from '../model/secret.ts';

/** What of standard input is read at most: a little more than fits, so that what does not is noticed. */
const readBytes = 4 * secretBytes.max;

/** Where a secret's value is read from. Never from the arguments: every user of the machine sees those, and shells keep them. */
export interface ValueSource {
  /** A file; absent: standard input. */
  readonly file?: string;
  /** Keeps the line's end at the value's end, which else is taken for the editor's or echo's. */
  readonly exact?: boolean;
}

/** What this needs of a process; `process` is one. */
export type Input = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };

/** @throws SwiftletError BadRequest with the remedy for what is no value */
export async function readValue({ file, exact = false }: ValueSource, input: Input): Promise<string> {
  const bytes = file === undefined ? await fromInput(input) : await fromFile(file);
  if (!isUtf8(bytes))
    throw new SwiftletError('BadRequest', 'the value is not text in UTF-8; set it in Base64: base64 <file> | swiftlet secret set …');
  const text = bytes.toString();
  const parsed = secretValueSchema.safeParse(exact ? text : text.replace(/\r?\n$/, ''));
  if (parsed.success) return parsed.data;
  throw new SwiftletError('BadRequest', parsed.error.issues[0]?.message ?? 'it is no value of a secret', { place: 'value' });
}

async function fromFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SwiftletError('NotFound', `the file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function fromInput(input: Input): Promise<Buffer> {
  if (input.isTTY === true)
    throw new SwiftletError(
      'BadRequest',
      'the value is read from standard input or from --file, so that no shell keeps it: printf %s "$VALUE" | swiftlet secret set …',
    );
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size > readBytes) break;
  }
  return Buffer.concat(chunks);
}
