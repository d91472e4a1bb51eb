import { type FileHandle, open } from 'node:fs/promises';
import { ifAbsent } from './if-absent.ts';

const blockBytes = 256 * 1024;
/** No line that is looked for is longer. */
const lineBytes = 16 * 1024;
const newline = 0x0a;

/**
 * The first line of a file that contains these bytes, without its newline; undefined when none does, or there is no such file.
 * @param signal ends the search
 * @throws what the signal is aborted with; an error of the file system
 */
export async function findLine(path: string, bytes: Buffer, signal: AbortSignal): Promise<string | undefined> {
  const file = await open(path, 'r').catch(ifAbsent(undefined));
  if (file === undefined) return undefined;
  try {
    const block = Buffer.alloc(blockBytes);
    // Blocks overlap, so that what lies across an edge is found.
    for (let at = 0; ; at += blockBytes - bytes.length) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(block, 0, blockBytes, at);
      const hit = block.subarray(0, bytesRead).indexOf(bytes);
      if (hit >= 0) return await lineAt(file, at + hit);
      if (bytesRead < blockBytes) return undefined;
    }
  } finally {
    await file.close();
  }
}

async function lineAt(file: FileHandle, place: number): Promise<string> {
  const from = Math.max(0, place - lineBytes);
  const around = Buffer.alloc(2 * lineBytes);
  const { bytesRead } = await file.read(around, 0, around.length, from);
  const text = around.subarray(0, bytesRead);
  const start = text.lastIndexOf(newline, place - from) + 1;
  const end = text.indexOf(newline, place - from);
  return text.toString('utf8', start, end < 0 ? bytesRead : end);
}
