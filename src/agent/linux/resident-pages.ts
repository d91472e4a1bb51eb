/** What only one process has in memory now, page by page. Source: Documentation/admin-guide/mm/pagemap.rst of Linux. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { parseMaps, type Range } from './page-out.ts';

const pageBytes = 4096n;
const entryBytes = 8;
/** The upper half of an entry: the page is in memory; it is a file's, or others have it, too. */
const isPresent = 1 << 31;
const isShared = 1 << 29;
/** Pages that lie between two that are wanted are read with them: one long read costs less than two short ones. */
const gapPages = 4;
/** What is longer is reserved, and nearly empty. */
const longestBytes = 256n * 1024n * 1024n;

/** @returns in the order of their addresses; none for a process that is gone */
export async function residentPages(pid: number): Promise<Range[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'latin1').catch(() => '');
  const file = await open(`/proc/${pid}/pagemap`, 'r').catch(() => undefined);
  if (file === undefined) return [];
  try {
    const found: Range[] = [];
    for (const range of parseMaps(maps)) if (range.bytes <= longestBytes) found.push(...runsOf(range.from, await entriesOf(file, range)));
    return found;
  } finally {
    await file.close();
  }
}

async function entriesOf(file: FileHandle, { from, bytes }: Range): Promise<Buffer> {
  const length = Number(bytes / pageBytes) * entryBytes;
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, Number(from / pageBytes) * entryBytes);
  return buffer.subarray(0, bytesRead);
}

/** @param entries of the pages from this address on, as pagemap has them */
export function runsOf(from: bigint, entries: Buffer): Range[] {
  const runs: { first: number; last: number }[] = [];
  for (let page = 0; page < entries.length / entryBytes; page++) {
    const upper = entries.readUInt32LE(page * entryBytes + entryBytes / 2);
    if ((upper & isPresent) === 0 || (upper & isShared) !== 0) continue;
    const before = runs.at(-1);
    if (before !== undefined && page - before.last <= gapPages + 1) before.last = page;
    else runs.push({ first: page, last: page });
  }
  return runs.map(({ first, last }) => ({ from: from + BigInt(first) * pageBytes, bytes: BigInt(last - first + 1) * pageBytes }));
}
