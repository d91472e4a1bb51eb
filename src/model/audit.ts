/** A record of who did what. Records form a chain: each has the hash of the one before, and its own hash covers it. Pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isErrorCode } from './errors.ts';

export const actorKinds = ['root', 'token', 'identity', 'platform', 'nobody'] as const;

/** What is known of something that was tried. It names things, and has the content of none. */
export const attemptSchema = z.object({
  time: z.iso.datetime(),
  /** The tenant that it concerns; `*` for the platform itself, or when nobody knows. */
  tenant: z.string(),
  /** Who: a token by its id, an identity by issuer and subject; nobody, when no right token came. */
  actor: z.object({ kind: z.enum(actorKinds), id: z.string() }),
  /** Where it came from: an address. Empty for what the platform did by itself. */
  source: z.string(),
  /** The method and the route, such as `PUT /v1/functions/:name`; or a word for what the platform did by itself. */
  action: z.string(),
  /** The path that was asked for, without its query. */
  target: z.string(),
  requestId: z.string(),
});
export type Attempt = z.output<typeof attemptSchema>;

/** How it ended. `Interrupted`: control ended before it could say. */
export const auditResultSchema = z.object({
  status: z.int(),
  code: z.union([z.string().refine(isErrorCode), z.literal('Interrupted')]).optional(),
});
export type AuditResult = z.output<typeof auditResultSchema>;

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const auditRecordSchema = attemptSchema.extend({
  seq: z.int().min(1),
  result: auditResultSchema,
  /** Of refusals that came again and again: how many this stands for. */
  times: z.int().min(2).optional(),
  /** What it was about, in words, when the rest does not say it. */
  note: z.string().optional(),
  previous: hashSchema,
  hash: hashSchema,
});
export type AuditRecord = z.output<typeof auditRecordSchema>;
/** A record before it has its place in the chain. */
export type AuditEntry = Omit<AuditRecord, 'seq' | 'previous' | 'hash'>;

/** The last record before a chain's first one. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
}

/** Of a chain that nothing has been taken from yet. */
export const genesis: Anchor = { seq: 0, hash: '0'.repeat(64) };

/** Puts an entry at the end of a chain. */
export function chained(entry: AuditEntry, last: Anchor): AuditRecord {
  const record = { ...entry, seq: last.seq + 1, previous: last.hash };
  return { ...record, hash: hashOf(record) };
}

const hashOf = (record: Omit<AuditRecord, 'hash'>): string => createHash('sha256').update(canonicalJson(record)).digest('hex');

/** JSON with one spelling (RFC 8785, for what records are made of): keys in order, nothing between. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** Where a chain does not hold, and what is wrong there. */
export interface Break {
  readonly seq: number;
  readonly what: string;
}

/** Follows a chain record by record. */
export class ChainCheck {
  #last: Anchor;
  #count = 0;

  constructor(anchor: Anchor) {
    this.#last = anchor;
  }

  /** The last record that held. */
  get head(): Anchor {
    return this.#last;
  }

  get count(): number {
    return this.#count;
  }

  /** @param line a record as JSON, as it was stored @returns what is wrong with it */
  take(line: string): Break | undefined {
    const seq = this.#last.seq + 1;
    const parsed = auditRecordSchema.safeParse(jsonOf(line));
    if (!parsed.success) return { seq, what: 'it is no record any more' };
    const { hash, ...record } = parsed.data;
    if (record.seq > seq)
      return { seq, what: record.seq === seq + 1 ? 'it is missing' : `it is missing, and so are those up to ${record.seq - 1}` };
    if (record.seq < seq) return { seq: record.seq, what: 'it is there a second time' };
    if (canonicalJson(parsed.data) !== line || hashOf(record) !== hash) return { seq, what: 'it was changed' };
    if (record.previous !== this.#last.hash)
      return { seq, what: 'it does not follow from the one before: that one was changed together with its hash' };
    this.#last = { seq, hash };
    this.#count += 1;
    return undefined;
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
