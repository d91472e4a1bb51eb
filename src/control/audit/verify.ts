/** Whether the audit records are what was written: the chain in the store, and the copy in the data folder. */
import { type Anchor, type Break, ChainCheck } from '../../model/audit.ts';
import type { AuditFile } from './audit-file.ts';
import type { AuditStore } from './audit-store.ts';

/** Records that are looked at before others have their turn. */
const atOnce = 500;

export interface Verification {
  /** When it began. */
  readonly at: string;
  readonly intact: boolean;
  readonly records: number;
  /** The record before the first that is kept: what was before has been let go. */
  readonly anchor: Anchor;
  /** The last record. Whoever has noted it elsewhere knows that nothing before it was changed since, nor cut off. */
  readonly head: Anchor;
  /** The first place in each copy where the chain does not hold. */
  readonly breaks: readonly (Break & { readonly where: 'store' | 'file' })[];
}

/** @param head the end of the chain, up to which the copy is there @param at when it begins */
export async function verify(store: AuditStore, file: AuditFile, head: Anchor, at: string): Promise<Verification> {
  const anchor = await store.anchor();
  const inStore = await check(new ChainCheck(anchor), storeLines(store, anchor.seq), head);
  const inFile = await check(new ChainCheck(anchor), linesAfter(file.lines(), anchor.seq), head);
  const breaks = [
    ...(inStore.broken === undefined ? [] : [{ where: 'store' as const, ...inStore.broken }]),
    ...(inFile.broken === undefined ? [] : [{ where: 'file' as const, ...inFile.broken }]),
  ];
  return { at, intact: breaks.length === 0, records: inStore.count, anchor, head, breaks };
}

/** @param head where it has to end; records that came since are not looked at */
async function check(chain: ChainCheck, lines: AsyncIterable<string>, head: Anchor): Promise<{ count: number; broken: Break | undefined }> {
  let broken: Break | undefined;
  for await (const line of lines) {
    if (chain.head.seq >= head.seq) break;
    broken = chain.take(line);
    if (broken !== undefined) break;
  }
  if (broken === undefined && chain.head.seq < head.seq)
    broken = { seq: chain.head.seq + 1, what: `it is missing, and so are those up to ${head.seq}` };
  if (broken === undefined && chain.head.hash !== head.hash) broken = { seq: head.seq, what: 'the two copies do not agree on it' };
  return { count: chain.count, broken };
}

async function* storeLines(store: AuditStore, from: number): AsyncGenerator<string> {
  for (let after = from; ; ) {
    const page = await store.lines({ after, limit: atOnce });
    for (const { line } of page) yield line;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.seq;
    // SQLite answers within the turn: without this nobody else would have one.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The copy is let go of by whole files, so that it may begin before the chain does. */
async function* linesAfter(lines: AsyncIterable<string>, anchor: number): AsyncGenerator<string> {
  let isBefore = true;
  for await (const line of lines) {
    isBefore &&= Number(/"seq":(\d+)/.exec(line)?.[1] ?? Infinity) <= anchor;
    if (!isBefore) yield line;
  }
}
